"""`python -m worker.training.demo`: train the demo model, or measure how true its words are."""

import argparse
import sys
import tempfile
from pathlib import Path

from worker.engine.llava import Llava
from worker.engine.slotted import SlottedEngine
from worker.training.demo import evaluation, training

BUNDLED = Path(__file__).parents[2] / "demo_model"


def main() -> None:
    """Run the subcommand the command line names."""
    arguments = _parser().parse_args()
    arguments.run(arguments)


def _train(arguments: argparse.Namespace) -> None:
    training.train(arguments.out, work=arguments.work, plan=training.PLAN, seed=arguments.seed)


def _evaluate(arguments: argparse.Namespace) -> None:
    engine = SlottedEngine(
        Llava(arguments.model, device="cpu", dtype="float32", max_new_tokens=200), slots=16
    )
    with tempfile.TemporaryDirectory() as folder:
        files = list(evaluation.find(arguments.pictures)) or evaluation.paint(
            Path(folder), seed=arguments.seed, count=arguments.count
        )
        judged = evaluation.judge(engine, files)
    if not judged:
        sys.exit("None of these files is a picture that can be read.")
    words = [len(one.text.split()) for one in judged]
    print(evaluation.table(judged))  # noqa: T201  (the command's answer)
    print(f"\n{len(judged)} pictures, {min(words)} to {max(words)} words.")  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m worker.training.demo", description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train from nothing; goes on where it was cut off")
    train.add_argument("out", type=Path, help="folder for the checkpoint")
    train.add_argument("--work", type=Path, required=True, help="folder for pictures and progress")
    train.add_argument("--seed", type=int, default=training.SEED)
    train.set_defaults(run=_train)
    evaluate = commands.add_parser("evaluate", help="print a table of how often words are true")
    evaluate.add_argument("pictures", type=Path, nargs="*", help="files or folders; else painted")
    evaluate.add_argument("--model", type=Path, default=BUNDLED)
    evaluate.add_argument("--count", type=int, default=500, help="how many pictures to paint")
    evaluate.add_argument("--seed", type=int, default=training.SEED)
    evaluate.set_defaults(run=_evaluate)
    return parser


if __name__ == "__main__":
    main()
