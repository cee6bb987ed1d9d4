"""Every check, by name and version."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from predella.checks import (
    attribution,
    biography,
    colour,
    date,
    language,
    leak,
    length,
    light,
    likeness,
    loop,
    name,
    orientation,
    place,
    record,
    shape,
    term,
    truncated,
    warmth,
)
from predella.checks.context import Context
from predella.checks.finding import CheckName, Finding, Remark, Span, fingerprint
from predella.checks.thresholds import Thresholds
from predella.checks.wording import Wording

_MOST = 50
"""Findings of one check on one text: more than that nobody reads."""


@dataclass(frozen=True)
class Check:
    """One automatic check; a change of what it finds is a new version."""

    name: CheckName
    version: int
    about: str
    """What it looks for, in plain words."""
    find: Callable[[Wording, Context], Iterator[Remark]]

    def findings(self, wording: Wording, context: Context) -> Iterator[Finding]:
        """Return what it finds, each passage once and as loudly as the collection wants it."""
        loudness = context.thresholds.severities
        remarks = dict[Span | None, Remark]()
        for remark in self.find(wording, context):
            remarks.setdefault(remark.span, remark)
        for remark in islice(remarks.values(), _MOST):
            yield Finding(
                check=self.name,
                version=self.version,
                severity=loudness.get(self.name, remark.severity),
                sentence=remark.sentence,
                span=remark.span,
                evidence=remark.evidence,
                fingerprint=self._fingerprint(wording, remark),
            )

    def _fingerprint(self, wording: Wording, remark: Remark) -> bytes:
        if remark.span is None:
            return fingerprint(self.name, wording.text, "", 0)
        start, end = wording.passage(remark.span)
        words = wording.text[slice(*remark.span)]
        return fingerprint(self.name, wording.text[start:end], words, remark.span[0] - start)


CHECKS = (
    Check(CheckName.TRUNCATED, 1, "the text is cut", truncated.find),
    Check(CheckName.LENGTH, 1, "the text is much shorter or longer than asked", length.find),
    Check(CheckName.LOOP, 1, "the text repeats itself", loop.find),
    Check(CheckName.LEAK, 1, "parts of the conversation with the model, refusals", leak.find),
    Check(CheckName.LANGUAGE, 1, "the text is in another language than asked", language.find),
    Check(CheckName.RECORD, 1, "the object's own artist, sitter or title", record.find),
    Check(CheckName.DATE, 1, "years and centuries", date.find),
    Check(CheckName.ATTRIBUTION, 1, "makers and movements", attribution.find),
    Check(CheckName.BIOGRAPHY, 1, "lives, owners, whereabouts", biography.find),
    Check(CheckName.PLACE, 1, "towns, lands and sights", place.find),
    Check(CheckName.NAME, 1, "other words that look like names", name.find),
    Check(CheckName.COLOUR_ABSENT, 1, "a colour that the pixels lack", colour.find_absent),
    Check(CheckName.BW_IMAGE, 1, "a hue in a black-and-white image", colour.find_in_grey),
    Check(CheckName.LIGHT, 1, "light or contrast that the pixels contradict", light.find),
    Check(
        CheckName.WARMTH, 1, "warmth or strength of colour that the pixels contradict", warmth.find
    ),
    Check(CheckName.FORMAT, 1, "a format that the picture does not have", shape.find),
    Check(CheckName.TERM, 1, "terms that the glossary speaks against", term.find),
    Check(CheckName.NEAR_DUPLICATE, 1, "nearly the text of another image", likeness.find_near),
    Check(CheckName.REUSED_SENTENCE, 1, "a sentence of many other texts", likeness.find_reused),
    Check(CheckName.ORIENTATION, 1, "the photograph seems to lie on its side", orientation.find),
)
"""In the order in which a curator reads what they say of the same passage."""


def run(wording: Wording, context: Context) -> list[Finding]:
    """Return what all checks say of one wording."""
    off = context.thresholds.off
    wanted = [check for check in CHECKS if check.name not in off]
    return [finding for check in wanted for finding in check.findings(wording, context)]


def suite(thresholds: Thresholds, glossaries: Sequence[str]) -> str:
    """Return what names exactly these checks, so that it shows when others would be run today."""
    said = {
        "checks": {check.name: check.version for check in CHECKS},
        "thresholds": _in_order(thresholds.model_dump(mode="json", exclude_defaults=True)),
        "glossaries": sorted(glossaries),
    }
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _in_order(value: object) -> object:
    """Sort what was a set: its order differs from process to process."""
    if isinstance(value, dict):
        return {key: _in_order(one) for key, one in value.items()}
    return sorted(value) if isinstance(value, list) else value
