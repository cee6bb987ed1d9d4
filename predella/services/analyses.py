"""Analyses: every text as it stands, how it came to stand so, and what wrote it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, func, select, true
from sqlalchemy.orm import Session, aliased, joinedload

from predella import db
from predella.checks import CheckName, Severity
from predella.errors import NotFoundError
from predella.formats.entry import stamp
from predella.ids import AnalysisId, CollectionId, Reach, SubmissionId
from predella.models import (
    Analysis,
    Image,
    Item,
    OpenFinding,
    PromptKind,
    Release,
    Review,
    ReviewState,
    Revision,
    Standing,
)
from predella.services import findings, searches
from predella.services.findings import FindingView
from predella.services.searches import Order, Search

_ITEMS_SHOWN = 20
"""A placeholder picture may stand for ten thousand objects; this many are named."""


@dataclass(frozen=True)
class AnalysisView:
    """One analysis as it stands."""

    analysis: Analysis
    """With its release and its image."""
    revision: Revision
    """The newest wording, with who wrote it."""
    review: Review | None
    """The newest decision, with who took it."""
    state: ReviewState
    """What that makes of it, or that it is withheld."""
    items: Sequence[Item]
    """Those that share it, by object number; the first of them where there are many."""
    item_count: int
    """How many share it."""
    findings: Sequence[FindingView]
    """What the checks say of the newest wording, the loudest first."""

    @property
    def id(self) -> AnalysisId:
        """The analysis's id."""
        return AnalysisId(self.analysis.id)

    @property
    def release(self) -> Release:
        """What wrote the text."""
        return self.analysis.release

    @property
    def kind(self) -> PromptKind:
        """What kind of text it is."""
        return self.release.prompt.kind

    @property
    def image(self) -> Image:
        """What the model looked at."""
        return self.analysis.image

    @property
    def is_held(self) -> bool:
        """Whether an open finding forbids its approval."""
        return any(
            one.finding.severity is Severity.HARD and not one.is_dismissed for one in self.findings
        )

    @property
    def review_count(self) -> int:
        """How many decisions there are; with the revision's number it names this state."""
        return self.review.number if self.review else 0


def get(session: Session, analysis_id: AnalysisId, *, lock: bool = False) -> AnalysisView:
    """Return an analysis as it stands; locked, it stands so until the transaction ends.

    Raises:
        NotFoundError: there is none.
    """
    # Lock first, look second: a joined SELECT ... FOR UPDATE would see the past.
    if lock:
        session.get(Analysis, analysis_id, with_for_update=True)
    found = views(session, [analysis_id])
    if not found:
        raise NotFoundError("analysis", analysis_id)
    return found[0]


def listed(
    session: Session,
    *,
    within: Reach,
    collection_id: CollectionId | None = None,
    submission_id: SubmissionId | None = None,
    state: ReviewState | None = None,
    check: CheckName | None = None,
    severity: Severity | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[AnalysisView]:
    """Return analyses in the order in which they were written.

    ``check`` and ``severity`` keep to those with such a finding open.
    """
    page: Select[Any] = select(Standing.analysis_id)
    if submission_id is not None:
        page = _within(submission_id)
    page = page.where(db.inside(Standing.collection_id, within))
    if collection_id is not None:
        page = page.where(Standing.collection_id == collection_id)
    if state is not None:
        page = page.where(Standing.state == state)
    if check is not None or severity is not None:
        page = page.where(page.selected_columns[0].in_(_flagged(check, severity)))
    if after is not None:
        page = page.where(page.selected_columns[0] > after)
    ordered = page.order_by(page.selected_columns[0]).limit(limit)
    return views(session, session.scalars(ordered).all())


def found(
    session: Session,
    search: Search,
    *,
    order: Order,
    collection_id: CollectionId | None = None,
    submission_id: SubmissionId | None = None,
    state: ReviewState | None = None,
    check: CheckName | None = None,
    severity: Severity | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[Sequence[AnalysisView], str | None]:
    """Return analyses that a search finds, in this order, and where the next page begins.

    Raises:
        InvalidError: ``after`` is not a cursor of this order.
    """
    also: list[ColumnElement[bool]] = []
    if collection_id is not None:
        also.append(Standing.collection_id == collection_id)
    if submission_id is not None:
        also.append(Standing.analysis_id.in_(_within(submission_id)))
    if state is not None:
        also.append(Standing.state == state)
    if check is not None or severity is not None:
        also.append(Standing.analysis_id.in_(_flagged(check, severity)))
    page = searches.page(session, search, order=order, after=after, limit=limit, also=also)
    by_id = {view.id: view for view in views(session, page.ids)}
    return [by_id[id_] for id_ in page.ids], page.next


def views(session: Session, analysis_ids: Sequence[UUID]) -> Sequence[AnalysisView]:
    """Return these analyses, as far as they exist, in the order of their ids.

    Wording and decision are read in one statement: never is one from before and the other
    from after somebody's step.
    """
    revision, review = aliased(Revision, _newest(Revision)), aliased(Review, _newest(Review))
    rows = session.execute(
        select(Analysis, revision, review, Standing.state)
        .select_from(Analysis)
        .join(Standing, Standing.analysis_id == Analysis.id)
        .join(revision, true())
        .outerjoin(review, true())
        .where(Analysis.id.in_(analysis_ids))
        .order_by(Analysis.id)
        .options(
            joinedload(Analysis.image),
            joinedload(Analysis.release).joinedload(Release.prompt),
            joinedload(revision.account),
            joinedload(review.account),
        )
    ).all()
    items, counts = _items(session, analysis_ids)
    found = findings.of(session, [row[1].id for row in rows])
    return [
        AnalysisView(*row, items[row[0].id], counts[row[0].id], found[row[1].id]) for row in rows
    ]


def object_numbers(session: Session, analysis_ids: Sequence[UUID]) -> dict[AnalysisId, str]:
    """Return the object number of the item that each was written for, by number."""
    found = session.execute(
        select(Standing.analysis_id, Standing.object_number)
        .where(Standing.analysis_id.in_(analysis_ids))
        .order_by(Standing.object_number)
    )
    return {AnalysisId(id_): number for id_, number in found}


def history(session: Session, analysis_id: AnalysisId) -> Sequence[Revision | Review]:
    """Return every wording and every decision, in the order in which they came.

    A decision is always about the wording that was newest, so its wording's number and its
    own say when it came; no clock is asked.

    Raises:
        NotFoundError: there is no such analysis.
    """
    revisions = session.scalars(
        select(Revision).filter_by(analysis_id=analysis_id).options(joinedload(Revision.account))
    ).all()
    if not revisions:
        raise NotFoundError("analysis", analysis_id)
    reviews = session.scalars(
        select(Review)
        .filter_by(analysis_id=analysis_id)
        .options(joinedload(Review.account), joinedload(Review.asked), joinedload(Review.revision))
    )
    return sorted([*revisions, *reviews], key=_place)


def _place(step: Revision | Review) -> tuple[int, int]:
    if isinstance(step, Revision):
        return step.number, 0
    return step.revision.number, step.number


def provenance(view: AnalysisView) -> dict[str, Any]:
    """Return everything that is known of how a text came about, as JSON values."""
    analysis, image, revision = view.analysis, view.image, view.revision
    return {
        "analysis_id": str(analysis.id),
        "kind": view.kind,
        "language": analysis.language,
        "generated_at": stamp(analysis.created_at),
        "notice": view.release.notice,
        "release": {
            **view.release.spec,
            "base_model": view.release.base_model,
            "digest": view.release.digest.hex(),
        },
        "prompt_rendered": analysis.rendered_prompt,
        "generation": {
            "finish_reason": analysis.finish_reason,
            "prompt_tokens": analysis.prompt_tokens,
            "output_tokens": analysis.output_tokens,
            "mean_logprob": analysis.mean_logprob,
            "min_window_logprob": analysis.min_window_logprob,
            "seed": analysis.seed,
            "sample": analysis.sample,
            "batch_size": analysis.batch_size,
            "device": analysis.device,
            "worker": analysis.worker,
            "run_id": str(analysis.lease_token),
            "seconds": analysis.timings,
        },
        "image": {
            "sha256": image.sha256.hex(),
            "size": image.size,
            "format": image.format,
            "width": image.width,
            "height": image.height,
            "preprocessing": image.preprocessing,
            "model_sha256": analysis.model_sha256.hex(),
            "facts": image.facts,
        },
        "metadata_given_to_model": {},
        "raw_text": analysis.text,
        "revision": {
            "id": str(revision.id),
            "number": revision.number,
            "text_sha256": revision.sha256.hex(),
            "written_by": revision.account.display_name if revision.account else None,
            "restores_number": revision.restores_number,
        },
        "review": _review(view),
    }


def _review(view: AnalysisView) -> dict[str, Any]:
    newest = view.review
    if newest is None:
        return {"status": view.state}
    return {
        "status": view.state,
        "reviewer": newest.account.display_name,
        "reviewer_id": str(newest.account.id),
        "decided_at": stamp(newest.created_at),
        "reason": newest.reason,
        "note": newest.note,
    }


def _within(submission_id: SubmissionId) -> Select[Any]:
    """Walk a submission's own items: its analyses may lie anywhere among all others."""
    return (
        select(Item.analysis_id)
        .distinct()
        .join(Standing, Standing.analysis_id == Item.analysis_id)
        .where(Item.submission_id == submission_id)
    )


def _flagged(check: CheckName | None, severity: Severity | None) -> Select[Any]:
    query = select(OpenFinding.analysis_id)
    if check is not None:
        query = query.where(OpenFinding.check_name == check)
    if severity is not None:
        query = query.where(OpenFinding.severity == severity)
    return query


def _newest(table: type[Revision] | type[Review]) -> FromClause:
    return (
        select(table)
        .where(table.analysis_id == Analysis.id)
        .order_by(table.number.desc())
        .limit(1)
        .lateral()
    )


def _items(
    session: Session, analysis_ids: Sequence[UUID]
) -> tuple[dict[UUID, list[Item]], dict[UUID, int]]:
    first = (
        select(Item)
        .where(Item.analysis_id == Analysis.id)
        .order_by(Item.object_number, Item.id)
        .limit(_ITEMS_SHOWN)
        .lateral()
    )
    item = aliased(Item, first)
    shown = defaultdict[UUID, list[Item]](list)
    for analysis_id, one in session.execute(
        select(Analysis.id, item).join(item, true()).where(Analysis.id.in_(analysis_ids))
    ):
        shown[analysis_id].append(one)
    counted = session.execute(
        select(Item.analysis_id, func.count())
        .where(Item.analysis_id.in_(analysis_ids))
        .group_by(Item.analysis_id)
    )
    counts = defaultdict[UUID, int](int, {id_: count for id_, count in counted if id_})
    return shown, counts
