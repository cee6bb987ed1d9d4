"""``predella review``: read texts, amend them, decide on them, and take it back."""

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

import typer
from rich.text import Text
from sqlalchemy.orm import Session

from predella import db
from predella.checks import CheckName, Severity
from predella.cli import editing, reading, review_bulk, review_round
from predella.cli.output import Exit, acting, err, out, print_json, print_json_lines, reaching
from predella.errors import ConflictError, InvalidError, PredellaError
from predella.ids import AnalysisId, CollectionId, FindingId, SubmissionId
from predella.models import (
    Client,
    Decision,
    RejectionReason,
    Review,
    ReviewState,
)
from predella.services import (
    accounts,
    analyses,
    collections,
    findings,
    openings,
    regenerations,
    remarks,
    reviews,
    wordings,
)
from predella.services.reviews import Ruling
from predella.services.searches import Order

app = typer.Typer(help="Read texts, amend them, approve or reject them.", no_args_is_help=True)
app.command("bulk")(review_bulk.bulk)
app.command("revert")(review_bulk.revert)

One = Annotated[
    str, typer.Argument(metavar="ID", help="The analysis; ID@N if its wording is still N.")
]
Many = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...", help="Analyses; ID@N if the wording is still N; - reads them from stdin."
    ),
]
InCollection = Annotated[
    str | None, typer.Option("--collection", help="A collection's slug.", show_default=False)
]
Note = Annotated[str | None, typer.Option(help="What others should know.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Reading = tuple[AnalysisId, int | None]
"""An analysis, and the number of the wording that was read, where it was told."""


@app.command("list")
def list_(
    *,
    collection: InCollection = None,
    submission: Annotated[
        UUID | None, typer.Option(help="A submission's id.", show_default=False)
    ] = None,
    state: Annotated[
        ReviewState | None, typer.Option(help="Only those that stand so.", show_default=False)
    ] = None,
    check: Annotated[
        CheckName | None,
        typer.Option(help="Only those that this check has something to say of."),
    ] = None,
    severity: Annotated[
        Severity | None, typer.Option(help="Only those with such a finding open.")
    ] = None,
    after: Annotated[
        UUID | None, typer.Option(help="Go on behind this analysis.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="JSON Lines on stdout.")] = False,
) -> None:
    """List texts in the order in which they were written."""
    with db.transaction() as session:
        reader = reaching(session, "collections:read", slug=collection, submission_id=submission)
        found = analyses.listed(
            session,
            within=reader.reach("collections:read"),
            collection_id=CollectionId(collections.by_slug(session, collection).id)
            if collection
            else None,
            submission_id=SubmissionId(submission) if submission else None,
            state=state,
            check=check,
            severity=severity,
            after=after,
            limit=limit,
        )
        if json:
            print_json_lines(map(reading.row, found))
        else:
            out.print(reading.table(found))


@app.command()
def show(
    analysis: Annotated[
        str, typer.Argument(metavar="ID", help="The analysis; with @N it is the same.")
    ],
    *,
    provenance: Annotated[
        bool, typer.Option("--provenance", help="All that is known of how it came about.")
    ] = False,
    json: Json = False,
) -> None:
    """Show one text, what was changed in it, and who decided what."""
    with db.transaction() as session:
        id_, _ = _named(analysis)
        reader = acting(session, "collections:read", analysis_id=id_).account
        view = analyses.get(session, id_)
        openings.note(session, view.revision, account=reader)
        history = analyses.history(session, view.id)
        if provenance:
            print_json(analyses.provenance(view))
        elif json:
            print_json(reading.row(view) | {"history": [reading.step(step) for step in history]})
        else:
            out.print(reading.page(view, history))


@app.command()
def amend(
    analysis: One,
    *,
    file: Annotated[
        str | None,
        typer.Option(help="The new text; - is stdin; without it, an editor.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Write a better wording. Nothing is approved by that."""
    id_, seen = _named(analysis)
    with db.transaction() as session:
        acting(session, "reviews:write", analysis_id=id_)
        newest = analyses.get(session, id_).revision
        seen, before = newest.number if seen is None else seen, newest.text
    text = editing.edited(before) if file is None else editing.read(file)
    with editing.kept_when_refused(text), db.transaction() as session:
        account = acting(session, "reviews:write", analysis_id=id_).account
        revision = reviews.amend(session, id_, text=text, account=account, seen=seen)
        row = {"id": id_, "revision": revision.number, "text": revision.text}
    if json:
        print_json(row)
    else:
        out.print(f"{id_}@{row['revision']} is the newest wording; it needs review.")


@app.command()
def approve(wordings: Many, *, note: Note = None, json: Json = False) -> None:
    """Clear wordings for catalog export. Read them first: your name goes with them."""
    _decide(wordings, Decision.APPROVED, note=note, json=json)


@app.command()
def reject(
    wordings: Many,
    *,
    reason: Annotated[RejectionReason, typer.Option(help="Why.")],
    note: Note = None,
    json: Json = False,
) -> None:
    """Keep wordings out of every catalog, and say why."""
    _decide(wordings, Decision.REJECTED, reason=reason, note=note, json=json)


@app.command()
def regenerate(
    analysis: One,
    *,
    reason: Annotated[RejectionReason, typer.Option(help="Why this text is given up.")],
    note: Note = None,
    without: Annotated[
        list[CheckName] | None,
        typer.Option(help="A check: leave sentences out of the new text on which it speaks."),
    ] = None,
    json: Json = False,
) -> None:
    """Give a text up, and have the model write a new one, which then needs review."""
    id_, seen = _named(analysis)
    with db.transaction() as session:
        account = acting(session, "reviews:write", analysis_id=id_).account
        newest = analyses.get(session, id_).revision.number
        review = regenerations.ask(
            session,
            id_,
            revision_number=newest if seen is None else seen,
            account=account,
            client=Client.CLI,
            reason=reason,
            note=note,
            without=without or (),
        )
        row = {"id": id_, "decision": review.decision, "review": review.id}
    if json:
        print_json(row)
    else:
        out.print(f"{id_} is superseded; a new text is asked for, and will need review.")


@app.command()
def undo(analysis: One, *, json: Json = False) -> None:
    """Take back the newest step that stands: a decision, or else an amendment."""
    id_, seen = _named(analysis)
    with db.transaction() as session:
        row = {"id": id_, **reading.step(review_round.take_back(session, id_, seen))}
    if json:
        print_json(row)
    elif "decision" in row:
        out.print(f"{id_} needs review again.")
    else:
        out.print(f"{id_}@{row['wording']} brings back wording {row['restores']}.")


@app.command()
def dismiss(
    finding: Annotated[UUID, typer.Argument(help="The finding, as `show` names it.")],
    *,
    reason: Annotated[
        str | None, typer.Option(help="Why it is no fault.", show_default=False)
    ] = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take a dismissal back instead.")
    ] = False,
    json: Json = False,
) -> None:
    """Say that what a check found is no fault, and why."""
    id_ = FindingId(finding)
    with db.transaction() as session:
        account = acting(session, "reviews:write", finding_id=id_).account
        if withdraw:
            said = findings.withdraw(session, id_, account=account, client=Client.CLI)
        else:
            said = findings.dismiss(
                session, id_, reason=reason or "", account=account, client=Client.CLI
            )
        row = {"finding": id_, "dismissed": said.dismissed, "reason": said.reason}
    if json:
        print_json(row)
    else:
        out.print(f"{id_} is {'dismissed' if row['dismissed'] else 'open again'}.")


@app.command()
def ask(
    analysis: One,
    *,
    colleague: Annotated[
        str | None,
        typer.Option("--of", help="An account's name; whoever comes without it."),
    ] = None,
    note: Note = None,
    json: Json = False,
) -> None:
    """Ask for a second opinion. Nothing is settled by that."""
    id_, seen = _named(analysis)
    with db.transaction() as session:
        account = acting(session, "reviews:write", analysis_id=id_).account
        newest = analyses.get(session, id_).revision.number
        asked = reviews.ask_second(
            session,
            id_,
            revision_number=newest if seen is None else seen,
            account=account,
            client=Client.CLI,
            colleague=accounts.by_name(session, colleague) if colleague else None,
            note=note,
        )
        row = {"id": id_, "review": asked.id, "asked": colleague, "note": asked.note}
    if json:
        print_json(row)
    else:
        out.print(f"{id_} waits for {colleague or 'a second opinion'}.", highlight=False)


@app.command()
def comment(
    analysis: One,
    text: Annotated[
        str | None, typer.Argument(help="What to say; without it, what was said is shown.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Say something about a text for the others to read, or read what they said."""
    id_, _ = _named(analysis)
    with db.transaction() as session:
        scope = "collections:read" if text is None else "reviews:write"
        principal = acting(session, scope, analysis_id=id_)
        if text is not None:
            remarks.add(session, id_, text=text, account=principal.account)
        rows = [reading.remark(one) for one in remarks.of(session, id_)]
    if json:
        print_json(rows)
    else:
        for row in rows:
            out.print(Text(f"{row['at']:%Y-%m-%d %H:%M}  {row['by']}: {row['text']}"))


@app.command("diff")
def show_diff(
    analysis: One,
    *,
    since: Annotated[
        int, typer.Option(min=0, help="The earlier wording; 0 is the model's own.")
    ] = 0,
    json: Json = False,
) -> None:
    """Show, word by word, what became of an earlier wording."""
    id_, number = _named(analysis)
    with db.transaction() as session:
        acting(session, "collections:read", analysis_id=id_)
        last = analyses.get(session, id_).revision.number if number is None else number
        old, new = (wordings.numbered(session, id_, each) for each in (since, last))
        row = reading.difference(old, new)
        shown = reading.changes(old.text, new.text)
    if json:
        print_json(row)
    else:
        out.print(shown)


@app.command("next")
def next_(
    *,
    query: Annotated[
        str,
        typer.Option(
            help='Only what it finds, as in "collection:sk check:date".', show_default=False
        ),
    ] = "",
    order: Annotated[Order, typer.Option(help="What comes first.")] = Order.RISK,
) -> None:
    """Read, one by one, what nobody else has in hand, and decide with one key."""
    review_round.run(query, order)


def _named(word: str) -> Reading:
    """Read ``ID`` or ``ID@N``.

    Raises:
        InvalidError: it is neither.
    """
    id_, at, number = word.strip().partition("@")
    try:
        return AnalysisId(UUID(id_)), int(number) if at else None
    except ValueError as error:
        raise InvalidError(f"{word!r} is no analysis; write ID, or ID@N for wording N") from error


def _all_named(words: Sequence[str]) -> Iterator[Reading]:
    for word in words:
        lines = sys.stdin if word == "-" else [word]
        yield from (_named(line) for line in lines if line.strip())


def _decide(
    words: Sequence[str],
    decision: Literal[Decision.APPROVED, Decision.REJECTED],
    *,
    reason: RejectionReason | None = None,
    note: str | None,
    json: bool,
) -> None:
    """Decide, 500 at a time; what is refused does not hold back the rest."""
    readings = list(_all_named(words))
    rows: list[dict[str, Any]] = []
    refused: list[PredellaError] = []
    for start in range(0, len(readings), reviews.MAX_RULINGS):
        some = readings[start : start + reviews.MAX_RULINGS]
        with db.transaction() as session:
            principal = reaching(session, reviews.SCOPES[decision])
            rulings = _rulings(session, some, decision, reason, note)
            results = reviews.decide_as(session, rulings, principal=principal, client=Client.CLI)
            rows += map(_row, rulings, results)
        refused += [result for result in results if isinstance(result, PredellaError)]
    if json:
        print_json(rows)
    else:
        _tell(rows)
    raise typer.Exit(_code(len(rows), refused))


def _rulings(
    session: Session,
    some: Sequence[Reading],
    decision: Literal[Decision.APPROVED, Decision.REJECTED],
    reason: RejectionReason | None,
    note: str | None,
) -> list[Ruling]:
    views = analyses.views(session, [id_ for id_, number in some if number is None])
    newest = {view.id: view.revision.number for view in views}
    return [
        Ruling(id_, newest.get(id_, 0) if number is None else number, decision, reason, note)
        for id_, number in some
    ]


def _row(ruling: Ruling, result: Review | PredellaError) -> dict[str, Any]:
    row = {"id": ruling.analysis_id, "revision": ruling.revision_number}
    if isinstance(result, Review):
        return row | {"decision": result.decision, "review": result.id}
    return row | {"error": str(result)}


def _tell(rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        if "error" in row:
            err.print(Text(row["error"], style="bold red"), soft_wrap=True)
        else:
            out.print(f"{row['id']}@{row['revision']} {row['decision']}", highlight=False)


def _code(total: int, refused: Sequence[PredellaError]) -> Exit:
    if not refused:
        return Exit.OK
    if len(refused) < total:
        return Exit.PARTIAL
    stale = all(isinstance(error, ConflictError) for error in refused)
    return Exit.CONFLICT if stale else Exit.FAILURE
