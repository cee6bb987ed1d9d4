import pytest
import torch

from worker.bench import roofline
from worker.bench.models import PROMPT, SIZES
from worker.bench.roofline import Ceilings, Stored

SEVEN = SIZES["7b"]
HALF = Stored(weight=2, cached=2)
H200 = Ceilings(copied=4.3e12, calculated=790e12)


class TestCounts:
    def test_weights_are_those_that_every_token_is_multiplied_with(self) -> None:
        assert roofline.weights(SEVEN) * 2 == pytest.approx(13.21e9, rel=1e-3)

    def test_a_token_is_kept_in_half_a_mebibyte(self) -> None:
        assert roofline.cached(SEVEN) * 2 == 2**19
        assert roofline.cached(SEVEN) * 2 * PROMPT == 318 * 2**20

    def test_reading_a_prompt_is_worth_a_thousand_tokens_of_writing(self) -> None:
        assert roofline.prompt_operations(SEVEN) == pytest.approx(8.34e12, rel=1e-3)

    def test_looking_at_a_picture_takes_a_twentieth_of_that(self) -> None:
        assert roofline.picture_operations(SEVEN) == pytest.approx(0.406e12, rel=1e-3)


class TestLeastSeconds:
    @pytest.mark.parametrize(
        ("width", "images_per_second"), [(1, 1.3), (16, 12.4), (64, 22.0), (128, 25.3), (192, 26.5)]
    )
    def test_more_slots_share_the_weights_but_not_the_keys(
        self, width: int, images_per_second: float
    ) -> None:
        seconds = roofline.least_seconds(SEVEN, [245], width=width, stored=HALF, ceilings=H200)

        assert 1 / seconds == pytest.approx(images_per_second, abs=0.05)

    def test_keys_of_eight_bits_are_read_in_half_the_time(self) -> None:
        stored = Stored(weight=2, cached=1)

        seconds = roofline.least_seconds(SEVEN, [245], width=128, stored=stored, ceilings=H200)

        assert 1 / seconds == pytest.approx(35.4, abs=0.05)

    def test_adds_up_over_texts(self) -> None:
        def least(*lengths: int) -> float:
            return roofline.least_seconds(SEVEN, lengths, width=8, stored=HALF, ceilings=H200)

        assert least(100, 300) == pytest.approx(least(100) + least(300))

    def test_many_slots_are_bound_by_calculation(self) -> None:
        slow = Ceilings(copied=H200.copied, calculated=1e12)

        one, many = (
            roofline.least_seconds(SEVEN, [2], width=width, stored=HALF, ceilings=slow)
            for width in (64, 128)
        )

        assert one == pytest.approx(many)


class TestMeasure:
    def test_this_machine_copies_and_calculates(self) -> None:
        found = roofline.measure("cpu", torch.float32)

        assert found.copied > 0
        assert found.calculated > 0
