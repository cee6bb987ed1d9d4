"""What a check says: sentences with gaps, which the evidence fills, in any language."""

from collections.abc import Mapping
from string import Formatter
from typing import Any

Saying = tuple[str, ...]
"""Sentences for ``str.format``; one with a gap that the evidence leaves empty is left out.

A gap is named as in the evidence; ``{quote}`` is the words that the finding is about. Beyond the
formats of Python, ``language`` writes the name of a language, and ``colour`` that of a colour.
"""

Sayings = Mapping[object, Saying]
"""By the ``kind`` in the evidence; None where a check has but one thing to say."""

LANGUAGES = {
    "en": "English", "nl": "Dutch", "de": "German", "fr": "French", "it": "Italian",
    "es": "Spanish", "pt": "Portuguese", "sv": "Swedish", "da": "Danish", "no": "Norwegian",
    "pl": "Polish", "fi": "Finnish",
}  # fmt: skip


class Writer(Formatter):
    """Writes sayings in English; one for another language knows its sentences and its numbers."""

    def write(self, saying: Saying, values: Mapping[str, object]) -> str:
        """Return the sentences, their gaps filled."""
        whole = [one for one in saying if all(values.get(gap) is not None for gap in gaps(one))]
        return " ".join(self.vformat(self.sentence(one), (), values) for one in whole)

    def sentence(self, sentence: str) -> str:
        """Return a sentence, its gaps still open, in the language of this writer."""
        return sentence

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return a value as its gap wants it written."""
        if format_spec == "language":
            return LANGUAGES[value]
        return str(value) if format_spec == "colour" else format(value, format_spec)


def gaps(sentence: str) -> set[str]:
    """Return the names of the gaps of a sentence."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}
