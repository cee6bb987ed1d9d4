"""The sentence that tells every reader that software wrote a text, and who answers for it."""

from datetime import UTC, datetime

from predella.formats.entry import (
    CatalogEntry,
    CatalogRelease,
    CatalogTombstone,
    Departing,
    HumanInvolvement,
)
from predella.formats.phrases import FALLBACK, PHRASES, Phrases

_SHORT = 12
"""Digits that tell one digest from another in prose; the full ones go out beside it."""
_SOURCE_TYPES = {
    HumanInvolvement.AI_REVIEWED: "trainedAlgorithmicMedia",
    HumanInvolvement.AI_EDITED: "compositeWithTrainedAlgorithmicMedia",
}


def source_type(entry: CatalogEntry) -> str:
    """Return the IPTC digital source type of the text."""
    name = _SOURCE_TYPES[entry.approval.human_involvement]
    return f"http://cv.iptc.org/newscodes/digitalsourcetype/{name}"


def language(line: Departing) -> str:
    """Return the language of the sentence: the text's own, where we have phrases in it."""
    primary = line.language.partition("-")[0].lower()
    return primary if primary in PHRASES else FALLBACK


def phrases(line: Departing) -> Phrases:
    """Return the phrases in the language of the sentence."""
    return PHRASES[language(line)]


def said(line: Departing) -> str:
    """Return what every reader has to know of a text, or that it was withdrawn."""
    return sentence(line) if isinstance(line, CatalogEntry) else withdrawal(line)


def with_text(entry: CatalogEntry) -> str:
    """Return the text with the disclosure in brackets, where a format has no place beside it."""
    return f"{entry.wording.text} [{sentence(entry)}]".strip()


def sentence(entry: CatalogEntry) -> str:
    """Return the disclosure to print with the text, the release's notice first."""
    words, name = phrases(entry), entry.institution.name
    notice = [entry.release.notice] if entry.release.notice else []
    written = words.written.format(
        kind=words.kinds[entry.wording.kind],
        software=_software(entry.release),
        day=day(entry.generated_at),
        image=entry.image.sha256[:_SHORT],
    )
    approval = entry.approval
    human = words.sampled if approval.by_sample else words.reviewed[approval.human_involvement]
    reviewed = human.format(
        reviewer=approval.reviewer, institution=name, day=day(approval.decided_at)
    )
    return " ".join([*notice, written, reviewed, words.responsible.format(institution=name)])


def withdrawal(tombstone: CatalogTombstone) -> str:
    """Return what stands in the place of a text that was withdrawn."""
    return phrases(tombstone).withdrawn.format(day=day(tombstone.withdrawn_at))


def day(moment: datetime) -> str:
    """Return the day in UTC, as in 2026-01-20."""
    return moment.astimezone(UTC).date().isoformat()


def _software(release: CatalogRelease) -> str:
    parts = [release.name]
    if release.base_model:
        parts.append(release.base_model)
    parts.append(f"weights sha256 {release.weights_sha256[:_SHORT]}")
    if release.adapter_sha256:
        parts.append(f"adapter sha256 {release.adapter_sha256[:_SHORT]}")
    return ", ".join([*parts, f"release {release.digest[:_SHORT]}"])
