import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from worker.bench.engine import Plan, run
from worker.bench.errors import UnmeasurableError
from worker.bench.findings import Findings
from worker.cli import app

PLAN = Plan(
    shape="xs",
    images=6,
    batch1_images=3,
    static_images=5,
    modes=("slots_fp8", "slots", "static_cache", "static", "batch1"),
    static=(2, 3),
    static_cache=(2,),
    slots=(3,),
    refill=1,
    rounds=2,
    median=10,
    seed=0,
    device="cpu",
    dtype="float32",
    threads=1,
    check=True,
)


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def findings(told: list[str]) -> Findings:
    *_, last = run(PLAN, told.append)
    return last


class TestRun:
    def test_takes_the_modes_in_turn(self, findings: Findings) -> None:
        one_round = [
            ("batch1", 1),
            ("static", 2),
            ("static", 3),
            ("static_cache", 2),
            ("slots", 3),
            ("slots_fp8", 3),
        ]

        assert [(one.mode, one.width) for one in findings.rounds] == 2 * one_round

    def test_writes_whole_batches_and_the_same_lengths_in_every_mode(
        self, findings: Findings
    ) -> None:
        images = {(row.mode, row.width): row.images for row in findings.rows()}
        tokens = {(row.mode, row.width): row.tokens for row in findings.rows()}

        assert images == {
            ("batch1", 1): 3,
            ("static", 2): 4,
            ("static", 3): 3,
            ("static_cache", 2): 4,
            ("slots", 3): 6,
            ("slots_fp8", 3): 6,
        }
        assert tokens["static", 2] == tokens["static_cache", 2]
        assert tokens["slots", 3] == tokens["slots_fp8", 3] == 6 * findings.mean_length

    def test_finds_the_same_texts_in_every_exact_mode(self, findings: Findings) -> None:
        assert findings.differing() == []
        assert all(row.texts_compared > 0 for row in findings.rows())

    def test_measures_everything_that_it_reports(self, findings: Findings) -> None:
        for row in findings.rows():
            assert row.tokens_per_second > 0
            assert row.times_faster.keys() == {"batch1", "static", "static_cache"}
            assert 0 < row.occupancy <= 1
            assert row.roofline > 0
            assert row.peak_bytes > 0

    def test_takes_texts_of_typical_length_one_at_a_time(self, findings: Findings) -> None:
        few = findings.rounds[0]

        assert few.tokens / few.images == pytest.approx(findings.mean_length, rel=0.2)

    def test_tells_what_it_knows_before_it_is_done(self) -> None:
        first = next(run(replace(PLAN, modes=("batch1",)), lambda _: None))

        assert [row.mode for row in first.rows()] == ["batch1"]

    def test_says_what_it_is_at(self, findings: Findings, told: list[str]) -> None:
        assert told[-1] == "round 2 of 2: slots_fp8 3"
        assert len(told) == 1 + len(findings.rounds)


class TestPlan:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"modes": ("batch1", "fast")}, "no mode fast"),
            ({"modes": ("slots",)}, "--check needs"),
            ({"dtype": "float16"}, "--check needs"),
            ({"batch1_images": 7}, "batch1 cannot take 7 of 6 images"),
            ({"static_images": 8}, "static cannot take 8 of 6 images"),
            ({"static": (6,)}, "static cannot take 5 of 6 images, 6 at a time"),
            ({"slots": (3, 7)}, "slots cannot take 6 of 6 images, 7 at a time"),
            ({"static_cache": (0,)}, "0 at a time"),
        ],
    )
    def test_refuses_what_cannot_be_measured(self, changes: dict[str, object], reason: str) -> None:
        with pytest.raises(UnmeasurableError, match=reason):
            replace(PLAN, **changes)  # type: ignore[arg-type]

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
    def test_refuses_a_device_that_is_not_here(self) -> None:
        with pytest.raises(UnmeasurableError, match="no CUDA device"):
            replace(PLAN, device="cuda")


SMALL = {"--shape": "xs", "--images": "4", "--batch1-images": "2", "--rounds": "1", "--median": "8"}


def asked(**others: str) -> list[str]:
    options = {**SMALL, **{f"--{name.replace('_', '-')}": value for name, value in others.items()}}
    return ["bench", "engine", *(word for option in options.items() for word in option)]


class TestCommand:
    def test_prints_a_table_and_writes_json(self, tmp_path: Path) -> None:
        file = tmp_path / "figures.json"
        small = asked(static="2", static_cache="2", slots="2", json=str(file))

        done = CliRunner().invoke(app, [*small, "--check"])

        figures = json.loads(file.read_text("utf-8"))
        assert done.exit_code == 0
        assert "times static_cache" in done.stdout
        assert [row["mode"] for row in figures["modes"]] == figures["asked"]["modes"]
        assert figures["asked"]["median"] == 8

    def test_refuses_a_width_that_is_no_number(self) -> None:
        done = CliRunner().invoke(app, asked(static="many"))

        assert done.exit_code == 2
        assert "'many' is no number" in done.stderr
