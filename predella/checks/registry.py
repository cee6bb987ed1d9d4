"""Every check, by name and version."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from predella.checks.saying import Sayings, Writer
from predella.checks.thresholds import Thresholds
from predella.checks.wording import Wording

_MOST = 50
"""Findings of one check on one text: more than that nobody reads."""
_ENGLISH = Writer()


@dataclass(frozen=True)
class Check:
    """One automatic check; a change of what it finds is a new version."""

    name: CheckName
    version: int
    about: str
    """What it looks for, in plain words."""
    find: Callable[[Wording, Context], Iterator[Remark]]
    says: Sayings

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
                sentence=self.sentence(remark.evidence, wording.quote(remark.span)),
                span=remark.span,
                evidence=remark.evidence,
                fingerprint=self._fingerprint(wording, remark),
            )

    def sentence(
        self, evidence: Mapping[str, object], quote: str | None, writer: Writer = _ENGLISH
    ) -> str:
        """Return what it says by this evidence, of these words; empty if it never says that."""
        saying = self.says.get(evidence.get("kind"), ())
        return writer.write(saying, {**evidence, "quote": quote})

    def _fingerprint(self, wording: Wording, remark: Remark) -> bytes:
        if remark.span is None:
            return fingerprint(self.name, wording.text, "", 0)
        start, end = wording.passage(remark.span)
        words = wording.text[slice(*remark.span)]
        return fingerprint(self.name, wording.text[start:end], words, remark.span[0] - start)


CHECKS = (
    Check(CheckName.TRUNCATED, 1, "the text is cut", truncated.find, truncated.SAYS),
    Check(
        CheckName.LENGTH,
        1,
        "the text is much shorter or longer than asked",
        length.find,
        length.SAYS,
    ),
    Check(CheckName.LOOP, 1, "the text repeats itself", loop.find, loop.SAYS),
    Check(
        CheckName.LEAK,
        1,
        "parts of the conversation with the model, refusals",
        leak.find,
        leak.SAYS,
    ),
    Check(
        CheckName.LANGUAGE,
        1,
        "the text is in another language than asked",
        language.find,
        language.SAYS,
    ),
    Check(
        CheckName.RECORD, 1, "the object's own artist, sitter or title", record.find, record.SAYS
    ),
    Check(CheckName.DATE, 1, "years and centuries", date.find, date.SAYS),
    Check(CheckName.ATTRIBUTION, 1, "makers and movements", attribution.find, attribution.SAYS),
    Check(CheckName.BIOGRAPHY, 1, "lives, owners, whereabouts", biography.find, biography.SAYS),
    Check(CheckName.PLACE, 1, "towns, lands and sights", place.find, place.SAYS),
    Check(CheckName.NAME, 1, "other words that look like names", name.find, name.SAYS),
    Check(
        CheckName.COLOUR_ABSENT,
        1,
        "a colour that the pixels lack",
        colour.find_absent,
        colour.SAYS_ABSENT,
    ),
    Check(
        CheckName.BW_IMAGE,
        1,
        "a hue in a black-and-white image",
        colour.find_in_grey,
        colour.SAYS_IN_GREY,
    ),
    Check(
        CheckName.LIGHT, 1, "light or contrast that the pixels contradict", light.find, light.SAYS
    ),
    Check(
        CheckName.WARMTH,
        1,
        "warmth or strength of colour that the pixels contradict",
        warmth.find,
        warmth.SAYS,
    ),
    Check(CheckName.FORMAT, 1, "a format that the picture does not have", shape.find, shape.SAYS),
    Check(CheckName.TERM, 1, "terms that the glossary speaks against", term.find, term.SAYS),
    Check(
        CheckName.NEAR_DUPLICATE,
        1,
        "nearly the text of another image",
        likeness.find_near,
        likeness.SAYS_NEAR,
    ),
    Check(
        CheckName.REUSED_SENTENCE,
        1,
        "a sentence of many other texts",
        likeness.find_reused,
        likeness.SAYS_REUSED,
    ),
    Check(
        CheckName.ORIENTATION,
        1,
        "the photograph seems to lie on its side",
        orientation.find,
        orientation.SAYS,
    ),
)
"""In the order in which a curator reads what they say of the same passage."""
BY_NAME = {check.name: check for check in CHECKS}


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
