"""What a finding says, in the language of the page."""

from functools import cache
from typing import Any

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol

from api.desk import languages
from predella.checks import BY_NAME, Writer
from predella.models import Finding


def of(language: str, finding: Finding, text: str) -> str:
    """Return what a finding on this wording says.

    What is kept is the English sentence. It is said in another language only where the check,
    as it is today, would still say exactly that: findings of earlier versions stay English.
    """
    check = BY_NAME[finding.check_name]
    quote = None if finding.span_start is None else text[finding.span_start : finding.span_end]
    if check.sentence(finding.evidence, quote) != finding.sentence:
        return finding.sentence
    return check.sentence(finding.evidence, quote, _writer(language))


class _LocalWriter(Writer):
    """Writes sayings in a language that there are words for."""

    def __init__(self, language: str) -> None:
        self._say = languages.words(language).gettext
        self._named = Locale(language).languages
        signs = {",": get_group_symbol(language), ".": get_decimal_symbol(language)}
        self._signs = str.maketrans(signs)

    def sentence(self, sentence: str) -> str:
        return str(self._say(sentence))

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "language":
            return str(self._named[value])
        if format_spec == "colour":
            return str(self._say(value))
        english = super().format_field(value, format_spec)
        return english if isinstance(value, str) else english.translate(self._signs)


@cache
def _writer(language: str) -> Writer:
    return Writer() if language == languages.SOURCE else _LocalWriter(language)
