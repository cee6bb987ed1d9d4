import numpy as np
import pytest
from numpy.typing import NDArray

from worker.training.demo import attributes, data
from worker.training.demo.colours import Pixels


def _plain(rgb: tuple[int, int, int], height: int = 120, width: int = 120) -> Pixels:
    return np.broadcast_to(np.array(rgb, np.uint8), (height, width, 3)).copy()


def _values(pixels: Pixels) -> dict[str, str]:
    return attributes.classify(attributes.measure(pixels))


def _grey(light: NDArray[np.float64]) -> Pixels:
    return np.repeat(light.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _stripes(turn: float, side: int = 200) -> Pixels:
    down, across = np.mgrid[:side, :side]
    along = across * np.cos(turn) + down * np.sin(turn)
    return _grey(128 + 90 * np.sin(along / 9))


class TestMeasure:
    @pytest.mark.parametrize(
        ("height", "width", "expected"),
        [
            (300, 200, "tall"),
            (200, 300, "wide"),
            (200, 200, "square"),
            (200, 206, "square"),
            (200, 230, "wide"),
        ],
    )
    def test_tells_the_format_from_the_sides(self, height: int, width: int, expected: str) -> None:
        assert _values(_plain((90, 90, 90), height, width))["format"] == expected

    @pytest.mark.parametrize(("level", "expected"), [(30, "dark"), (120, "middle"), (230, "light")])
    def test_tells_the_key_from_mean_lightness(self, level: int, expected: str) -> None:
        assert _values(_plain((level, level, level)))["key"] == expected

    def test_measures_the_key_in_lightness_and_not_in_linear_light(self) -> None:
        measured = attributes.measure(_plain((119, 119, 119)))

        assert measured.key == pytest.approx(50, abs=0.1)

    def test_tells_contrast_from_the_spread_of_lightness(self) -> None:
        board = np.indices((120, 120)).sum(0) // 20 % 2

        assert _values(_grey(board * 255.0))["contrast"] == "strong"
        assert _values(_grey(100 + board * 70.0))["contrast"] == "moderate"
        assert _values(_grey(120 + board * 10.0))["contrast"] == "low"

    @pytest.mark.parametrize(
        ("rgb", "expected"),
        [
            ((200, 120, 40), "warm"),
            ((150, 40, 30), "warm"),
            ((40, 90, 200), "cool"),
            ((30, 130, 150), "cool"),
            ((128, 128, 128), "neutral"),
        ],
    )
    def test_tells_warm_from_cool(self, rgb: tuple[int, int, int], expected: str) -> None:
        assert _values(_plain(rgb))["temperature"] == expected

    @pytest.mark.parametrize(
        ("rgb", "expected"),
        [
            ((128, 128, 128), "colourless"),
            ((140, 128, 116), "muted"),
            ((150, 120, 90), "moderate"),
            ((220, 40, 30), "vivid"),
        ],
    )
    def test_tells_saturation_from_chroma(self, rgb: tuple[int, int, int], expected: str) -> None:
        assert _values(_plain(rgb))["saturation"] == expected

    def test_finds_the_ground_and_the_colour_that_stands_out_against_it(self) -> None:
        picture = _plain((40, 60, 150))
        picture[40:70, 40:80] = (220, 190, 40)

        values = _values(picture)

        assert (values["ground"], values["accent"]) == ("blue", "yellow")

    def test_finds_no_accent_where_there_is_no_second_colour(self) -> None:
        picture = _plain((250, 250, 248))
        picture[40:70, 40:80] = 0

        assert _values(picture)["accent"] == "none"

    def test_compares_left_with_right_and_not_top_with_bottom(self) -> None:
        noise = np.random.default_rng(3).uniform(0, 255, (8, 16)).repeat(15, 0).repeat(8, 1)
        left_right = np.concatenate([noise, noise[:, ::-1]], axis=1)
        top_bottom = np.concatenate([noise, noise[::-1]], axis=0)

        assert _values(_grey(left_right))["symmetry"] == "mirrored"
        assert _values(_grey(top_bottom))["symmetry"] == "uneven"

    def test_sees_that_mirrored_halves_of_unlike_colour_differ(self) -> None:
        picture = _plain((150, 90, 90))
        picture[:, 60:] = (82, 113, 82)

        assert attributes.measure(picture).contrast < 3
        assert _values(picture)["symmetry"] == "uneven"

    @pytest.mark.parametrize(
        ("turn", "expected"),
        [
            (0.0, "vertical"),
            (np.pi / 2, "horizontal"),
            (np.pi / 4, "diagonal"),
            (-np.pi / 4, "diagonal"),
        ],
    )
    def test_tells_the_direction_in_which_edges_run(self, turn: float, expected: str) -> None:
        assert _values(_stripes(turn))["direction"] == expected

    def test_finds_no_direction_in_noise(self) -> None:
        noise = np.random.default_rng(4).uniform(0, 255, (200, 200))

        assert _values(_grey(noise))["direction"] == "none"

    def test_measures_a_large_picture_as_it_measures_a_small_one(self) -> None:
        small = data.samples(np.random.default_rng(11), 1)[0].square
        large = small.repeat(30, 0).repeat(30, 1)

        one, other = attributes.measure(small), attributes.measure(large)

        assert attributes.as_vector(one) == pytest.approx(attributes.as_vector(other), abs=0.3)

    @pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (500, 2, 3), (16, 16, 3)])
    def test_has_an_answer_for_the_smallest_and_narrowest_pictures(
        self, shape: tuple[int, int, int]
    ) -> None:
        values = _values(np.full(shape, 200, np.uint8))

        assert values.keys() == attributes.VALUES.keys()


class TestHolds:
    def test_allows_both_values_near_a_border_and_one_elsewhere(self) -> None:
        border = attributes.measure(_plain((96, 96, 96)))
        middle = attributes.measure(_plain((119, 119, 119)))

        assert border.key == pytest.approx(40.7, abs=0.5)
        assert attributes.holds(border, "key", "dark")
        assert attributes.holds(border, "key", "middle")
        assert not attributes.is_clear(border, "key")
        assert attributes.holds(middle, "key", "middle")
        assert not attributes.holds(middle, "key", "dark")
        assert attributes.is_clear(middle, "key")

    def test_refuses_a_colour_of_little_area_as_ground(self) -> None:
        picture = _plain((40, 60, 150))
        picture[:40] = (220, 190, 40)
        measured = attributes.measure(picture)

        assert attributes.holds(measured, "ground", "blue")
        assert not attributes.holds(measured, "ground", "yellow")

    def test_agrees_with_the_best_value_whatever_the_picture(self) -> None:
        for sample in data.samples(np.random.default_rng(6), 40):
            best = attributes.classify(sample.measured)
            assert all(attributes.holds(sample.measured, a, value) for a, value in best.items())


class TestTrueClaims:
    def _two_grounds(self) -> attributes.Measured:
        picture = _plain((40, 60, 150))
        picture[:58] = (220, 190, 40)
        return attributes.measure(picture)

    def test_judges_the_accent_beside_the_ground_the_text_names(self) -> None:
        measured = self._two_grounds()
        everything = {"ground", "accent"}

        for ground, accent in (("blue", "yellow"), ("yellow", "blue")):
            claims = {"ground": ground, "accent": accent}
            assert attributes.true_claims(measured, claims) == everything

    def test_does_not_let_the_ground_stand_out_against_itself(self) -> None:
        claims = {"ground": "blue", "accent": "blue"}

        assert attributes.true_claims(self._two_grounds(), claims) == {"ground"}

    def test_leaves_out_what_is_false_and_what_is_not_said(self) -> None:
        measured = attributes.measure(_plain((20, 20, 20), height=200))

        assert attributes.true_claims(measured, {"key": "light", "format": "tall"}) == {"format"}


class TestFromVector:
    def test_gives_back_what_was_put_in_line(self) -> None:
        measured = data.samples(np.random.default_rng(2), 1)[0].measured
        vector = attributes.as_vector(measured)

        assert attributes.classify(attributes.from_vector(vector)) == attributes.classify(measured)
        assert (attributes.as_vector(attributes.from_vector(vector)) == vector).all()
