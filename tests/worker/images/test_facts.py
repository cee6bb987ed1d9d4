from typing import Any

import pytest
from PIL import Image

from worker.images import facts


def _measured(pixel: tuple[int, int, int]) -> Any:
    return facts.measured(Image.new("RGB", (64, 48), pixel))


class TestMeasured:
    @pytest.mark.parametrize(
        ("name", "pixel"),
        [
            ("red", (200, 30, 30)),
            ("red", (90, 22, 24)),
            ("orange", (240, 140, 30)),
            ("yellow", (240, 220, 60)),
            ("yellow", (128, 128, 0)),
            ("green", (40, 140, 60)),
            ("green", (85, 107, 47)),
            ("green", (128, 128, 0)),
            ("blue", (40, 80, 180)),
            ("blue", (135, 206, 235)),
            ("blue", (10, 20, 60)),
            ("blue", (24, 140, 160)),
            ("purple", (110, 50, 140)),
            ("pink", (240, 170, 190)),
            ("brown", (110, 70, 40)),
            ("brown", (58, 40, 28)),
        ],
    )
    def test_knows_every_name_that_a_colour_may_be_given(
        self, name: str, pixel: tuple[int, int, int]
    ) -> None:
        assert _measured(pixel)["colours"][name] == 1

    def test_knows_what_a_colour_is_plainly_not(self) -> None:
        colours = _measured((204, 119, 34))["colours"]

        assert (colours["blue"], colours["green"], colours["purple"]) == (0, 0, 0)

    def test_counts_the_share_of_each(self) -> None:
        picture = Image.new("RGB", (100, 100), (204, 119, 34))
        picture.paste((40, 80, 180), (0, 0, 20, 50))

        assert facts.measured(picture)["colours"]["blue"] == 0.1  # type: ignore[index]

    @pytest.mark.parametrize("level", [0, 64, 128, 255])
    def test_sees_no_hue_in_grey(self, level: int) -> None:
        found = _measured((level, level, level))

        assert found["chroma_95th"] < 0.1
        assert set(found["colours"].values()) == {0}
