"""``predella-model``: one release on one machine, without the service."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from predella import logs
from predella.cli.output import Exit, err, fail, out, plain_errors, print_json_lines
from predella.settings import get_settings
from worker.bench import cli as bench
from worker.engine.protocol import EngineFailure, Generation

Dtype = Literal["float16", "bfloat16", "float32"]
AnyDtype = Literal["auto", "float16", "bfloat16", "float32"]

app = typer.Typer(
    name="predella-model",
    help="Import a release of GalleryGPT, verify it, and try it on pictures.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(bench.app, name="bench")


@app.command("import")
def import_(
    base: Annotated[Path, typer.Option(help="Directory of ShareGPT4V-7B.")],
    vision_tower: Annotated[Path, typer.Option(help="Directory of ShareGPT4V's vision tower.")],
    adapter: Annotated[Path, typer.Option(help="Directory of GalleryGPT's adapter.")],
    out_dir: Annotated[Path, typer.Option("--out", help="New directory for the result.")],
    dtype: Annotated[Dtype, typer.Option(help="What the original ran in is float16.")] = "float16",
) -> None:
    """Turn the published parts of GalleryGPT into one checkpoint that can be served."""
    from worker import importing

    plan = importing.check(base, vision_tower, adapter, dtype=dtype)
    with _bar("importing", plan.bytes_to_read + plan.bytes_to_write) as advance:
        done = importing.write(plan, out_dir, advance)
    out.print(
        f"{done.name}: {done.parameters:,} parameters in {dtype}, {done.bytes / 1e9:.2f} GB,"
        f" in {done.directory}",
        soft_wrap=True,
    )
    out.print(f"Next: predella-model verify {done.directory}", soft_wrap=True)


@app.command()
def verify(
    directory: Annotated[Path, typer.Argument(help="What `import` wrote.")],
    device: Annotated[str, typer.Option(help="Where to try it.")] = "auto",
    dtype: Annotated[AnyDtype, typer.Option(help="What to try it in.")] = "auto",
    kv_cache: Annotated[
        Literal["auto", "fp8"], typer.Option(help="fp8: also judge what 8 bits change.")
    ] = "auto",
) -> None:
    """Compare every file with its digest, then load the model and have it write a little."""
    from worker.importing import verifying

    sizes = verifying.files(directory)
    with _bar("verifying", sum(sizes.values())) as advance:
        found = verifying.differences(directory, advance)
    for difference in found:
        err.print(difference, soft_wrap=True)
    if found:
        fail(f"{directory} is not what was imported; import it again")
    out.print(f"{len(sizes)} files are as they were imported.")
    answer = verifying.self_test(directory, device=device, dtype=dtype)
    out.print(f"The model loads and writes: {answer.output_tokens} tokens without a fault.")
    if kv_cache == "fp8":
        _judge_eight_bits(directory, device, dtype)


def _judge_eight_bits(directory: Path, device: str, dtype: str) -> None:
    from worker.importing.eight_bits import MOST_NATS, MOST_TURNED, eight_bits

    found = eight_bits(directory, device=device, dtype=dtype)
    out.print(
        f"In 8 bits a token's log-probability differs by {found.mean:.4f} on average (at most"
        f" {MOST_NATS} is taken), and {found.turned:.2%} of {found.tokens:,} tokens would be others"
        f" (at most {MOST_TURNED:.1%}).",
        soft_wrap=True,
    )
    if found.mean > MOST_NATS or found.turned > MOST_TURNED:
        fail("8 bits change what this release writes; serve it with PREDELLA_KV_CACHE=auto")
    out.print("8 bits change nothing that matters: PREDELLA_KV_CACHE=fp8 can be set.")


@app.command()
def analyze(
    images: Annotated[list[Path], typer.Argument(help="Pictures on this machine.")],
    *,
    model: Annotated[Path, typer.Option(help="Checkpoint directory.")],
    prompt: Annotated[
        str | None, typer.Option(help="What to ask; else for a formal analysis.")
    ] = None,
    template: Annotated[
        Literal["vicuna_v1", "llava_v0"] | None,
        typer.Option(help="Form of the conversation; else that of the checkpoint."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
    dtype: Annotated[
        AnyDtype, typer.Option(help="auto is float16 on CUDA, else float32.")
    ] = "auto",
    engine: Annotated[
        Literal["slots", "hf"],
        typer.Option(help="hf is transformers' own generate: slower, to compare with."),
    ] = "slots",
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures at once.")] = 8,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="A longer text is cut.")] = 512,
    decoding: Annotated[
        Literal["greedy", "paper"],
        typer.Option(help="paper draws at temperature 0.2 from the 50 likeliest tokens."),
    ] = "greedy",
    temperature: Annotated[
        float | None,
        typer.Option(min=0, max=10, help="Overrides that of --decoding; 0 is greedy."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws another text.")] = 0,
    as_paper: Annotated[
        bool,
        typer.Option(
            "--as-paper",
            help="Prepare pictures as the original did: EXIF, ICC and transparency ignored,"
            " 16 bits clipped, small ones taken.",
        ),
    ] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a picture.")] = False,
) -> None:
    """Write a formal analysis of each picture."""
    from worker import trying

    trial = trying.Trial(
        model=model,
        engine=engine,
        prompt=prompt,
        template=template,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        max_new_tokens=max_new_tokens,
        decoding=trying.decoding(decoding, temperature, seed),
        as_paper=as_paper,
    )
    refused = 0
    for answer in trying.analyze(trial, images):
        refused += answer.failure is not None
        if jsonl:
            print_json_lines([answer.as_json()])
        else:
            _show(answer.image, answer.generation, answer.release["notice"])
    if refused:
        raise SystemExit(Exit.FAILURE if refused == len(images) else Exit.PARTIAL)


def _show(image: str, generation: Generation | EngineFailure, notice: object) -> None:
    if isinstance(generation, EngineFailure):
        err.print(f"{image}: {generation.sentence}", markup=False, soft_wrap=True)
        return
    out.print(image, style="bold", markup=False, soft_wrap=True)
    out.print(generation.text, markup=False, highlight=False)
    if notice is not None:
        out.print(notice, style="italic", markup=False)
    out.print()


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    columns = TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=err) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)


def main() -> None:
    """Run one command; our own errors end in one line and an exit code."""
    logs.configure(get_settings())
    with plain_errors():
        app()
