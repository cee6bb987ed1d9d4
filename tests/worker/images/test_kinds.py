"""Every kind of file, large enough not to be decoded whole, against the reference path."""

from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.worker.images.conftest import Prepare, model, review
from tests.worker.images.files import Pixels, distance, expected, painting
from tests.worker.images.kinds import KINDS, SWAPPED, converted, deep, shallow
from tests.worker.images.profiles import inks

MEAN, MOST = 0.3, 12


@cache
def picture() -> Image.Image:
    return painting(4211, 1201)


def is_close(ours: Pixels, theirs: Pixels) -> bool:
    """Compare what is not padding."""
    inside = np.any(theirs != theirs[0, 0], axis=(1, 2))
    mean, most = distance(ours[inside], theirs[inside])

    return mean <= MEAN and most <= MOST


class TestEveryKind:
    @pytest.mark.parametrize("name", KINDS)
    def test_is_the_reference_within_a_third_of_a_level(
        self, prepare: Prepare, tmp_path: Path, name: str
    ) -> None:
        truth = KINDS[name](tmp_path / name, picture())

        prepared = prepare(tmp_path / name)

        assert is_close(model(prepared), expected(truth))
        assert (prepared.width, prepared.height) == truth.size
        assert max(review(prepared).size) <= 3072

    @pytest.mark.parametrize("name", KINDS)
    def test_is_the_reference_to_the_level_where_exactness_is_asked_for(
        self, prepare: Prepare, tmp_path: Path, name: str
    ) -> None:
        truth = KINDS[name](tmp_path / name, picture().crop((0, 0, 4203, 403)))

        prepared = prepare(tmp_path / name, exact=True)

        mean, most = distance(model(prepared), expected(truth))
        assert mean <= 0.01
        assert most <= 1


class TestTheMeasure:
    """A way to prepare that is wrong does not pass for right."""

    def test_sees_that_a_picture_was_resized_before_it_was_padded(self) -> None:
        side = 336 / picture().width
        small = picture().resize((336, round(picture().height * side)), Image.Resampling.BICUBIC)

        assert not is_close(expected(small), expected(picture()))

    def test_sees_that_a_picture_was_made_smaller_by_its_nearest_pixels(self) -> None:
        small = picture().resize((1404, 400), Image.Resampling.NEAREST)

        assert not is_close(expected(small), expected(picture()))

    @pytest.mark.parametrize(("mode", "icc"), [("RGB", SWAPPED), ("CMYK", inks())])
    def test_sees_that_a_profile_was_ignored(self, mode: str, icc: bytes) -> None:
        stored = picture().convert(mode)

        meant = converted(stored, BytesIO(icc))

        assert not is_close(expected(stored), expected(meant))

    def test_sees_that_sixteen_bits_were_clipped(self) -> None:
        values = deep(picture().convert("L"))

        clipped = Image.fromarray(values[..., 0]).convert("RGB")

        assert not is_close(expected(clipped), expected(shallow(values)))

    def test_sees_that_the_lower_half_of_sixteen_bits_was_read(self) -> None:
        values = deep(picture())

        lower = Image.fromarray((values & 255).astype(np.uint8))

        assert not is_close(expected(lower), expected(shallow(values)))

    def test_sees_that_transparency_was_dropped(self, tmp_path: Path) -> None:
        truth = KINDS["cut.png"](tmp_path / "cut.png", picture())

        with Image.open(tmp_path / "cut.png") as file:
            opaque = file.convert("RGB")

        assert not is_close(expected(opaque), expected(truth))


class TestJpeg2000:
    def test_its_profile_is_converted(self, prepare: Prepare, tmp_path: Path) -> None:
        picture().crop((0, 0, 700, 500)).save(tmp_path / "plain.jp2")
        content = (tmp_path / "plain.jp2").read_bytes()
        (tmp_path / "x.jp2").write_bytes(with_profile(content, SWAPPED))

        prepared = prepare(tmp_path / "x.jp2")

        with Image.open(tmp_path / "plain.jp2") as file:
            meant = converted(file.copy(), BytesIO(SWAPPED))
        assert is_close(model(prepared), expected(meant))
        assert str(prepared.facts["icc_profile"]).startswith("converted")

    @pytest.mark.parametrize("levels", [0, 1, 5])
    def test_is_not_asked_to_shrink_more_often_than_it_can(
        self, prepare: Prepare, tmp_path: Path, levels: int
    ) -> None:
        painting(8501, 597).save(tmp_path / "x.jp2", irreversible=True, num_resolutions=levels + 1)

        prepared = prepare(tmp_path / "x.jp2")

        assert is_close(model(prepared), expected(Image.open(tmp_path / "x.jp2")))

    @pytest.mark.parametrize("size", [(8200, 597), (8201, 598), (8193, 799), (16385, 901)])
    def test_any_size_is_rounded_as_the_format_does(
        self, prepare: Prepare, tmp_path: Path, size: tuple[int, int]
    ) -> None:
        painting(*size).save(tmp_path / "x.jp2", irreversible=True)

        prepared = prepare(tmp_path / "x.jp2")

        assert is_close(model(prepared), expected(Image.open(tmp_path / "x.jp2")))

    def test_lossless_is_decoded_whole_until_it_is_very_large(
        self, prepare: Prepare, tmp_path: Path
    ) -> None:
        painting(12285, 301).save(tmp_path / "large.jp2")
        painting(12289, 301).save(tmp_path / "larger.jp2")

        large, larger = prepare(tmp_path / "large.jp2"), prepare(tmp_path / "larger.jp2")

        assert is_close(model(large), expected(painting(12285, 301)))
        mean, most = distance(model(larger), expected(painting(12289, 301)))
        assert 0 < mean <= 1
        assert most <= MOST
        assert max(review(larger).size) == 3072

    def test_its_depth_is_told(self, prepare: Prepare, tmp_path: Path) -> None:
        ramp = np.tile(np.linspace(0, 65535, 700).astype(np.uint16), (64, 1))
        Image.fromarray(ramp).save(tmp_path / "deep.jp2")

        prepared = prepare(tmp_path / "deep.jp2")

        assert prepared.facts["bit_depth"] == 16
        assert model(prepared)[168].mean() == pytest.approx(ramp.mean() / 257, abs=0.5)


def with_profile(content: bytes, icc: bytes) -> bytes:
    """Return a JP2 file with a restricted ICC profile in place of the name of its colour space."""
    header = content.index(b"jp2h") - 4
    colour = content.index(b"colr") - 4
    end = colour + int.from_bytes(content[colour : colour + 4])
    box = (11 + len(icc)).to_bytes(4) + b"colr" + bytes([2, 0, 0]) + icc
    length = int.from_bytes(content[header : header + 4]) + len(box) - (end - colour)
    return (
        content[:header] + length.to_bytes(4) + content[header + 4 : colour] + box + content[end:]
    )
