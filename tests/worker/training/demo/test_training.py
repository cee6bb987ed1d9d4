import json
from pathlib import Path

import pytest
import torch

from worker.engine.llava import LlavaEngine
from worker.training.demo import data, evaluation, model, seeing, training, writing

PLAN = training.Plan(pictures=320, seeing_steps=40, writing_steps=50)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of less than a minute: too short to be right, long enough to learn."""
    folder = tmp_path_factory.mktemp("training")
    training.train(folder / "model", work=folder / "work", plan=PLAN, seed=1)
    return folder


def _log(folder: Path) -> list[dict[str, float]]:
    lines = (folder / "model" / "training-log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


class TestTrain:
    def test_learns_to_see_and_to_write(self, trained: Path) -> None:
        made = data.load(data.make(trained / "work" / "pictures", seed=1, count=PLAN.pictures))
        tokens = model.tokenizer()
        untrained = model.build(tokens, 1)
        sight = seeing.Seeing(untrained.model.vision_tower, 128, made)
        with torch.no_grad():
            seen_at_first = float(sight.loss(made[:32], 0))
            written_at_first = float(writing.Writing(untrained, tokens).loss(made[:16], 0))

        seen, written = _log(trained)

        assert seen["loss"] < 0.8 * seen_at_first
        assert written["loss"] < 0.8 * written_at_first

    def test_is_done_when_called_again(self, trained: Path) -> None:
        before = _log(trained)

        training.train(trained / "model", work=trained / "work", plan=PLAN, seed=1)

        assert _log(trained) == before

    def test_writes_a_checkpoint_that_the_engine_serves(
        self, trained: Path, tmp_path: Path
    ) -> None:
        engine = LlavaEngine(
            trained / "model", device="cpu", dtype="float32", batch_size=2, max_new_tokens=20
        )

        judged = evaluation.judge(engine, evaluation.paint(tmp_path, seed=1, count=2))

        assert [one.picture for one in judged] == ["painted-0000.png", "painted-0001.png"]
        assert engine.release.model_name == model.NAME
        assert engine.release.notice == model.NOTICE
