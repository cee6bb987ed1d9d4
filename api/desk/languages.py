"""The languages of the pages: which one somebody reads, its words, its dates and numbers."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import get_args

from babel import negotiate_locale
from babel.dates import format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations
from babel.units import format_unit

from predella import clock
from predella.services.preferences import Language

SOURCE = "en"
"""The templates are written in it."""

NAMES: Mapping[str, str] = {"en": "English", "nl": "Nederlands"}

_THOUSAND = 1_000
_FEW_HOURS = 2
"""Below that, minutes tell more."""
_FOLDER = Path(__file__).parent / "translations"


def chosen(preferred: str | None, accepted: str) -> str:
    """Return the language for somebody: their own choice, else what their browser accepts."""
    known = get_args(Language)
    if preferred is not None and preferred in known:
        return preferred
    asked = [part.partition(";")[0].strip() for part in accepted.split(",")]
    return negotiate_locale(asked, known, sep="-") or SOURCE


@cache
def words(language: str) -> NullTranslations:
    """Return the words of a language, compiled from what translators write."""
    if language == SOURCE:
        return NullTranslations()
    with catalogue(language).open("rb") as file:
        compiled = BytesIO()
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def catalogue(language: str) -> Path:
    """Return the file that translators of a language write."""
    return _FOLDER / language / "LC_MESSAGES" / "desk.po"


def filters(language: str) -> Mapping[str, Callable[..., str]]:
    """Return what writes dates, numbers and spans of time as a language does."""
    return {
        "date": partial(format_datetime, format="d MMM yyyy, HH:mm 'UTC'", locale=language),
        "number": partial(format_decimal, locale=language),
        "share": partial(format_decimal, format="0.00", locale=language),
        "ago": partial(_ago, language),
        "lasting": partial(_lasting, language),
        "working": partial(_working, language),
        "size": partial(_size, language),
    }


def _ago(language: str, then: datetime) -> str:
    return format_timedelta(then - clock.now(), add_direction=True, locale=language)


def _lasting(language: str, seconds: float) -> str:
    return format_timedelta(timedelta(seconds=seconds), threshold=2, locale=language)


def _working(language: str, time: timedelta) -> str:
    """Write a span in hours, however many: nobody works around the clock."""
    hours, minutes = time / timedelta(hours=1), time / timedelta(minutes=1)
    if hours < _FEW_HOURS:
        return format_unit(max(round(minutes), 1), "duration-minute", locale=language)
    return format_unit(round(hours), "duration-hour", locale=language)


def _size(language: str, count: float) -> str:
    *smaller, largest = ("bytes", "kB", "MB", "GB")
    for unit in smaller:
        if count < _THOUSAND:
            return f"{format_decimal(count, format='#,##0.#', locale=language)} {unit}"
        count /= _THOUSAND
    return f"{format_decimal(count, format='#,##0.#', locale=language)} {largest}"
