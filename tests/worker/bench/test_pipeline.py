import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from predella.settings import get_settings
from worker.cli import app


def environment() -> dict[str, str]:
    everything = os.environ  # noqa: TID251  (is it as it was?)
    return {name: value for name, value in everything.items() if name.startswith("PREDELLA_")}


@pytest.mark.parametrize("model", [[], ["--shape", "xs", "--median", "8"]])
class TestPipeline:
    def test_writes_about_every_picture_both_ways_and_leaves_nothing_behind(
        self, model: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PREDELLA_DATABASE_URL", "postgresql+psycopg://nobody@nowhere/none")
        get_settings.cache_clear()
        before = environment()
        few = ["--images", "5", "--rounds", "1", "--slots", "3", "--device", "cpu"]

        ran = CliRunner().invoke(
            app, ["bench", "pipeline", *few, *model, "--json", str(tmp_path / "found.json")]
        )

        assert ran.exit_code == 0, ran.output
        assert "of the engine alone" in ran.output
        found = json.loads((tmp_path / "found.json").read_text())
        pipeline, engine = found["rounds"]
        assert (pipeline["way"], engine["way"]) == ("pipeline", "engine")
        assert pipeline["images"] == engine["images"] == 5
        assert pipeline["tokens"] == engine["tokens"] > 0
        assert 0 < pipeline["occupancy"] <= 1
        assert found["ratio"] > 0
        assert environment() == before
        get_settings.cache_clear()
