"""What became of a hand-in, of each of its rows and of each of its images, in words."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import chain, islice
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from predella.cli.output import err, out
from predella.formats import csv_file
from predella.formats.text import normalise
from predella.models import Item, ItemState, Refusal, Sensitivity, Stage, SubmissionState
from predella.services.items import Failure, Progress
from predella.services.reports import Refused, Report
from predella.services.runs import Outlook

COLUMNS = ("row", "object_number", "filename", "fate", "code", "reason", "item_id", "analysis_id")
_SHOWN = ("row", "object_number", "filename", "fate", "reason")
_ON_A_PAGE = 200
_LONG = 120
"""Minutes; more is told in hours."""
_UNDER_WAY = {
    (Stage.PREPARE, ItemState.WAITING): "waits to be prepared",
    (Stage.PREPARE, ItemState.LEASED): "is being prepared",
    (Stage.ANALYZE, ItemState.WAITING): "waits to be analyzed",
    (Stage.ANALYZE, ItemState.LEASED): "is being analyzed",
}
_KEPT_BACK = {
    ItemState.HELD: "it waits behind a preview; see `predella submission release`",
    ItemState.WITHDRAWN: "its submission was withdrawn; see `predella submission restore`",
}


def of_item(item: Item) -> dict[str, Any]:
    """Return what became of one image."""
    code, reason = _reason(item)
    return {
        "row": item.row_number,
        "object_number": item.object_number,
        "filename": item.key,
        "fate": _fate(item),
        "code": code,
        "reason": reason,
        "item_id": item.id,
        "analysis_id": item.analysis_id,
    }


def of_refusal(refusal: Refusal) -> dict[str, Any]:
    """Return what became of one row that was not accepted."""
    return dict.fromkeys(COLUMNS) | {
        "row": refusal.row_number or None,
        "object_number": refusal.object_number,
        "filename": refusal.filename,
        "fate": "refused" if refusal.row_number else "not named",
        "code": refusal.code,
        "reason": refusal.sentence,
    }


def _fate(item: Item) -> str:
    if item.state is ItemState.DONE:
        return "analyzed" if item.analysis_id else "kept as a further view"
    return _UNDER_WAY.get((item.stage, item.state), item.state.value)


def _reason(item: Item) -> tuple[str | None, str | None]:
    if item.state in _KEPT_BACK:
        return item.state.value, _KEPT_BACK[item.state]
    if item.state is not ItemState.WITHHELD:
        return item.error_code, item.error
    if item.sensitivity is Sensitivity.RESTRICTED:
        return "restricted", "the manifest says that the object is restricted"
    if not item.ai_processing:
        return "ai_processing", "the manifest says that no model may see it"
    return "closed", "the museum has closed the object since; see `predella object gates`"


def print_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows for people, aligned page by page as they come: there may be a million."""
    titles = dict(zip(_SHOWN, ("row", "object", "file", "fate", "why"), strict=True))
    lines = chain([titles], rows)
    while page := [
        [_on_one_line(row[name]) for name in _SHOWN] for row in islice(lines, _ON_A_PAGE)
    ]:
        widths = [max(map(cell_len, column)) for column in zip(*page, strict=True)]
        for cells in page:
            padded = map(set_cell_size, cells[:-1], widths)
            sys.stdout.write("  ".join((*padded, cells[-1])).rstrip() + "\n")


def _on_one_line(value: object) -> str:
    """Return a value without anything that a terminal would obey."""
    return "" if value is None else normalise(str(value)).replace("\n", " ")


def print_csv(rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV that no spreadsheet takes for formulas, as they come."""
    sys.stdout.write(csv_file.row(COLUMNS).decode())
    for row in rows:
        sys.stdout.write(csv_file.row(row[column] for column in COLUMNS).decode())


def report_json(report: Report) -> dict[str, Any]:
    """Return a report as one JSON document shows it."""
    return asdict(report) | {"partial": report.partial}


def progress_json(progress: Progress, failures: Iterable[Failure]) -> dict[str, Any]:
    """Return how far the items have come as one JSON document shows it."""
    return asdict(progress) | {
        "total": progress.total,
        "failures": [asdict(failure) for failure in failures],
    }


def print_report(report: Report, *, tried_only: bool = False) -> None:
    """Say what became, or would become, of the rows of a hand-in."""
    if report.state is SubmissionState.REFUSED:
        err.print(Text(f"Refused: {report.refusal}", style="red"), soft_wrap=True)
    elif report.same_as_id and report.same_as_at:
        day = report.same_as_at.date().isoformat()
        _say(f"Handed in before on {day} as {report.same_as_id}; nothing new.")
        return
    else:
        out.print(_report_table(report))
    if report.analysis_seconds is not None:
        _say(f"The model needs {about(report.analysis_seconds)}, at the rate measured last.")
    if tried_only:
        _say("This was a dry run: nothing was handed in.")
        return
    _say(f"This is submission {report.submission_id}.")
    if report.held:
        _say(f"When you have looked: predella submission release {report.submission_id}")
    if report.refused or report.files_without_row:
        _say(f"Every refused row: predella status {report.submission_id} --refused")


def _say(line: str) -> None:
    """Write a line as it is: somebody may copy a command from it."""
    out.print(line, highlight=False, soft_wrap=True, markup=False)


def print_progress(progress: Progress, failures: Iterable[Failure]) -> None:
    """Say what became of the items so far."""
    table = Table("items", "", "", box=None, pad_edge=False, show_header=False)
    for name, count in (
        ("analyzed", progress.analyzed),
        ("kept as further views", progress.kept),
        ("withheld by the museum", progress.withheld),
        ("held behind the preview", progress.held),
        ("withdrawn", progress.withdrawn),
        ("to be prepared", progress.preparing),
        ("to be analyzed", progress.analyzing),
    ):
        if count:
            table.add_row(f"{count:,}", name, "")
    for failure in failures:
        table.add_row(
            f"{failure.count:,}",
            Text(f"failed: {failure.code}", style="red"),
            Text(f"for example: {failure.example}"),
        )
    out.print(table)


def print_outlook(outlook: Outlook) -> None:
    """Say how fast model workers are, and how long it will be, where there is anything to say."""
    if not (outlook.workers or outlook.images_left):
        return
    workers = "1 model worker" if outlook.workers == 1 else f"{outlook.workers} model workers"
    pace = f"{workers} at work: {outlook.images_per_second:.1f} images/s"
    images = "1 image" if outlook.images_left == 1 else f"{outlook.images_left:,} images"
    time = "" if outlook.seconds_left is None else f", {about(outlook.seconds_left)}"
    _say(
        f"{pace if outlook.workers else 'No model worker at work'}; {images} left to analyze{time}."
    )


def about(seconds: float) -> str:
    """Return roughly how long something will take."""
    minutes = seconds / 60
    if minutes < 1:
        return "less than 1 min"
    return f"{minutes:.0f} min" if minutes < _LONG else f"{minutes / 60:.1f} h"


def _report_table(report: Report) -> Table:
    table = Table("rows", "", "", box=None, pad_edge=False, show_header=False)
    table.add_row(f"{report.rows_read:,}", "read", "")
    table.add_row(f"{report.accepted:,}", Text("accepted", style="green"), _kept_back(report))
    for group in report.refused:
        style = "dim" if group.harmless else "red"
        table.add_row(f"{group.count:,}", Text(f"refused: {group.code}", style=style), _why(group))
    if report.files_without_row:
        table.add_row(f"{report.files_without_row:,}", "pictures that no row names", "")
    return table


def _kept_back(report: Report) -> str:
    """Say what of the accepted is kept back, and why."""
    reasons = {
        "withheld": report.withheld,
        "held": report.held,
        "without known rights": report.rights_unknown,
    }
    told = [f"{count:,} {reason}" for reason, count in reasons.items() if count]
    return f"of them {'; '.join(told)}" if told else ""


def _why(group: Refused) -> Text:
    shown = group.examples[:1] if group.harmless else group.examples
    return Text("\n".join(f"row {each.row_number}: {each.sentence}" for each in shown))
