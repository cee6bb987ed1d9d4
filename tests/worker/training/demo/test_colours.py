import numpy as np
import pytest

from worker.training.demo import colours


def _lab(*rgb: int) -> list[float]:
    return [float(n) for n in colours.lab(np.array(rgb, dtype=np.uint8))]


class TestLab:
    @pytest.mark.parametrize(
        ("rgb", "expected"),
        [
            ((255, 255, 255), (100.0, 0.0, 0.0)),
            ((0, 0, 0), (0.0, 0.0, 0.0)),
            ((255, 0, 0), (53.24, 80.09, 67.20)),
            ((0, 255, 0), (87.73, -86.18, 83.18)),
            ((0, 0, 255), (32.30, 79.19, -107.86)),
            ((119, 119, 119), (50.03, 0.0, 0.0)),
        ],
    )
    def test_agrees_with_published_values(
        self, rgb: tuple[int, int, int], expected: tuple[float, float, float]
    ) -> None:
        assert _lab(*rgb) == pytest.approx(expected, abs=0.05)


class TestName:
    @pytest.mark.parametrize(
        ("rgb", "expected"),
        [
            ((200, 30, 30), "red"),
            ((240, 140, 30), "orange"),
            ((240, 220, 60), "yellow"),
            ((40, 140, 60), "green"),
            ((40, 80, 180), "blue"),
            ((110, 50, 140), "violet"),
            ((240, 170, 190), "pink"),
            ((110, 70, 40), "brown"),
            ((15, 15, 15), "black"),
            ((245, 245, 240), "white"),
            ((128, 128, 128), "grey"),
            ((0, 0, 80), "blue"),
            ((135, 206, 235), "blue"),
        ],
    )
    def test_names_plain_colours_as_people_do(
        self, rgb: tuple[int, int, int], expected: str
    ) -> None:
        assert colours.name(*rgb) == expected

    @pytest.mark.parametrize("rgb", [(128, 128, 0), (100, 100, 60), (85, 107, 47)])
    def test_calls_olive_green_where_hsv_says_yellow(self, rgb: tuple[int, int, int]) -> None:
        assert colours.name(*rgb) == "green"


class TestMemberships:
    def test_sum_to_one_for_every_colour(self) -> None:
        pixels = np.random.default_rng(1).integers(0, 256, (500, 3)).astype(np.uint8)

        shares = colours.memberships(pixels)

        assert shares.shape == (500, len(colours.NAMES))
        assert shares.sum(1) == pytest.approx(np.ones(500), abs=1e-5)
