"""The grammar of queries: ``state:needs_review check:colour_absent conf:<0.6 -object:SK-A-*``.

Terms stand apart by spaces, and all of them must hold. A term is a word, or a key with values
of which one must hold: ``key:value,value``. A minus in front turns a term around, ``< <= > >= =``
in front of a value compare, and quotes keep spaces, commas and colons together. Which keys there
are, and what they mean, is not decided here.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from predella.errors import QueryError
from predella.ids import Reach

MAX_LENGTH = 1_000
"""Characters of a query."""
MAX_TERMS = 30

_SPACE = re.compile(r"\s*")
_KEY = re.compile(r"([A-Za-z_]+):")
_OPERATOR = re.compile(r"<=|>=|<|>|=|")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE_VALUE = re.compile(r'[^\s,"]+')
_BARE_WORD = re.compile(r'[^\s"]+')
_PLAIN = re.compile(r'[^\s,":\\<>=-][^\s,":\\]*')
"""What needs no quotes, wherever it stands."""


class Operator(StrEnum):
    """How a value is compared."""

    EQUAL = "="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True)
class Value:
    """One value of a term, and how it is compared."""

    text: str
    operator: Operator = Operator.EQUAL
    position: int = field(default=1, compare=False)
    """Where it stands in the query, from 1."""

    def __str__(self) -> str:
        """Return it as it is written."""
        sign = "" if self.operator is Operator.EQUAL else self.operator.value
        return sign + _quoted_if_needed(self.text)


@dataclass(frozen=True)
class Term:
    """One condition: any of its values."""

    key: str | None
    """None for a word."""
    values: tuple[Value, ...]
    negated: bool = False
    position: int = field(default=1, compare=False)

    def __str__(self) -> str:
        """Return it as it is written."""
        key = "" if self.key is None else f"{self.key}:"
        return f"{'-' if self.negated else ''}{key}{','.join(map(str, self.values))}"


@dataclass(frozen=True)
class Query:
    """What somebody looks for: all of these terms; without any, everything."""

    terms: tuple[Term, ...] = ()
    within: Reach = None
    """Where it looks: where whoever asks may see. No part of what is written."""

    def __str__(self) -> str:
        """Return the one way to write it: ``parse`` reads the same query from it."""
        return " ".join(map(str, self.terms))


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        QueryError: it cannot be understood; it says where, and why.
    """
    _require_readable(text)
    terms = tuple(_terms(text))
    if len(terms) > MAX_TERMS:
        raise QueryError(terms[MAX_TERMS].position, f"at most {MAX_TERMS} terms in a query")
    return Query(terms)


def _require_readable(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise QueryError(MAX_LENGTH + 1, f"at most {MAX_LENGTH:,} characters in a query")
    for place, character in enumerate(text, start=1):
        if unicodedata.category(character) in {"Cc", "Cs"} and not character.isspace():
            raise QueryError(place, "this character is not for reading")


def _terms(text: str) -> Iterator[Term]:
    place = _after(_SPACE, text, 0)
    while place < len(text):
        term, place = _term(text, place)
        yield term
        if place < len(text) and not text[place].isspace():
            raise QueryError(place + 1, "a space is missing between two terms")
        place = _after(_SPACE, text, place)


def _term(text: str, start: int) -> tuple[Term, int]:
    negated = text[start] == "-"
    place = start + negated
    key = _KEY.match(text, place)
    if key is None:
        word, place = _text(text, place, _BARE_WORD)
        return Term(None, (Value(word, position=start + 1),), negated, start + 1), place
    values, place = _values(text, key.end())
    return Term(key[1].lower(), values, negated, start + 1), place


def _values(text: str, place: int) -> tuple[tuple[Value, ...], int]:
    values: list[Value] = []
    while True:
        operator = _OPERATOR.match(text, place)
        sign = operator[0] if operator else ""
        value, end = _text(text, place + len(sign), _BARE_VALUE)
        values.append(Value(value, Operator(sign or "="), place + 1))
        if text[end : end + 1] != ",":
            return tuple(values), end
        place = end + 1


def _text(text: str, place: int, bare: re.Pattern[str]) -> tuple[str, int]:
    if text[place : place + 1] == '"':
        found = _QUOTED.match(text, place)
        if found is None:
            raise QueryError(place + 1, "the quote is not closed")
        inside = re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)
    else:
        found = bare.match(text, place)
        inside = found[0] if found else ""
    if found is None or not inside.strip():
        raise QueryError(place + 1, "a value is missing")
    return inside, found.end()


def _quoted_if_needed(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _after(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place
