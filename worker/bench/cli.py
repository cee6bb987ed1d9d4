"""``predella-model bench``: one command for each thing that is measured."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from predella.cli.output import err, fail, out

app = typer.Typer(help="Measure this machine: a table, and JSON on demand.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep the name of a command even while it is the only one."""


@app.command()
def engine(
    *,
    shape: Annotated[
        Literal["xs", "s", "m", "7b"], typer.Option(help="Size of a model with random weights.")
    ] = "s",
    images: Annotated[int, typer.Option(min=1, help="Pictures for the slots.")] = 128,
    batch1_images: Annotated[
        int, typer.Option(min=1, help="Pictures one at a time, of typical length.")
    ] = 8,
    static_images: Annotated[
        int | None, typer.Option(min=1, help="Pictures in batches; as for the slots.")
    ] = None,
    modes: Annotated[
        str, typer.Option(help="Of batch1, static, static_cache, slots and slots_fp8.")
    ] = "batch1,static,static_cache,slots",
    static: Annotated[str, typer.Option(help="Batch sizes; the best counts.")] = "16",
    static_cache: Annotated[str, typer.Option(help="Batch sizes; the best counts.")] = "16",
    slots: Annotated[str, typer.Option(help="Texts written at once; more with commas.")] = "16",
    refill: Annotated[int, typer.Option(min=1, help="Prompts read at once.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="Of every mode, in turn.")] = 3,
    median: Annotated[int, typer.Option(min=1, help="Tokens of a text.")] = 230,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, pictures and lengths.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
    dtype: Annotated[
        Literal["auto", "float16", "bfloat16", "float32"],
        typer.Option(help="auto is float16 on CUDA, else float32."),
    ] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="Of the CPU.")] = 1,
    check: Annotated[
        bool, typer.Option("--check", help="Fail where a text differs from one at a time.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures there, too.")
    ] = None,
) -> None:
    """Compare the batch engine with batches of transformers, same model, lengths forced."""
    from worker.bench.engine import Plan, run
    from worker.bench.findings import table
    from worker.engine.writing import device_of, dtype_name, dtype_of

    device = device_of(device)
    plan = Plan(
        shape=shape,
        images=images,
        batch1_images=batch1_images,
        static_images=images if static_images is None else static_images,
        modes=tuple(modes.split(",")),
        static=_widths(static),
        static_cache=_widths(static_cache),
        slots=_widths(slots),
        refill=refill,
        rounds=rounds,
        median=median,
        seed=seed,
        device=device,
        dtype=dtype_name(dtype_of(dtype, device, on_gpu="float16")),
        threads=threads,
        check=check,
    )
    with _progress() as report:
        for findings in run(plan, report):
            if json_file is not None:
                document = json.dumps(findings.as_json(), indent=2)
                json_file.write_text(document + "\n", encoding="utf-8")
    out.print(table(findings))
    if check and (differing := findings.differing()):
        fail(f"not what one at a time gives: {', '.join(differing)}")


@app.command()
def pipeline(
    *,
    images: Annotated[int, typer.Option(min=1, help="Prepared pictures.")] = 300,
    rounds: Annotated[int, typer.Option(min=1, help="Of both ways, in turn.")] = 3,
    model: Annotated[
        Path | None, typer.Option(help="Checkpoint directory; else the bundled demo model.")
    ] = None,
    shape: Annotated[
        Literal["xs", "s", "m", "7b"] | None,
        typer.Option(help="Random weights of this size instead of a checkpoint."),
    ] = None,
    slots: Annotated[int | None, typer.Option(min=1, help="Texts written at once.")] = None,
    median: Annotated[int, typer.Option(min=1, help="Tokens of a text; with --shape.")] = 230,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
    dtype: Annotated[
        Literal["auto", "float16", "bfloat16", "float32"],
        typer.Option(help="auto is float16 on CUDA, else float32."),
    ] = "auto",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures there, too.")
    ] = None,
) -> None:
    """Compare a model worker, with a database and a store of its own, with its engine alone."""
    from worker.bench.checkpoint import DEMO
    from worker.bench.pipeline import Plan, run, table

    plan = Plan(
        images=images,
        rounds=rounds,
        model=model or DEMO,
        shape=shape,
        slots=slots,
        device=device,
        dtype=dtype,
        median=median,
    )
    with _progress() as report:
        findings = run(plan, report)
    if json_file is not None:
        document = json.dumps(findings.as_json(), indent=2)
        json_file.write_text(document + "\n", encoding="utf-8")
    out.print(table(findings))


@app.command()
def prepare(
    *,
    megapixels: Annotated[float, typer.Option(min=0.01, help="Of every original.")] = 80,
    only: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Kinds of file; else all of them.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Of every way, in turn.")] = 3,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures there, too.")
    ] = None,
) -> None:
    """Compare how originals are prepared with decoding them whole: CPU, memory, difference."""
    from worker.bench.originals import KINDS
    from worker.bench.prepare import Plan, run, table

    with _progress() as report:
        for findings in run(Plan(megapixels, only or list(KINDS), rounds), report):
            if json_file is not None:
                document = json.dumps(findings.as_json(), indent=2)
                json_file.write_text(document + "\n", encoding="utf-8")
    out.print(table(findings))


def _widths(text: str) -> tuple[int, ...]:
    if not all(part.isdecimal() for part in text.split(",")):
        raise typer.BadParameter(f"{text!r} is no number, nor numbers with commas between")
    return tuple(map(int, text.split(",")))


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Say on stderr what is done now, and for how long already."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("building the model", total=None)
        yield lambda what: progress.update(task, description=what)
