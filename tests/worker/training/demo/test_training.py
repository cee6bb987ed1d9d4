import json
from pathlib import Path

import pytest
import torch
from transformers import LlavaForConditionalGeneration

from worker.engine.llava import Llava
from worker.engine.reference import ReferenceEngine
from worker.training.demo import data, evaluation, model, seeing, training, writing
from worker.training.demo.progress import Schedule

PLAN = training.Plan(
    pictures=320,
    held=16,
    seeing=(Schedule(30, batch=32, rate=1.5e-3),),
    writing=Schedule(36, batch=16, rate=2e-3),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of less than a minute: too short to be right, long enough to learn."""
    folder = tmp_path_factory.mktemp("training")
    threads = torch.get_num_threads()
    training.train(folder / "model", work=folder / "work", plan=PLAN, seed=1)
    torch.set_num_threads(threads)
    return folder


def _log(folder: Path) -> list[dict[str, float]]:
    lines = (folder / "model" / "training-log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def _made(folder: Path) -> list[data.Sample]:
    return data.load(data.make(folder / "work" / "pictures", seed=1, count=PLAN.pictures))


class TestTrain:
    def test_learns_to_see(self, trained: Path) -> None:
        made = _made(trained)
        untrained = seeing.Seeing(model.build(model.tokenizer(), 1).model.vision_tower, 128, made)
        with torch.no_grad():
            at_first = float(untrained.loss(made[:32], 0))

        seen, _ = _log(trained)

        assert seen["loss"] < 0.9 * at_first

    def test_learns_to_write(self, trained: Path) -> None:
        made, tokens = _made(trained), model.tokenizer()
        learnt = LlavaForConditionalGeneration.from_pretrained(
            trained / "model", dtype=torch.float32, local_files_only=True
        )

        with torch.no_grad():
            at_first, at_last = (
                float(writing.Writing(one, tokens).loss(made[:16], 0))
                for one in (model.build(tokens, 1), learnt)
            )

        assert at_last < 0.8 * at_first

    def test_is_done_when_called_again(self, trained: Path) -> None:
        before = _log(trained)

        training.train(trained / "model", work=trained / "work", plan=PLAN, seed=1)

        assert _log(trained) == before

    def test_writes_a_checkpoint_that_the_engine_serves(
        self, trained: Path, tmp_path: Path
    ) -> None:
        engine = ReferenceEngine(
            Llava(trained / "model", device="cpu", dtype="float32", max_new_tokens=20), batch_size=2
        )

        judged = evaluation.judge(engine, evaluation.paint(tmp_path, seed=1, count=2))

        assert [one.picture for one in judged] == ["painted-0000.png", "painted-0001.png"]
        assert engine.release.model_name == model.NAME
        assert engine.release.notice == model.NOTICE
