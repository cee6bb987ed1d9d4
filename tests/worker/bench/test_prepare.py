import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from worker.bench.originals import KINDS
from worker.cli import app

SMALL = ("bench", "prepare", "--megapixels", "0.2")


class TestPrepare:
    def test_measures_every_kind_of_file_in_every_way(self, tmp_path: Path) -> None:
        ran = CliRunner().invoke(
            app, [*SMALL, "--rounds", "1", "--json", str(tmp_path / "found.json")]
        )

        assert ran.exit_code == 0, ran.output
        found = json.loads((tmp_path / "found.json").read_text())
        assert found["asked"]["megapixels"] == 0.2
        assert {cost["kind"] for cost in found["costs"]} == set(KINDS)
        for cost in found["costs"]:
            assert cost["way"] in {"whole", "ours", "exact"}
            assert cost["forms"] in {"model", "both"}
            assert cost["cpu_seconds"] > 0
            assert cost["wall_seconds"] > 0
            assert cost["peak_bytes"] > 10_000_000
            assert cost["mean_difference"] <= 0.3
            assert cost["largest_difference"] <= 12
            assert cost["file_bytes"] > 0
        for kind in KINDS:
            assert kind in ran.output

    @pytest.mark.parametrize("kind", ["jpeg", "tiff-16-bit"])
    def test_measures_what_is_asked_for_alone(self, kind: str) -> None:
        ran = CliRunner().invoke(app, [*SMALL, "--rounds", "2", "--only", kind])

        assert ran.exit_code == 0, ran.output
        assert kind in ran.output
        assert "webp" not in ran.output

    def test_knows_no_other_kinds(self) -> None:
        ran = CliRunner().invoke(app, ["bench", "prepare", "--only", "jpeg", "--only", "jxl"])

        assert "no kind of file is called jxl" in str(ran.exception)
