"""Reviews: what people do with a text. Nothing is overwritten; every step adds a row.

Each function takes the lock on the analysis first and looks second, so that of two people at
once the second sees what the first did.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased, joinedload

from predella import clock, db, ids
from predella.checks import CheckName, Wording
from predella.errors import (
    AlreadyDecidedError,
    InvalidError,
    NotFoundError,
    NotOpenedError,
    OpenCheckError,
    PredellaError,
    SecondApproverError,
    StaleRevisionError,
    TooSoonError,
    WithheldError,
)
from predella.ids import AnalysisId, FindingId, Reach
from predella.models import (
    Account,
    Analysis,
    Client,
    Decision,
    Item,
    RejectionReason,
    Review,
    ReviewState,
    Revision,
    Standing,
)
from predella.services import (
    findings,
    memberships,
    openings,
    places,
    resampling,
    rules,
    sayings,
    webhooks,
    wordings,
)
from predella.services.accounts import Principal
from predella.services.rules import ReviewRules

MAX_RULINGS = 500
"""Decisions in one call."""
MAX_SECONDS_SEEN = 86_400.0
"""A day: a screen left open for longer says nothing about reading."""


SCOPES: Mapping[Decision, str] = {
    Decision.APPROVED: "approvals:write",
    Decision.REJECTED: "reviews:write",
    Decision.SUPERSEDED: "reviews:write",
}
"""What a decision takes, in the collection of the text; taking it back takes the same."""
_GAVE_WAY = "the text that it had replaced was taken up again"


@dataclass(frozen=True)
class Ruling:
    """What an account wants decided about the wording that it has read."""

    analysis_id: AnalysisId
    revision_number: int
    decision: Literal[Decision.APPROVED, Decision.REJECTED, Decision.SUPERSEDED]
    reason: RejectionReason | None = None
    note: str | None = None
    seconds_seen: float | None = None
    """How long the wording had been on screen, where the client knows."""


@dataclass(frozen=True)
class Recent:
    """One decision that an account took, as a reminder."""

    review: Review
    """With its wording."""
    object_number: str
    """Of the object that the text was written for."""
    stands: bool
    """Whether an undo would take back this very decision: nothing came after it that stands."""


@dataclass
class _Newest:
    """The newest wording of one locked analysis, and the newest decision on it."""

    revision: Revision
    review: Review | None
    held_by: Sequence[CheckName]
    """Hard checks that it has not passed."""
    rules: ReviewRules
    """How its collection decides."""
    authors: AbstractSet[UUID]
    """Who wrote the newest wording, and who wrote what it brings back; nobody, if the model."""
    is_withheld: bool
    """Whether the museum closed every object that it speaks for."""
    is_opened: bool = False
    """Whether the account that decides has had it open."""

    def was_last(self, review: Review | None) -> bool:
        """Whether this decision stands, and nothing that came after it does."""
        if review is None or review is not self.review or review.decision is Decision.REOPENED:
            return False
        return wordings.stands_for(self.revision) <= wordings.stands_for(review.revision)

    def require_open(self) -> None:
        if self.is_withheld:
            raise WithheldError(self.revision.analysis_id)
        decided = self.review
        if decided is not None and decided.decision.settles:
            raise AlreadyDecidedError(
                decided.analysis_id,
                decision=decided.decision,
                reviewer=decided.account.display_name,
            )

    def require_seen(self, number: int) -> None:
        if number != self.revision.number:
            raise StaleRevisionError(
                self.revision.analysis_id, seen=number, newest=self.revision.number
            )

    def require_passed(self, decision: Decision) -> None:
        if decision is Decision.APPROVED and self.held_by:
            raise OpenCheckError(self.revision.analysis_id, self.held_by)

    def require_another(self, decision: Decision, account: Account) -> None:
        if (
            decision is Decision.APPROVED
            and self.rules.second_approver
            and account.id in self.authors
        ):
            raise SecondApproverError(self.revision.analysis_id)

    def require_read(self, ruling: Ruling, client: Client) -> None:
        if ruling.decision is not Decision.APPROVED or client is not Client.DESK:
            return
        wait = rules.seconds_to_read(self.revision.text) - (ruling.seconds_seen or 0)
        if self.rules.reading_floor and wait > 0:
            raise TooSoonError(self.revision.analysis_id, wait=wait)

    def require_opened(self, decision: Decision) -> None:
        if decision is Decision.APPROVED and not self.is_opened:
            raise NotOpenedError(self.revision.analysis_id)

    def require_worth(self, decision: Decision) -> None:
        if decision is Decision.APPROVED and not self.revision.text.strip():
            raise InvalidError(
                f"analysis {self.revision.analysis_id}: there is no text to approve; "
                "amend it, or reject it"
            )


def amend(
    session: Session, analysis_id: AnalysisId, *, text: str, account: Account, seen: int
) -> Revision:
    """Return the wording that now is the newest: this text.

    It is normalised first. When the newest wording reads like it already (a second click, an
    answer that got lost), that wording is returned and nothing is written.

    Raises:
        NotFoundError: there is no such analysis.
        InvalidError: the text is empty or longer than 20,000 characters.
        AlreadyDecidedError: it is approved or rejected; undo that first.
        StaleRevisionError: somebody wrote a newer wording than the one ``seen``.
    """
    wording = wordings.usable(text)
    newest = _locked(session, analysis_id)
    newest.require_open()
    if newest.revision.text == wording:
        return newest.revision
    newest.require_seen(seen)
    return _write(session, newest.revision, wording, account)


def delete_sentence(
    session: Session, finding_id: FindingId, *, account: Account, seen: int
) -> Revision:
    """Return the wording that now is the newest: without the sentences that a finding is about.

    Raises:
        NotFoundError: there is no such finding.
        InvalidError: the finding is about the whole text, or nothing would be left of it.
        AlreadyDecidedError: the text is decided; undo that first.
        StaleFindingError: there is a newer wording, or the checks were run again.
        StaleRevisionError: somebody wrote a newer wording than the one ``seen``.
    """
    finding = findings.held(session, finding_id)
    if finding.span_start is None or finding.span_end is None:
        raise InvalidError(
            f"finding {finding_id} is about the whole text; there is no one sentence to delete"
        )
    analysis_id = AnalysisId(finding.analysis_id)
    newest = _locked(session, analysis_id)
    newest.require_seen(seen)
    rest = Wording(newest.revision.text).without((finding.span_start, finding.span_end))
    return amend(session, analysis_id, text=rest, account=account, seen=seen)


def approve(
    session: Session,
    analysis_id: AnalysisId,
    *,
    revision_number: int,
    account: Account,
    client: Client,
    note: str | None = None,
    seconds_seen: float | None = None,
) -> Review:
    """Clear one wording for catalog export.

    The decision binds to this wording and its sha256, so that an export can prove that
    exactly this was approved.

    Raises:
        NotFoundError: there is no such analysis.
        AlreadyDecidedError: it is approved or rejected; undo that first.
        StaleRevisionError: somebody wrote a newer wording than this one.
        InvalidError: there is no text, or the note is longer than 2,000 characters.
        NotOpenedError: at the desk, without having had it open.
        OpenCheckError: a hard check on it is neither mended nor dismissed.
        SecondApproverError: the account wrote it, and the collection wants somebody else.
        TooSoonError: at the desk, it was on screen too briefly to be read.
    """
    ruling = Ruling(
        analysis_id,
        revision_number,
        Decision.APPROVED,
        note=note,
        seconds_seen=seconds_seen,
    )
    return _only(decide_many(session, [ruling], account=account, client=client))


def amend_and_approve(
    session: Session,
    analysis_id: AnalysisId,
    *,
    text: str,
    account: Account,
    seen: int,
    client: Client,
    note: str | None = None,
    seconds_seen: float | None = None,
) -> Review:
    """Write a better wording and clear it for export, or do neither.

    The checks run on the new wording first: what they find in it may forbid both.

    Raises:
        NotFoundError: there is no such analysis.
        AlreadyDecidedError: it is decided; undo that first.
        StaleRevisionError: somebody wrote a newer wording than the one ``seen``.
        InvalidError: the text is empty or longer than 20,000 characters, or the note is
            longer than 2,000.
        OpenCheckError: a hard check on the new wording is neither mended nor dismissed.
        SecondApproverError: the collection wants somebody else to approve it.
        TooSoonError: at the desk, it was on screen too briefly to be read.
    """
    with session.begin_nested():
        wording = amend(session, analysis_id, text=text, account=account, seen=seen)
        return approve(
            session,
            analysis_id,
            revision_number=wording.number,
            account=account,
            client=client,
            note=note,
            seconds_seen=seconds_seen,
        )


def reject(
    session: Session,
    analysis_id: AnalysisId,
    *,
    revision_number: int,
    account: Account,
    client: Client,
    reason: RejectionReason,
    note: str | None = None,
    seconds_seen: float | None = None,
) -> Review:
    """Keep one wording out of every catalog, and say why.

    Raises:
        NotFoundError: there is no such analysis.
        AlreadyDecidedError: it is approved or rejected; undo that first.
        StaleRevisionError: somebody wrote a newer wording than this one.
        InvalidError: the note is longer than 2,000 characters.
    """
    ruling = Ruling(analysis_id, revision_number, Decision.REJECTED, reason, note, seconds_seen)
    return _only(decide_many(session, [ruling], account=account, client=client))


def ask_second(
    session: Session,
    analysis_id: AnalysisId,
    *,
    revision_number: int,
    account: Account,
    client: Client,
    colleague: Account | None,
    note: str | None,
) -> Review:
    """Ask a colleague, or whoever comes, for a second opinion; nothing is settled by it.

    Raises:
        NotFoundError: there is no such analysis.
        AlreadyDecidedError: it is decided; undo that first.
        StaleRevisionError: somebody wrote a newer wording than this one.
        InvalidError: the colleague is who asks, is disabled or may not review, or the note is
            longer than 2,000 characters.
    """
    said = usable_note(note)
    newest = _locked(session, analysis_id)
    if colleague is not None:
        _require_able(session, newest, colleague, account)
    newest.require_open()
    newest.require_seen(revision_number)
    review = _new_review(newest, Decision.NEEDS_SECOND, account, client)
    review.asked, review.note = colleague, said
    session.add(review)
    session.flush()
    return review


def latest(
    session: Session, *, account: Account, within: Reach, limit: int = 10
) -> Sequence[Recent]:
    """Return what an account decided last in these collections, the newest first, undone or not."""
    last = session.scalars(
        select(Review)
        .join(Standing, Standing.analysis_id == Review.analysis_id)
        .where(
            Review.account_id == account.id,
            Review.decision != Decision.REOPENED,
            db.inside(Standing.collection_id, within),
        )
        .order_by(Review.id.desc())
        .limit(limit)
        .options(joinedload(Review.revision))
    ).all()
    analysis_ids = {AnalysisId(review.analysis_id) for review in last}
    newest = _look(session, analysis_ids)
    # By the item that it was written for: what gave way to a new text is shared by none.
    numbers = session.execute(
        select(Analysis.id, Item.object_number)
        .join(Item, Item.id == Analysis.item_id)
        .where(Analysis.id.in_(analysis_ids))
    )
    object_numbers = {row[0]: row[1] for row in numbers}
    return [
        Recent(
            review,
            object_numbers[review.analysis_id],
            stands=newest[review.analysis_id].was_last(review),
        )
        for review in last
    ]


def supersede(
    session: Session,
    analysis_id: AnalysisId,
    *,
    revision_number: int,
    account: Account,
    client: Client,
    reason: RejectionReason,
    note: str | None = None,
) -> Review:
    """Give one wording up for another text, and say why; `regenerations.ask` asks for that.

    Raises:
        NotFoundError: there is no such analysis.
        AlreadyDecidedError: it is decided; undo that first.
        StaleRevisionError: somebody wrote a newer wording than this one.
        InvalidError: the note is longer than 2,000 characters.
    """
    ruling = Ruling(analysis_id, revision_number, Decision.SUPERSEDED, reason, note)
    return _only(decide_many(session, [ruling], account=account, client=client))


def decide_many(
    session: Session, rulings: Sequence[Ruling], *, account: Account, client: Client
) -> list[Review | PredellaError]:
    """Decide on many wordings at once; return, ruling by ruling, the decision or what forbids it.

    One that is forbidden does not hold back the others. Who names a wording to the API or on
    the command line states to have read it; the desk notes itself what it has open. Locks are
    taken in the order of the ids, so two such calls never wait for each other in a circle.

    Raises:
        InvalidError: there are more than 500 rulings.
    """
    if len(rulings) > MAX_RULINGS:
        raise InvalidError(f"at most {MAX_RULINGS} decisions at once; these are {len(rulings)}")
    found = _lock(session, {ruling.analysis_id for ruling in rulings})
    if client is not Client.DESK:
        openings.note(session, *_read(found, rulings), account=account)
    _look_up_openings(session, found, account)
    results = [_decide(found, ruling, account, client) for ruling in rulings]
    session.add_all(result for result in results if isinstance(result, Review))
    session.flush()
    webhooks.ring(session)
    return results


def decide_as(
    session: Session, rulings: Sequence[Ruling], *, principal: Principal, client: Client
) -> list[Review | PredellaError]:
    """Decide on many wordings, each if they may in its collection; else as `decide_many`.

    A text that they may not even see is to them like one that does not exist.
    """
    wanted = [(ruling.analysis_id, SCOPES[ruling.decision]) for ruling in rulings]
    forbidden = places.forbidden(session, principal, wanted)
    allowed = [one for one, why in zip(rulings, forbidden, strict=True) if why is None]
    results = iter(decide_many(session, allowed, account=principal.account, client=client))
    return [why or next(results) for why in forbidden]


def undo(
    session: Session, analysis_id: AnalysisId, *, account: Account, client: Client
) -> Review | Revision:
    """Take back the newest step that has not been taken back yet, whoever took it.

    A decision is answered by a review that reopens the analysis, an amendment by a wording
    that restores the one before it. A second opinion that was asked for before an amendment
    is taken back after it. What was given up for a new text stands again: that text is not
    written any more, or gives way in its turn.

    Raises:
        NotFoundError: there is no such analysis.
        NothingToUndoError: it stands as the model wrote it, undecided.
        AlreadyDecidedError: the text that replaced it is decided; undo that first.
        ReplacedError: it gave way to an earlier text.
    """
    newest = _locked(session, analysis_id)
    if newest.review is not None and newest.was_last(newest.review):
        if newest.review.decision is Decision.SUPERSEDED:
            _stand_again(session, newest.review, account, client)
        review = _new_review(newest, Decision.REOPENED, account, client)
        review.undoes_id = newest.review.id
        session.add(review)
        session.flush()
        webhooks.ring(session)
        return review
    before = wordings.before(session, newest.revision)
    return _write(session, newest.revision, before.text, account, before.number)


def _stand_again(session: Session, given_up: Review, account: Account, client: Client) -> None:
    wish = resampling.held(session, given_up)
    if wish.replaced_by_id is not None:
        newer = _locked(session, AnalysisId(wish.replaced_by_id))
        newer.require_open()
        review = _new_review(newer, Decision.SUPERSEDED, account, client)
        review.reason, review.note = RejectionReason.OTHER, _GAVE_WAY
        session.add(review)
    resampling.take_back(session, wish)


def _read(found: Mapping[UUID, _Newest], rulings: Sequence[Ruling]) -> set[Revision]:
    """Return the newest wordings that somebody wants to approve by their number."""
    return {
        newest.revision
        for ruling in rulings
        if ruling.decision is Decision.APPROVED
        and (newest := found.get(ruling.analysis_id))
        and newest.revision.number == ruling.revision_number
    }


def _look_up_openings(session: Session, found: Mapping[UUID, _Newest], account: Account) -> None:
    wordings = [newest.revision.id for newest in found.values()]
    opened = openings.opened(session, wordings, account=account)
    for newest in found.values():
        newest.is_opened = newest.revision.id in opened


def _decide(
    found: Mapping[UUID, _Newest], ruling: Ruling, account: Account, client: Client
) -> Review | PredellaError:
    try:
        note = _permitted(ruling)
        newest = found.get(ruling.analysis_id)
        if newest is None:
            raise NotFoundError("analysis", ruling.analysis_id)
        newest.require_open()
        newest.require_seen(ruling.revision_number)
        newest.require_opened(ruling.decision)
        newest.require_worth(ruling.decision)
        newest.require_passed(ruling.decision)
        newest.require_another(ruling.decision, account)
        newest.require_read(ruling, client)
    except PredellaError as error:
        return error
    review = _new_review(newest, ruling.decision, account, client)
    review.reason, review.note = ruling.reason, note
    review.seconds_seen = ruling.seconds_seen
    # A second ruling on the same analysis meets this one.
    newest.review = review
    return review


def _permitted(ruling: Ruling) -> str | None:
    """Return the note as it is stored, if the ruling can be right at all."""
    if (ruling.decision is Decision.APPROVED) != (ruling.reason is None):
        raise InvalidError("a rejection needs a reason, and an approval has none")
    if not 0 <= (ruling.seconds_seen or 0) <= MAX_SECONDS_SEEN:
        raise InvalidError(f"the time on screen must be 0 to {MAX_SECONDS_SEEN:,.0f} seconds")
    return usable_note(ruling.note)


def usable_note(note: str | None) -> str | None:
    """Return a note as it is stored; None for an empty one.

    Raises:
        InvalidError: it is longer than 2,000 characters.
    """
    return sayings.kept("note", note or "") or None


def _require_able(session: Session, newest: _Newest, colleague: Account, account: Account) -> None:
    """Go on only if it makes sense to ask this colleague."""
    if colleague.id == account.id:
        raise InvalidError("ask somebody else for a second opinion, or nobody in particular")
    if colleague.disabled_at is not None:
        raise InvalidError(f"the account {colleague.name!r} is disabled")
    for within in places.of(session, "analysis_id", newest.revision.analysis_id):
        if not memberships.may(session, colleague, "reviews:write", within):
            raise InvalidError(
                f"{colleague.name!r} does not review texts of {within.slug!r}; ask a curator there"
            )


def _new_review(newest: _Newest, decision: Decision, account: Account, client: Client) -> Review:
    return Review(
        id=ids.new(),
        created_at=clock.now(),
        analysis_id=newest.revision.analysis_id,
        number=newest.review.number + 1 if newest.review else 1,
        revision_id=newest.revision.id,
        revision_sha256=newest.revision.sha256,
        account=account,
        decision=decision,
        client=client,
    )


def _write(
    session: Session, newest: Revision, text: str, account: Account, restores: int | None = None
) -> Revision:
    """Add a wording of somebody who has it on screen by that."""
    revision = wordings.add(session, newest, text, account, restores=restores)
    openings.note(session, revision, account=account)
    return revision


def _locked(session: Session, analysis_id: AnalysisId) -> _Newest:
    found = _lock(session, {analysis_id})
    if analysis_id not in found:
        raise NotFoundError("analysis", analysis_id)
    return found[analysis_id]


def _lock(session: Session, analysis_ids: set[AnalysisId]) -> dict[UUID, _Newest]:
    """Hold these analyses until the transaction ends, and only then look at them."""
    session.execute(
        select(Analysis.id)
        .where(Analysis.id.in_(analysis_ids))
        .order_by(Analysis.id)
        .with_for_update()
    )
    return _look(session, analysis_ids)


def _look(session: Session, analysis_ids: AbstractSet[AnalysisId]) -> dict[UUID, _Newest]:
    reviews = session.scalars(
        select(Review)
        .ext(distinct_on(Review.analysis_id))
        .where(Review.analysis_id.in_(analysis_ids))
        .order_by(Review.analysis_id, Review.number.desc())
        .options(joinedload(Review.account), joinedload(Review.revision))
    )
    decided = {review.analysis_id: review for review in reviews}
    held = findings.holding(session, analysis_ids)
    chosen = rules.of_analyses(session, analysis_ids)
    withheld = _withheld(session, analysis_ids)
    restored = aliased(Revision)
    rows = session.execute(
        select(Revision, restored.account_id)
        .ext(distinct_on(Revision.analysis_id))
        .outerjoin(
            restored,
            (restored.analysis_id == Revision.analysis_id)
            & (restored.number == Revision.restores_number),
        )
        .where(Revision.analysis_id.in_(analysis_ids))
        .order_by(Revision.analysis_id, Revision.number.desc())
    )
    return {
        revision.analysis_id: _Newest(
            revision,
            decided.get(revision.analysis_id),
            held.get(revision.analysis_id, ()),
            chosen[revision.analysis_id],
            {author for author in (revision.account_id, brought_back) if author},
            revision.analysis_id in withheld,
        )
        for revision, brought_back in rows
    }


def _withheld(session: Session, analysis_ids: AbstractSet[AnalysisId]) -> AbstractSet[UUID]:
    state = ReviewState.WITHHELD
    found = select(Standing.analysis_id).where(Standing.analysis_id.in_(analysis_ids))
    return set(session.scalars(found.where(Standing.state == state)))


def _only(results: list[Review | PredellaError]) -> Review:
    (result,) = results
    if isinstance(result, PredellaError):
        raise result
    return result
