from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.base import Hex, Out
from api.schemas.findings import FindingOut
from predella.models import FinishReason, PromptKind, ReviewState
from predella.services.analyses import AnalysisView


class ObjectOut(Out):
    """One item that has this analysis: which object of the museum it shows."""

    id: UUID
    submission_id: UUID
    object_number: str
    title: str | None
    artist: str | None
    date: str | None


class ImageOut(Out):
    """The picture that the model looked at."""

    sha256: Hex = Field(description="Of the original's bytes.")
    width: int
    height: int


class AnalysisOut(Out):
    """One analysis as it stands: its newest wording, and what was decided on it."""

    id: UUID
    created_at: datetime
    collection_id: UUID
    etag: str = Field(description="Names this state; send it as `If-Match`.")
    state: ReviewState
    kind: PromptKind
    prompt_id: str = Field(description="What the model was asked.")
    language: str
    text: str = Field(description="The newest wording.")
    revision: int = Field(description="Its number; 0 is the model's own.")
    notice: str | None = Field(description="Has to stand wherever the text is shown.")
    model_name: str
    release_id: UUID
    finish_reason: FinishReason
    mean_logprob: float
    min_window_logprob: float = Field(description="Of the passage the model was least sure of.")
    image: ImageOut
    items: list[ObjectOut] = Field(description="The first of those that share it.")
    item_count: int
    findings: list[FindingOut] = Field(
        description="What the checks say of the newest wording, the loudest first."
    )

    @classmethod
    def of(cls, view: AnalysisView) -> "AnalysisOut":
        """Write a view out."""
        analysis = view.analysis
        return cls(
            id=view.id,
            created_at=analysis.created_at,
            collection_id=view.image.collection_id,
            etag=etag(view.revision.number, view.review_count),
            state=view.state,
            kind=view.kind,
            prompt_id=view.release.prompt_id,
            language=analysis.language,
            text=view.revision.text,
            revision=view.revision.number,
            notice=view.release.notice,
            model_name=view.release.model_name,
            release_id=analysis.release_id,
            finish_reason=analysis.finish_reason,
            mean_logprob=analysis.mean_logprob,
            min_window_logprob=analysis.min_window_logprob,
            image=ImageOut.model_validate(view.image),
            items=[ObjectOut.model_validate(item) for item in view.items],
            item_count=view.item_count,
            findings=[FindingOut.of(one) for one in view.findings],
        )


def etag(revision_number: int, review_number: int) -> str:
    """Return the strong entity tag of a state: every wording and every decision changes it."""
    return f'"r{revision_number}.{review_number}"'
