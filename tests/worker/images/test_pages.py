from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from tests.worker.images.files import tiff_directories
from tests.worker.images.tiffs import GREY, tiff
from worker.images import pages


def are_few(path: Path) -> bool:
    with path.open("rb") as file:
        return pages.are_few(file)


class TestAreFew:
    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("big", [False, True])
    def test_says_so_of_a_single_page(
        self, tmp_path: Path, order: Literal["<", ">"], *, big: bool
    ) -> None:
        grey = np.zeros((20, 20, 1), np.uint8)

        assert are_few(tiff(tmp_path / "one.tif", grey, GREY, big=big, order=order))

    def test_says_so_of_some_pages(self, tmp_path: Path) -> None:
        page = Image.new("L", (20, 20))
        page.save(tmp_path / "some.tif", save_all=True, append_images=[page] * 9)

        assert are_few(tmp_path / "some.tif")

    def test_stops_where_they_are_many(self, tmp_path: Path) -> None:
        assert not are_few(tiff_directories(tmp_path / "many.tif", 1000))

    def test_stops_where_they_lead_back(self, tmp_path: Path) -> None:
        path = tiff_directories(tmp_path / "round.tif", 1)
        content = bytearray(path.read_bytes())
        content[-10004:-10000] = (8).to_bytes(4, "little")
        path.write_bytes(content)

        assert not are_few(path)

    @pytest.mark.parametrize("end", [4, 8, 9, 20])
    def test_takes_the_end_of_the_file_for_that_of_the_pages(
        self, tmp_path: Path, end: int
    ) -> None:
        path = tiff_directories(tmp_path / "cut.tif", 1000)
        (tmp_path / "cut.tif").write_bytes(path.read_bytes()[:end].ljust(8, b"\0"))

        assert are_few(path)
