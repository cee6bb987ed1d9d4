import numpy as np

from worker.images import colour


class TestEightOfSixteen:
    def test_is_the_nearest_of_every_value_but_for_a_hair(self) -> None:
        values = np.arange(1 << 16).astype(np.uint16)

        eight = colour.eight_of_sixteen(values)

        assert np.abs(eight - values / 257).max() <= 0.5 + 1 / 257
        assert eight.dtype == np.uint8

    def test_undoes_the_widening_of_every_value(self) -> None:
        values = np.arange(256).astype(np.uint16)

        assert colour.eight_of_sixteen(values * 257).tolist() == values.tolist()
