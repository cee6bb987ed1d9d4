from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.base import In, Out, Text
from predella.checks import CheckName, Severity
from predella.services.findings import FindingView
from predella.services.sayings import MAX_LENGTH


class DismissalIn(In):
    """That a finding is no fault, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "The name is written on the frame."}]}
    )

    reason: Text = Field(min_length=1, max_length=MAX_LENGTH)


class SentenceDeletionIn(In):
    """That the sentences around a finding are to go."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"revision": 0}]})

    revision: int = Field(ge=0, le=2**31 - 1, description="Number of the wording that was read.")


class DismissalOut(Out):
    """Who said that a finding is no fault."""

    created_at: datetime
    reason: str
    dismissed_by: str


class FindingOut(Out):
    """What one check says of the newest wording."""

    id: UUID
    check: CheckName
    version: int = Field(description="Of the check.")
    severity: Severity = Field(description="A hard one forbids approval until it is dismissed.")
    start: int | None = Field(description="Characters of the text; null for the whole text.")
    end: int | None
    sentence: str = Field(description="What is wrong, in plain words.")
    evidence: dict[str, object] = Field(description="What it was concluded from.")
    dismissal: DismissalOut | None = Field(description="Null while the finding is open.")

    @classmethod
    def of(cls, view: FindingView) -> "FindingOut":
        """Write a finding out."""
        found = view.finding
        return cls(
            id=found.id,
            check=found.check_name,
            version=found.version,
            severity=found.severity,
            start=found.span_start,
            end=found.span_end,
            sentence=found.sentence,
            evidence=found.evidence,
            dismissal=_dismissal(view),
        )


def _dismissal(view: FindingView) -> DismissalOut | None:
    said = view.dismissal
    if said is None or said.reason is None:
        return None
    return DismissalOut(
        created_at=said.created_at, reason=said.reason, dismissed_by=said.account.display_name
    )


class CountOut(Out):
    """Of how many texts a check has something open to say."""

    check: CheckName
    severity: Severity
    analyses: int
