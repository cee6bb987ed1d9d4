"""``python -m tests.bench``: items per second of every stage; or what reviews, or files, cost."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import desk, exporting, headers, review, writers
from tests.bench.exporting import Export
from tests.bench.headers import Looks
from tests.bench.journey import Findings, travel
from tests.bench.review import Figures
from tests.bench.writers import Speed

_MEGABYTE = 1_000_000


def main() -> int:
    """Print what the journey took; 1 when anything was lost, doubled or invalid."""
    options = _options()
    if options.review or options.desk:
        bench, count = (review, options.review) if options.review else (desk, options.desk)
        figures = bench.measure(count, report=Console(stderr=True).print)
        _keep(options.json, asdict(figures))
        _print_figures(figures)
        return 0
    if options.writers:
        speeds = writers.measure(options.writers, report=Console(stderr=True).print)
        _keep(options.json, [asdict(one) for one in speeds])
        _print_speeds(speeds)
        return 0
    if options.exports:
        made = exporting.measure(options.exports, report=Console(stderr=True).print)
        _keep(options.json, [asdict(one) for one in made])
        _print_exports(made)
        return 0
    if options.headers:
        looks = headers.measure(options.headers, report=Console(stderr=True).print)
        _keep(options.json, asdict(looks))
        _print_looks(looks)
        return 0
    with tempfile.TemporaryDirectory(prefix="predella-bench-") as home:
        findings = travel(Path(home), options.items, report=Console(stderr=True).print)
    _keep(options.json, asdict(findings))
    _print(findings)
    return 1 if findings.objections else 0


def _keep(path: Path | None, figures: object) -> None:
    if path:
        path.write_text(json.dumps(figures, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--items", type=int, default=10_000, help="how many small pictures")
    parser.add_argument(
        "--review",
        type=int,
        metavar="N",
        help="instead: what a page, a count and decisions cost with N analyses",
    )
    parser.add_argument(
        "--desk",
        type=int,
        metavar="N",
        help="instead: what a curator waits for at the desk, over a slow line, with N pictures",
    )
    parser.add_argument(
        "--writers",
        type=int,
        metavar="N",
        help="instead: what N records cost in each catalog format, on one core",
    )
    parser.add_argument(
        "--exports",
        type=int,
        metavar="N",
        help="instead: what exports of N approved texts take out of Postgres, all on one core",
    )
    parser.add_argument(
        "--headers",
        type=int,
        metavar="N",
        help="instead: what it costs to look at the headers of N pictures before they are queued",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return parser.parse_args()


def _print(findings: Findings) -> None:
    console = Console()
    stages = Table("stage", "seconds", "items/s", title=f"{findings.items:,} small pictures")
    for stage, seconds in findings.seconds.items():
        stages.add_row(stage, f"{seconds:.1f}", f"{findings.items / seconds:,.0f}")
    console.print(stages)
    memory = Table("process", "peak MB", title="resident memory")
    for kind, peak in sorted(findings.peaks.items()):
        memory.add_row(kind, f"{peak / _MEGABYTE:,.0f}")
    console.print(memory)
    for objection in findings.objections[:20]:
        console.print(f"[bold red]wrong:[/] {objection}", markup=True)
    if not findings.objections:
        console.print("nothing lost, nothing twice, every line of the export valid")


def _print_looks(looks: Looks) -> None:
    table = Table("numbered", "seconds", "pictures/s", "CPU ms each", title=f"{looks.pictures:,}")
    for way, seconds in looks.seconds.items():
        each = 1_000 * looks.cpu_seconds[way] / looks.pictures
        table.add_row(way, f"{seconds:.1f}", f"{looks.pictures / seconds:,.0f}", f"{each:.2f}")
    Console().print(table)


def _print_figures(figures: Figures) -> None:
    table = Table("what", "rounds", "median ms", "p95 ms", title=f"{figures.analyses:,} analyses")
    for name, taken in figures.milliseconds.items():
        median, p95 = figures.median(name), figures.p95(name)
        table.add_row(name, f"{len(taken)}", f"{median:,.1f}", f"{p95:,.1f}")
    Console().print(table)


def _print_speeds(speeds: Sequence[Speed]) -> None:
    table = Table("format", "records/s", "MB", "peak MB", title=f"{speeds[0].records:,} records")
    for one in speeds:
        rate = one.records / one.cpu_seconds
        size, peak = one.size / _MEGABYTE, one.peak_bytes / _MEGABYTE
        table.add_row(one.name, f"{rate:,.0f}", f"{size:,.0f}", f"{peak:,.0f}")
    Console().print(table)


def _print_exports(made: Sequence[Export]) -> None:
    title = f"{made[0].records:,} approved texts, one core"
    table = Table("format", "seconds", "texts/s", "MB", "peak MB", title=title)
    for one in made:
        rate, size = one.records / one.seconds, one.size / _MEGABYTE
        peak = f"{one.peak_bytes / _MEGABYTE:,.0f}"
        table.add_row(one.name, f"{one.seconds:,.1f}", f"{rate:,.0f}", f"{size:,.0f}", peak)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
