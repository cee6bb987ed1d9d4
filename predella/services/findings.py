"""Findings: what the checks say of a text, and what people say to that.

Who dismisses takes the lock on the analysis first and looks second, as who decides does.
"""

from collections import defaultdict
from collections.abc import Collection as Ids
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased, joinedload

from predella import db
from predella.checks import CHECKS, CheckName, Severity
from predella.errors import (
    AlreadyDecidedError,
    ConflictError,
    InvalidError,
    NotFoundError,
    StaleFindingError,
)
from predella.ids import AnalysisId, CollectionId, FindingId, Reach
from predella.models import (
    Account,
    Analysis,
    Checkup,
    Client,
    Dismissal,
    Finding,
    OpenFinding,
    Review,
    ReviewState,
    Revision,
    Standing,
)
from predella.services import sayings

_ORDER = {check.name: place for place, check in enumerate(CHECKS)}
_LOUDEST = {severity: place for place, severity in enumerate(Severity)}


@dataclass(frozen=True)
class FindingView:
    """One finding, and what was said to it."""

    finding: Finding
    dismissal: Dismissal | None
    """The newest word on it, with who said it."""

    @property
    def is_dismissed(self) -> bool:
        """Whether somebody said that it is no fault, and it stands so."""
        return self.dismissal is not None and self.dismissal.dismissed


@dataclass(frozen=True)
class Count:
    """How many texts a check has something to say of."""

    check: CheckName
    severity: Severity
    analyses: int


def of(session: Session, revision_ids: Ids[UUID]) -> Mapping[UUID, Sequence[FindingView]]:
    """Return what the newest checkup of each of these wordings found, the loudest first."""
    last = (
        select(Checkup.id, Checkup.revision_id)
        .ext(distinct_on(Checkup.revision_id))
        .where(Checkup.revision_id.in_(revision_ids))
        .order_by(Checkup.revision_id, Checkup.number.desc())
        .subquery()
    )
    rows = session.execute(
        select(last.c.revision_id, Finding).join(Finding, Finding.checkup_id == last.c.id)
    ).all()
    said = _said(session, {finding.analysis_id for _, finding in rows})
    found = defaultdict[UUID, list[FindingView]](list)
    for revision_id, finding in sorted(rows, key=lambda row: _place(row[1])):
        answer = said.get((finding.analysis_id, finding.fingerprint))
        found[revision_id].append(FindingView(finding, answer))
    return found


def get(session: Session, finding_id: FindingId) -> FindingView:
    """Return one finding, and the newest word on it.

    Raises:
        NotFoundError: there is none.
    """
    finding = session.get(Finding, finding_id)
    if finding is None:
        raise NotFoundError("finding", finding_id)
    said = _said(session, {finding.analysis_id})
    return FindingView(finding, said.get((finding.analysis_id, finding.fingerprint)))


def dismiss(
    session: Session, finding_id: FindingId, *, reason: str, account: Account, client: Client
) -> Dismissal:
    """Say that a finding is no fault, and why; it holds as long as its sentence stands.

    Said twice it is said once: the first dismissal is returned.

    Raises:
        NotFoundError: there is no such finding.
        InvalidError: the reason is empty or longer than 2,000 characters.
        AlreadyDecidedError: the text is approved or rejected; undo that first.
        StaleFindingError: there is a newer wording, or the checks were run again.
    """
    why = _usable(reason)
    finding, newest = _locked(session, finding_id)
    if newest is not None and newest.dismissed:
        return newest
    return _say(session, finding, account=account, client=client, reason=why)


def withdraw(
    session: Session, finding_id: FindingId, *, account: Account, client: Client
) -> Dismissal:
    """Take a dismissal back, whoever gave it: the finding is open again.

    Raises:
        NotFoundError: there is no such finding.
        ConflictError: it is not dismissed.
        AlreadyDecidedError: the text is approved or rejected; undo that first.
        StaleFindingError: there is a newer wording, or the checks were run again.
    """
    finding, newest = _locked(session, finding_id)
    if newest is None or not newest.dismissed:
        raise ConflictError(f"finding {finding_id} is not dismissed")
    return _say(session, finding, account=account, client=client, reason=None)


def held(session: Session, finding_id: FindingId) -> Finding:
    """Return a finding that still counts; its analysis stands so until the transaction ends.

    Raises:
        NotFoundError: there is no such finding.
        AlreadyDecidedError: the text is approved or rejected; undo that first.
        StaleFindingError: there is a newer wording, or the checks were run again.
    """
    return _locked(session, finding_id)[0]


def counts(
    session: Session,
    *,
    within: Reach,
    collection_id: CollectionId | None = None,
    state: ReviewState | None = None,
) -> list[Count]:
    """Return of how many texts each check has something open to say, in the order of checks."""
    query = select(
        OpenFinding.check_name,
        OpenFinding.severity,
        func.count(OpenFinding.analysis_id.distinct()),
    ).group_by(OpenFinding.check_name, OpenFinding.severity)
    query = query.where(db.inside(OpenFinding.collection_id, within))
    if collection_id is not None:
        query = query.where(OpenFinding.collection_id == collection_id)
    if state is not None:
        query = query.join(Standing, Standing.analysis_id == OpenFinding.analysis_id)
        query = query.where(Standing.state == state)
    rows = session.execute(query).all()
    return sorted(
        (Count(*row) for row in rows), key=lambda one: (_ORDER[one.check], _LOUDEST[one.severity])
    )


def holding(session: Session, analysis_ids: Ids[UUID]) -> Mapping[UUID, Sequence[CheckName]]:
    """Return, by analysis, the checks that forbid its approval."""
    rows = session.execute(
        select(OpenFinding.analysis_id, OpenFinding.check_name)
        .distinct()
        .where(OpenFinding.analysis_id.in_(analysis_ids), OpenFinding.severity == Severity.HARD)
        .order_by(OpenFinding.check_name)
    )
    found = defaultdict[UUID, list[CheckName]](list)
    for analysis_id, check in rows:
        found[analysis_id].append(check)
    return found


def _said(session: Session, analysis_ids: Ids[UUID]) -> dict[tuple[UUID, bytes], Dismissal]:
    rows = session.scalars(
        select(Dismissal)
        .ext(distinct_on(Dismissal.analysis_id, Dismissal.fingerprint))
        .where(Dismissal.analysis_id.in_(analysis_ids))
        .order_by(Dismissal.analysis_id, Dismissal.fingerprint, Dismissal.number.desc())
        .options(joinedload(Dismissal.account))
    )
    return {(row.analysis_id, row.fingerprint): row for row in rows}


def _place(finding: Finding) -> tuple[int, int, int]:
    return _LOUDEST[finding.severity], _ORDER[finding.check_name], finding.span_start or 0


def _usable(reason: str) -> str:
    said = sayings.kept("reason", reason)
    if not said:
        raise InvalidError("say why the finding is no fault; others will want to know")
    return said


def _locked(session: Session, finding_id: FindingId) -> tuple[Finding, Dismissal | None]:
    """Hold the analysis of a finding that still counts; return it with the newest word on it."""
    finding = get(session, finding_id).finding
    session.get(Analysis, finding.analysis_id, with_for_update=True)
    _require_undecided(session, finding.analysis_id)
    _require_newest(session, finding)
    newest = select(Dismissal).filter_by(
        analysis_id=finding.analysis_id, fingerprint=finding.fingerprint
    )
    return finding, session.scalar(newest.order_by(Dismissal.number.desc()).limit(1))


def _require_undecided(session: Session, analysis_id: UUID) -> None:
    newest = select(Review).filter_by(analysis_id=analysis_id).options(joinedload(Review.account))
    review = session.scalar(newest.order_by(Review.number.desc()).limit(1))
    if review is not None and review.decision.settles:
        raise AlreadyDecidedError(
            analysis_id, decision=review.decision, reviewer=review.account.display_name
        )


def _require_newest(session: Session, finding: Finding) -> None:
    checkup, revision = aliased(Checkup), aliased(Revision)
    newest = session.scalar(
        select(checkup.id)
        .join(revision, revision.id == checkup.revision_id)
        .where(revision.analysis_id == finding.analysis_id)
        .order_by(revision.number.desc(), checkup.number.desc())
        .limit(1)
    )
    if newest != finding.checkup_id:
        raise StaleFindingError(AnalysisId(finding.analysis_id), FindingId(finding.id))


def _say(
    session: Session,
    finding: Finding,
    *,
    account: Account,
    client: Client,
    reason: str | None,
) -> Dismissal:
    last = select(func.max(Dismissal.number)).filter_by(analysis_id=finding.analysis_id)
    dismissal = Dismissal(
        analysis_id=finding.analysis_id,
        number=(session.scalar(last) or 0) + 1,
        finding_id=finding.id,
        fingerprint=finding.fingerprint,
        account=account,
        dismissed=reason is not None,
        reason=reason,
        client=client,
    )
    session.add(dismissal)
    session.flush()
    return dismissal
