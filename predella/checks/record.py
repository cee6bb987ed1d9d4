"""Does the text repeat what the catalog says of the object? The model was told to look."""

import re
from collections.abc import Iterator
from functools import lru_cache

from predella.checks import vocabulary
from predella.checks.context import Context, Record
from predella.checks.finding import Remark, Severity, Span
from predella.checks.saying import Sayings
from predella.checks.wording import Wording, plain

_QUALIFIER = re.compile(
    r"\b(?:attributed to|circle of|workshop of|studio of|follower of|school of|manner of|"
    r"style of|copy after|after|possibly|probably|toegeschreven aan|naar|zugeschrieben|"
    r"umkreis|werkstatt|nach|attribué à|d'après|atelier de)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]|\d[\d\s/-]*|[;|].*")
_PARTICLES = vocabulary.words("""
    van der den de het ten ter von zu da di del della dei du la le les el the of af
    jr sr ii iii elder younger oudere jonge
""")
_NOBODY = vocabulary.words("""
    anonymous anoniem anonyme anonym unknown unbekannt onbekend inconnu artist kunstenaar maker
    master meester meister maître painter school dutch flemish french german italian spanish
    english british american japanese chinese northern southern netherlandish workshop
""")
_WORDS = vocabulary.words("""
    white black brown green grey gray blue red rose olive violet gold silver wood hill field fields
    stone rivers lake bell king bishop young long short little bird fox wolf lamb marsh church
    house hall street west east north south love day light bright sharp rich strong french german
    holland english winter summer snow frost moon sun star bush reed flower page baker cook smith
    taylor turner potter weaver shepherd hunter fisher sailor major minor
""")
"""Surnames that open a sentence as a common word: there they prove nothing."""
_PORTRAIT = re.compile(
    r"\b(?:portrait|bust|likeness|portret|bildnis|porträt|ritratto|retrato|study)\s+"
    r"(?:of|van|des|der|di|de|du)\s+(.+)",
    re.IGNORECASE,
)
_PROPER = re.compile(
    r"[A-ZÀ-Þ][\w'-]+(?:\s+(?:(?:van|der|den|de|von|da|di|del|la|le)\s+)*[A-ZÀ-Þ][\w'-]+)*"
)
_SURNAME = 4
"""Letters of a single name that is looked for."""
_PIGMENT = r"(?!\s+(?:brown|red|blue|green|yellow|lake|white|black)\b)"

SAYS: Sayings = {
    "artist": (
        "“{quote}” is the artist in the catalog; a text about what can be seen needs none.",
    ),
    "sitter": (
        "“{quote}” is the sitter in the catalog; a text about what can be seen needs none.",
    ),
    "title": ("“{quote}” is the title in the catalog; a text about what can be seen needs none.",),
}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell the record's own artist, sitter and title."""
    told: set[Span] = set()
    for record in context.records:
        for kind, pattern in _patterns(record):
            for match in pattern.finditer(wording.plain):
                if match.span() in told or _is_a_common_word(match, wording):
                    continue
                told.add(match.span())
                severity = Severity.HARD if kind == "artist" else Severity.SOFT
                yield Remark(severity, match.span(), {"kind": kind})


def _is_a_common_word(match: re.Match[str], wording: Wording) -> bool:
    return match[0].lower() in _WORDS and wording.opens_sentence(match.start())


@lru_cache(maxsize=256)
def _patterns(record: Record) -> tuple[tuple[str, re.Pattern[str]], ...]:
    title = plain(record.title or "")
    kinds = {
        "artist": _of_person(plain(record.artist or "")),
        "sitter": _of_person(plain(record.sitter or _portrayed(title))),
        "title": _of_title(title),
    }
    return tuple((kind, _any_of(names)) for kind, names in kinds.items() if names)


def _any_of(names: list[str]) -> re.Pattern[str]:
    longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.compile(rf"(?<![\w-])(?:{longest_first})(?![\w-]){_PIGMENT}")


def _of_person(said: str) -> list[str]:
    """Return the ways in which a text may name this person."""
    name = " ".join(_ASIDE.sub(" ", _QUALIFIER.sub(" ", said)).split()).strip(" ,.")
    last, comma, first = (part.strip() for part in name.partition(","))
    parts = [part for part in (last.split() if comma else name.split()) if _is_name(part)]
    if not parts or not _NOBODY.isdisjoint(name.lower().replace(",", " ").split()):
        return []
    names = [f"{first} {last}" if comma else name, *parts[-1:]]
    if _is_known_by_first_name(name, parts, comma=bool(comma)):
        names.append(parts[0])
    return [each for each in names if len(each) >= _SURNAME]


def _is_name(part: str) -> bool:
    return part.lower().strip(".") not in _PARTICLES and part[:1].isupper()


def _is_known_by_first_name(name: str, parts: list[str], *, comma: bool) -> bool:
    """Say whether it is one like "Rembrandt van Rijn", "Leonardo da Vinci"."""
    return not comma and len(parts) > 1 and any(part in _PARTICLES for part in name.split())


def _portrayed(title: str) -> str:
    match = _PORTRAIT.search(title)
    proper = match and _PROPER.match(match[1])
    return proper[0] if proper else ""


def _of_title(title: str) -> list[str]:
    """Return the title if it has a shape that no sentence has by itself: several capitals."""
    capitals = [word for word in title.split()[1:] if word[:1].isupper()]
    return [title.strip()] if capitals and len(title) <= 200 else []  # noqa: PLR2004
