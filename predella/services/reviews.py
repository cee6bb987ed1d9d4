"""Reviews: what people do with a text. Nothing is overwritten; every step adds a row.

Each function takes the lock on the analysis first and looks second, so that of two people at
once the second sees what the first did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, joinedload

from predella import clock, ids
from predella.checks import CheckName
from predella.errors import (
    AlreadyDecidedError,
    InvalidError,
    NotFoundError,
    NothingToUndoError,
    OpenCheckError,
    PredellaError,
    StaleRevisionError,
)
from predella.formats.text import normalise
from predella.ids import AnalysisId
from predella.models import (
    Account,
    Analysis,
    Client,
    Decision,
    RejectionReason,
    Review,
    Revision,
)
from predella.services import checkups, findings, resampling

MAX_TEXT = 20_000
"""Characters of a wording."""
MAX_NOTE = 2_000
"""Characters of a note."""
MAX_RULINGS = 500
"""Decisions in one call."""
_GAVE_WAY = "the text that it had replaced was taken up again"


@dataclass(frozen=True)
class Ruling:
    """What an account wants decided about the wording that it has read."""

    analysis_id: AnalysisId
    revision_number: int
    decision: Literal[Decision.APPROVED, Decision.REJECTED, Decision.SUPERSEDED]
    reason: RejectionReason | None = None
    note: str | None = None


@dataclass
class _Newest:
    """The newest wording of one locked analysis, and the newest decision on it."""

    revision: Revision
    review: Review | None
    held_by: Sequence[CheckName]
    """Hard checks that it has not passed."""

    def require_open(self) -> None:
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
    wording = _usable(text)
    newest = _locked(session, analysis_id)
    newest.require_open()
    if newest.revision.text == wording:
        return newest.revision
    newest.require_seen(seen)
    return _add_wording(session, newest.revision, wording, account)


def approve(
    session: Session,
    analysis_id: AnalysisId,
    *,
    revision_number: int,
    account: Account,
    client: Client,
    note: str | None = None,
) -> Review:
    """Clear one wording for catalog export.

    The decision binds to this wording and its sha256, so that an export can prove that
    exactly this was approved.

    Raises:
        NotFoundError: there is no such analysis.
        AlreadyDecidedError: it is approved or rejected; undo that first.
        StaleRevisionError: somebody wrote a newer wording than this one.
        InvalidError: there is no text, or the note is longer than 2,000 characters.
        OpenCheckError: a hard check on it is neither mended nor dismissed.
    """
    ruling = Ruling(analysis_id, revision_number, Decision.APPROVED, note=note)
    return _only(decide_many(session, [ruling], account=account, client=client))


def reject(
    session: Session,
    analysis_id: AnalysisId,
    *,
    revision_number: int,
    account: Account,
    client: Client,
    reason: RejectionReason,
    note: str | None = None,
) -> Review:
    """Keep one wording out of every catalog, and say why.

    Raises:
        NotFoundError: there is no such analysis.
        AlreadyDecidedError: it is approved or rejected; undo that first.
        StaleRevisionError: somebody wrote a newer wording than this one.
        InvalidError: the note is longer than 2,000 characters.
    """
    ruling = Ruling(analysis_id, revision_number, Decision.REJECTED, reason, note)
    return _only(decide_many(session, [ruling], account=account, client=client))


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

    One that is forbidden does not hold back the others. Locks are taken in the order of the
    ids, so two such calls never wait for each other in a circle.

    Raises:
        InvalidError: there are more than 500 rulings.
    """
    if len(rulings) > MAX_RULINGS:
        raise InvalidError(f"at most {MAX_RULINGS} decisions at once; these are {len(rulings)}")
    found = _lock(session, {ruling.analysis_id for ruling in rulings})
    results = [_decide(found, ruling, account, client) for ruling in rulings]
    session.add_all(result for result in results if isinstance(result, Review))
    session.flush()
    return results


def undo(
    session: Session, analysis_id: AnalysisId, *, account: Account, client: Client
) -> Review | Revision:
    """Take back the newest step that has not been taken back yet, whoever took it.

    A decision is answered by a review that reopens the analysis, an amendment by a wording
    that restores the one before it. What was given up for a new text stands again: that text
    is not written any more, or gives way in its turn.

    Raises:
        NotFoundError: there is no such analysis.
        NothingToUndoError: it stands as the model wrote it, undecided.
        AlreadyDecidedError: the text that replaced it is decided; undo that first.
        ReplacedError: it gave way to an earlier text.
    """
    newest = _locked(session, analysis_id)
    if newest.review is not None and newest.review.decision is not Decision.REOPENED:
        if newest.review.decision is Decision.SUPERSEDED:
            _stand_again(session, newest.review, account, client)
        review = _new_review(newest, Decision.REOPENED, account, client)
        review.undoes_id = newest.review.id
        session.add(review)
        session.flush()
        return review
    before = _wording_before(session, newest.revision)
    return _add_wording(session, newest.revision, before.text, account, restores=before.number)


def _stand_again(session: Session, given_up: Review, account: Account, client: Client) -> None:
    wish = resampling.held(session, given_up)
    if wish.replaced_by_id is not None:
        newer = _locked(session, AnalysisId(wish.replaced_by_id))
        newer.require_open()
        review = _new_review(newer, Decision.SUPERSEDED, account, client)
        review.reason, review.note = RejectionReason.OTHER, _GAVE_WAY
        session.add(review)
    resampling.take_back(session, wish)


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
        newest.require_worth(ruling.decision)
        newest.require_passed(ruling.decision)
    except PredellaError as error:
        return error
    review = _new_review(newest, ruling.decision, account, client)
    review.reason, review.note = ruling.reason, note
    # A second ruling on the same analysis meets this one.
    newest.review = review
    return review


def _permitted(ruling: Ruling) -> str | None:
    """Return the note as it is stored, if the ruling can be right at all."""
    if (ruling.decision is Decision.APPROVED) != (ruling.reason is None):
        raise InvalidError("a rejection needs a reason, and an approval has none")
    note = normalise(ruling.note or "").strip()
    if len(note) > MAX_NOTE:
        raise InvalidError(f"the note has {len(note):,} characters; at most {MAX_NOTE:,} are kept")
    return note or None


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


def _add_wording(
    session: Session,
    newest: Revision,
    text: str,
    account: Account,
    *,
    restores: int | None = None,
) -> Revision:
    revision = Revision(
        analysis_id=newest.analysis_id,
        number=newest.number + 1,
        text=text,
        sha256=sha256(text.encode()).digest(),
        account=account,
        restores_number=restores,
    )
    session.add(revision)
    session.flush()
    checkups.run(session, [revision.id])
    return revision


def _wording_before(session: Session, newest: Revision) -> Revision:
    """Return the wording that the last amendment still standing replaced.

    A wording that restores another stands for that one, which is never itself a restored
    one: so undoing again goes one amendment further back, and never to and fro.
    """
    stands_for = _stands_for(newest)
    if stands_for == 0:
        raise NothingToUndoError(newest.analysis_id)
    replaced = _numbered(session, newest.analysis_id, stands_for - 1)
    return _numbered(session, newest.analysis_id, _stands_for(replaced))


def _stands_for(revision: Revision) -> int:
    return revision.number if revision.restores_number is None else revision.restores_number


def _numbered(session: Session, analysis_id: UUID, number: int) -> Revision:
    return session.scalars(select(Revision).filter_by(analysis_id=analysis_id, number=number)).one()


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
    reviews = session.scalars(
        select(Review)
        .ext(distinct_on(Review.analysis_id))
        .where(Review.analysis_id.in_(analysis_ids))
        .order_by(Review.analysis_id, Review.number.desc())
        .options(joinedload(Review.account))
    )
    decided = {review.analysis_id: review for review in reviews}
    held = findings.holding(session, analysis_ids)
    revisions = session.scalars(
        select(Revision)
        .ext(distinct_on(Revision.analysis_id))
        .where(Revision.analysis_id.in_(analysis_ids))
        .order_by(Revision.analysis_id, Revision.number.desc())
    )
    return {
        revision.analysis_id: _Newest(
            revision,
            decided.get(revision.analysis_id),
            held.get(revision.analysis_id, ()),
        )
        for revision in revisions
    }


def _only(results: list[Review | PredellaError]) -> Review:
    (result,) = results
    if isinstance(result, PredellaError):
        raise result
    return result


def _usable(text: str) -> str:
    wording = normalise(text)
    if not wording.strip():
        raise InvalidError("the text is empty; to keep it out of the catalog, reject it")
    if len(wording) > MAX_TEXT:
        raise InvalidError(
            f"the text has {len(wording):,} characters; at most {MAX_TEXT:,} are kept"
        )
    return wording
