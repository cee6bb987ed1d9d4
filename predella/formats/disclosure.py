"""The sentence that tells every reader that software wrote a text, and who answers for it."""

from datetime import UTC, datetime

from predella.formats.entry import CatalogEntry, CatalogRelease, HumanInvolvement, TextKind

LANGUAGE = "en"
"""Of the sentence, whatever the text's own language is."""

_SHORT = 12
"""Digits that tell one digest from another in prose; the full ones go out beside it."""
_SOURCE_TYPES = {
    HumanInvolvement.AI_REVIEWED: "trainedAlgorithmicMedia",
    HumanInvolvement.AI_EDITED: "compositeWithTrainedAlgorithmicMedia",
}
_WRITTEN = {
    TextKind.FORMAL_ANALYSIS: "Formal analysis",
    TextKind.ELEMENT: "Part of a formal analysis",
    TextKind.ALT_TEXT: "Alternative text",
    TextKind.LONG_DESCRIPTION: "Description",
}
_REVIEWED = {
    HumanInvolvement.AI_REVIEWED: "Reviewed and approved without changes",
    HumanInvolvement.AI_EDITED: "Edited by people; this wording was approved",
}


def source_type(entry: CatalogEntry) -> str:
    """Return the IPTC digital source type of the text."""
    name = _SOURCE_TYPES[entry.approval.human_involvement]
    return f"http://cv.iptc.org/newscodes/digitalsourcetype/{name}"


def sentence(entry: CatalogEntry) -> str:
    """Return the disclosure to print with the text, the release's notice first."""
    notice = [entry.release.notice] if entry.release.notice else []
    written = (
        f"{_WRITTEN[entry.wording.kind]} written by software ({_software(entry.release)})"
        f" on {_day(entry.generated_at)}"
        f" from the image with sha256 {entry.image.sha256[:_SHORT]}."
    )
    reviewed = (
        f"{_REVIEWED[entry.approval.human_involvement]} by {entry.approval.reviewer},"
        f" {entry.institution.name}, on {_day(entry.approval.decided_at)}."
    )
    return " ".join([*notice, written, reviewed])


def _software(release: CatalogRelease) -> str:
    parts = [release.name, f"weights sha256 {release.weights_sha256[:_SHORT]}"]
    if release.adapter_sha256:
        parts.append(f"adapter sha256 {release.adapter_sha256[:_SHORT]}")
    return ", ".join([*parts, f"release {release.digest[:_SHORT]}"])


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
