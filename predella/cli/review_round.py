"""``predella review next``: one text after the other, one key for each."""

from uuid import UUID

import typer
from rich.text import Text
from sqlalchemy.orm import Session

from predella import db
from predella.cli import editing, reading
from predella.cli.output import acting, err, out, reaching
from predella.errors import InvalidError, PredellaError, StaleRevisionError
from predella.ids import AnalysisId, CollectionId
from predella.models import Client, Decision, RejectionReason, Review, ReviewState, Revision
from predella.services import analyses, collections, openings, reviews
from predella.services.reviews import Ruling

_KEYS = "a approve, r reject, e amend, s skip, u undo the last decision, q quit"


def run(slug: str | None) -> None:
    """Show the oldest text that needs review, do what the key says, and go on to the next."""
    behind: AnalysisId | None = None
    decided: list[tuple[AnalysisId, AnalysisId | None]] = []
    while shown := _show(slug, behind):
        id_, seen, text = shown
        try:
            match _ask(_KEYS):
                case "a":
                    _decide(Ruling(id_, seen, Decision.APPROVED))
                    decided.append((id_, behind))
                case "r":
                    _decide(Ruling(id_, seen, Decision.REJECTED, _ask_reason()))
                    decided.append((id_, behind))
                case "e":
                    _amend(id_, seen, text)
                case "s":
                    behind = id_
                case "u" if decided:
                    last, behind = decided.pop()
                    with db.transaction() as session:
                        take_back(session, last)
                case "q" | "":
                    return
                case _:
                    err.print("That is none of the keys.")
        except PredellaError as error:
            err.print(Text(str(error), style="bold red"), soft_wrap=True)
    out.print("Nothing more needs review.")


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


def _show(slug: str | None, behind: UUID | None) -> tuple[AnalysisId, int, str] | None:
    with db.transaction() as session:
        reader = reaching(session, "reviews:write", slug=slug)
        within = CollectionId(collections.by_slug(session, slug).id) if slug else None
        found = analyses.listed(
            session,
            within=reader.reach("reviews:write"),
            collection_id=within,
            state=ReviewState.NEEDS_REVIEW,
            after=behind,
            limit=1,
        )
        for view in found:
            openings.note(session, view.revision, account=reader.account)
            out.rule()
            out.print(reading.page(view, analyses.history(session, view.id)))
            return view.id, view.revision.number, view.revision.text
    return None


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
