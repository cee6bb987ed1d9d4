"""``predella review next``: one text after the other, one key for each."""

import typer
from rich.text import Text
from sqlalchemy.orm import Session

from predella import db
from predella.cli import editing, reading
from predella.cli.output import acting, err, out, reaching
from predella.errors import InvalidError, PredellaError, StaleRevisionError
from predella.ids import AnalysisId
from predella.models import Client, Decision, RejectionReason, Review, ReviewState, Revision
from predella.services import analyses, claims, openings, reviews, searches
from predella.services.reviews import Ruling
from predella.services.searches import Order

_KEYS = "a approve, r reject, e amend, s skip, u undo the last decision, q quit"


def run(query: str, order: Order) -> None:
    """Show the first open text of a query that nobody else reads, do what the key says, go on."""
    decided: list[AnalysisId] = []
    while shown := _show(query, order):
        id_, seen, text = shown
        try:
            match _ask(_KEYS):
                case "a":
                    _decide(Ruling(id_, seen, Decision.APPROVED))
                    decided.append(id_)
                case "r":
                    _decide(Ruling(id_, seen, Decision.REJECTED, _ask_reason()))
                    decided.append(id_)
                case "e":
                    _amend(id_, seen, text)
                case "s":
                    _skip(id_)
                case "u" if decided:
                    _take_back(decided[-1], instead_of=id_)
                    decided.pop()
                case "q" | "":
                    _release(id_)
                    return
                case _:
                    err.print("That is none of the keys.")
        except PredellaError as error:
            err.print(Text(str(error), style="bold red"), soft_wrap=True)
    out.print("Nothing more of this is to be decided.")


def take_back(
    session: Session, analysis_id: AnalysisId, seen: int | None = None
) -> Review | Revision:
    """Undo the newest step; what only an approver may do, only an approver may undo.

    Raises:
        StaleRevisionError: there is a newer wording than the one ``seen``.
    """
    acting(session, "reviews:write", analysis_id=analysis_id)
    view = analyses.get(session, analysis_id, lock=True)
    if seen is not None and seen != view.revision.number:
        raise StaleRevisionError(analysis_id, seen=seen, newest=view.revision.number)
    scope = "approvals:write" if view.state is ReviewState.APPROVED else "reviews:write"
    account = acting(session, scope, analysis_id=analysis_id).account
    return reviews.undo(session, analysis_id, account=account, client=Client.CLI)


def _show(query: str, order: Order) -> tuple[AnalysisId, int, str] | None:
    """Show the text in hand, or else the next one, and hold it for ten minutes."""
    with db.transaction() as session:
        principal = reaching(session, "reviews:write")
        reader, reach = principal.account, principal.reach("reviews:write")
        search = searches.parse(session, query, account=reader, within=reach)
        taken = claims.take(session, search, account=reader, order=order, limit=1)
        for view in analyses.views(session, taken):
            openings.note(session, view.revision, account=reader)
            out.rule()
            out.print(reading.page(view, analyses.history(session, view.id)))
            return view.id, view.revision.number, view.revision.text
    return None


def _skip(analysis_id: AnalysisId) -> None:
    with db.transaction() as session:
        claims.skip(session, analysis_id, account=acting(session, "reviews:write").account)


def _release(analysis_id: AnalysisId) -> None:
    with db.transaction() as session:
        claims.release(session, [analysis_id], account=acting(session, "reviews:write").account)


def _take_back(analysis_id: AnalysisId, *, instead_of: AnalysisId) -> None:
    """Undo a decision, and take that text in hand again."""
    with db.transaction() as session:
        take_back(session, analysis_id)
        account = acting(session, "reviews:write").account
        claims.release(session, [instead_of], account=account)
        claims.hold(session, analysis_id, account=account)


def _ask(question: str) -> str:
    """Return the key that was pressed; nothing when there is nobody to press one."""
    try:
        answer: str = typer.prompt(question)
    except typer.Abort:
        return ""
    return answer.strip().lower()[:1]


def _ask_reason() -> RejectionReason:
    reasons = list(RejectionReason)
    choices = "  ".join(f"{place} {reason}" for place, reason in enumerate(reasons, start=1))
    answer = _ask(choices)
    if answer not in {str(place) for place in range(1, len(reasons) + 1)}:
        raise InvalidError("that is none of the reasons; nothing was decided")
    return reasons[int(answer) - 1]


def _decide(ruling: Ruling) -> None:
    with db.transaction() as session:
        principal = reaching(session, reviews.SCOPES[ruling.decision])
        (result,) = reviews.decide_as(session, [ruling], principal=principal, client=Client.CLI)
        if isinstance(result, PredellaError):
            raise result


def _amend(analysis_id: AnalysisId, seen: int, text: str) -> None:
    changed = editing.edited(text)
    with editing.kept_when_refused(changed), db.transaction() as session:
        account = acting(session, "reviews:write", analysis_id=analysis_id).account
        reviews.amend(session, analysis_id, text=changed, account=account, seen=seen)
