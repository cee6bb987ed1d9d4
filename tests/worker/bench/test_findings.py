import json

import pytest

from worker.bench.findings import Findings, Round
from worker.bench.meter import Spent
from worker.bench.roofline import Ceilings


def measured(mode: str, width: int, *, seconds: float, tokens: int = 100, equal: int = 4) -> Round:
    return Round(
        mode=mode,
        width=width,
        images=10,
        tokens=tokens,
        spent=Spent(cpu=seconds, wall=2 * seconds, seconds=seconds, peak=int(seconds)),
        setup_seconds=1.0,
        occupancy=0.5,
        least_seconds=0.5,
        texts_compared=4,
        texts_equal=equal,
    )


def findings(*rounds: Round) -> Findings:
    return Findings({}, {}, Ceilings(1.0, 1.0), 10.0, list(rounds))


class TestRows:
    def test_take_the_median_of_the_rounds(self) -> None:
        rounds = [measured("slots", 4, seconds=seconds) for seconds in (2.0, 50.0, 4.0)]

        (row,) = findings(*rounds).rows()

        assert row.tokens_per_second == pytest.approx(25.0)
        assert row.images_per_second == pytest.approx(2.5)
        assert row.wall_seconds == pytest.approx(8.0)
        assert row.roofline == pytest.approx(0.125)
        assert row.peak_bytes == 50

    def test_compare_with_the_best_width_of_each_other_mode(self) -> None:
        rows = findings(
            measured("static", 4, seconds=8.0),
            measured("static", 8, seconds=4.0),
            measured("slots", 8, seconds=2.0),
        ).rows()

        assert [row.times_faster for row in rows] == [
            {"static": 0.5},
            {"static": 1.0},
            {"static": 2.0},
        ]

    def test_compare_by_tokens_where_modes_write_about_different_pictures(self) -> None:
        rows = findings(
            measured("batch1", 1, seconds=1.0, tokens=50),
            measured("slots", 8, seconds=2.0, tokens=400),
        ).rows()

        assert rows[1].times_faster == {"batch1": pytest.approx(4.0)}


class TestDiffering:
    def test_names_the_modes_that_gave_another_text_in_any_round(self) -> None:
        found = findings(
            measured("static", 4, seconds=1.0),
            measured("slots", 4, seconds=1.0),
            measured("slots", 4, seconds=1.0, equal=3),
        )

        assert found.differing() == ["slots 4"]

    def test_forgives_eight_bits(self) -> None:
        assert findings(measured("slots_fp8", 4, seconds=1.0, equal=0)).differing() == []


class TestAsJson:
    def test_holds_every_round_and_every_row(self) -> None:
        found = findings(measured("batch1", 1, seconds=1.0), measured("slots", 4, seconds=1.0))

        document = json.loads(json.dumps(found.as_json()))

        assert [one["mode"] for one in document["rounds"]] == ["batch1", "slots"]
        assert [row["width"] for row in document["modes"]] == [1, 4]
        assert document["ceilings"] == {"copied": 1.0, "calculated": 1.0}
