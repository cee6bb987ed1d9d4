"""The model-ready picture against the reference path: full decode, pad, bicubic."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from predella.errors import RefusedImageError
from tests.worker.images.conftest import Prepare, model, review
from tests.worker.images.files import distance, expected, painting
from tests.worker.images.profiles import profile, swap_red_and_blue
from tests.worker.images.tiffs import twelve_bit_tiff

MEAN, MOST = 0.3, 12

KINDS: dict[str, dict[str, Any]] = {
    "plain.jpg": {"quality": 92},
    "progressive.jpg": {"quality": 90, "progressive": True, "subsampling": 0},
    "plain.png": {"compress_level": 1},
    "plain.tif": {},
    "lzw.tif": {"compression": "tiff_lzw"},
    "deflate.tif": {"compression": "tiff_adobe_deflate"},
    "plain.webp": {"quality": 90, "method": 0},
}


class TestEveryKind:
    @pytest.mark.parametrize("name", KINDS)
    @pytest.mark.parametrize("size", [(1601, 1203), (997, 1400), (300, 211)])
    def test_is_the_reference_within_a_third_of_a_level(
        self, prepare: Prepare, tmp_path: Path, name: str, size: tuple[int, int]
    ) -> None:
        painting(*size).save(tmp_path / name, **KINDS[name])

        prepared = prepare(tmp_path / name)

        mean, most = distance(model(prepared), expected(Image.open(tmp_path / name)))
        assert mean <= MEAN
        assert most <= MOST
        assert (prepared.width, prepared.height) == size

    @pytest.mark.parametrize(
        ("name", "size"),
        [("wide.jpg", (7001, 5003)), ("tall.jpg", (4001, 6507)), ("tall.png", (3301, 6507))],
    )
    def test_a_large_picture_too(
        self, prepare: Prepare, tmp_path: Path, name: str, size: tuple[int, int]
    ) -> None:
        painting(*size).save(tmp_path / name, quality=92, compress_level=1)

        mean, most = distance(
            model(prepare(tmp_path / name)), expected(Image.open(tmp_path / name))
        )

        assert mean <= MEAN
        assert most <= MOST

    @pytest.mark.parametrize("size", [(1009, 3025), (3025, 1009), (1345, 2021), (2021, 1345)])
    def test_a_picture_that_ends_within_a_pixel_of_its_smaller_self(
        self, prepare: Prepare, tmp_path: Path, size: tuple[int, int]
    ) -> None:
        Image.new("RGB", size, "white").save(tmp_path / "edge.png", compress_level=1)

        _, most = distance(
            model(prepare(tmp_path / "edge.png")), expected(Image.open(tmp_path / "edge.png"))
        )

        assert most <= 3

    def test_a_strip_far_longer_than_wide(self, prepare: Prepare, tmp_path: Path) -> None:
        painting(9000, 40).save(tmp_path / "scroll.png", compress_level=1)

        mean, most = distance(
            model(prepare(tmp_path / "scroll.png")), expected(Image.open(tmp_path / "scroll.png"))
        )

        assert mean <= MEAN
        assert most <= MOST


class TestOrientation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("name", ["o.jpg", "o.png", "o.tif", "o.webp"])
    def test_is_applied_once(
        self, prepare: Prepare, tmp_path: Path, name: str, orientation: int
    ) -> None:
        exif = Image.Exif()
        exif[274] = orientation
        painting(640, 420).save(tmp_path / name, exif=exif, quality=95)
        with Image.open(tmp_path / name) as file:
            upright = ImageOps.exif_transpose(file)

        prepared = prepare(tmp_path / name)

        mean, most = distance(model(prepared), expected(upright))
        assert (mean, most) <= (MEAN, MOST)
        assert (prepared.width, prepared.height) == upright.size
        assert review(prepared).size == upright.size
        assert prepared.facts["orientation"] == orientation

    def test_may_follow_the_pixels_of_a_png(self, prepare: Prepare, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[274] = 6
        painting(640, 420).save(tmp_path / "x.png", exif=exif)
        content = (tmp_path / "x.png").read_bytes()
        start, end = content.index(b"eXIf") - 4, content.index(b"IDAT") - 4
        moved = content[:start] + content[end:-12] + content[start:end] + content[-12:]
        (tmp_path / "late.png").write_bytes(moved)

        assert (
            model(prepare(tmp_path / "late.png")).tolist()
            == model(prepare(tmp_path / "x.png")).tolist()
        )
        assert prepare(tmp_path / "late.png").facts["orientation"] == 6

    @pytest.mark.parametrize("compression", ["tiff_lzw", "zstd"])
    def test_of_a_compressed_tiff_is_applied_once_whoever_reads_it(
        self, prepare: Prepare, tmp_path: Path, compression: str
    ) -> None:
        painting(640, 420).save(tmp_path / "x.tif", compression=compression, tiffinfo={274: 6})

        prepared = prepare(tmp_path / "x.tif")

        upright = painting(640, 420).transpose(Image.Transpose.ROTATE_270)
        assert (prepared.width, prepared.height) == (420, 640)
        assert distance(model(prepared), expected(upright)) <= (MEAN, MOST)

    def test_that_makes_no_sense_is_ignored(self, prepare: Prepare, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[274] = 77
        painting(64, 48).save(tmp_path / "o.jpg", exif=exif)

        assert prepare(tmp_path / "o.jpg").facts["orientation"] == 1


class TestColour:
    def test_sixteen_bit_grey_keeps_its_mean(self, prepare: Prepare, tmp_path: Path) -> None:
        ramp = np.tile(np.linspace(0, 65535, 700).astype(np.uint16), (700, 1))
        Image.fromarray(ramp).save(tmp_path / "grey.tif")
        Image.fromarray(ramp).save(tmp_path / "grey.png")

        for name in ("grey.tif", "grey.png"):
            prepared = prepare(tmp_path / name)

            assert model(prepared).mean() == pytest.approx(ramp.mean() / 257, abs=0.5)
            assert prepared.facts["bit_depth"] == 16

    def test_twelve_bit_grey_keeps_its_mean(self, prepare: Prepare, tmp_path: Path) -> None:
        ramp = np.tile(np.linspace(0, 4095, 700).astype(np.uint16), (700, 1))

        prepared = prepare(twelve_bit_tiff(tmp_path / "grey.tif", ramp))

        assert model(prepared).mean() == pytest.approx(ramp.mean() / 4095 * 255, abs=0.5)
        assert prepared.facts["bit_depth"] == 12

    def test_a_sixteen_bit_negative_is_turned_over(self, prepare: Prepare, tmp_path: Path) -> None:
        dark = np.full((64, 64), 6000, np.uint16)
        Image.fromarray(dark).save(tmp_path / "negative.tif", tiffinfo={262: 0})

        assert model(prepare(tmp_path / "negative.tif")).mean() == pytest.approx(232, abs=1)

    def test_cmyk_without_a_profile(self, prepare: Prepare, tmp_path: Path) -> None:
        painting(900, 700).convert("CMYK").save(tmp_path / "ink.jpg", quality=95)

        prepared = prepare(tmp_path / "ink.jpg")

        mean, most = distance(model(prepared), expected(Image.open(tmp_path / "ink.jpg")))
        assert (mean, most) <= (MEAN, MOST)
        assert prepared.facts["mode"] == "CMYK"

    def test_an_embedded_profile_is_converted(self, prepare: Prepare, tmp_path: Path) -> None:
        red = Image.new("RGB", (64, 64), (200, 20, 20))
        red.save(tmp_path / "swapped.png", icc_profile=profile(swap_red_and_blue))

        prepared = prepare(tmp_path / "swapped.png")

        seen, _, blue = model(prepared)[32, 32].tolist()
        assert blue > 150
        assert seen < 60
        assert str(prepared.facts["icc_profile"]).startswith("converted")
        assert "icc_profile" not in review(prepared).info

    @pytest.mark.parametrize(
        ("mode", "icc", "said"),
        [
            ("RGB", b"no profile at all", "ignored: broken"),
            ("L", profile(), "ignored: made for RGB"),
            ("CMYK", profile(), "ignored: made for RGB"),
            ("RGB", None, "none"),
        ],
    )
    def test_a_profile_that_does_not_fit_is_ignored_and_told(
        self, prepare: Prepare, tmp_path: Path, mode: str, icc: bytes | None, said: str
    ) -> None:
        painting(200, 150).convert(mode).save(tmp_path / "x.jpg", icc_profile=icc, quality=95)

        prepared = prepare(tmp_path / "x.jpg")

        assert prepared.facts["icc_profile"] == said
        mean, _ = distance(model(prepared), expected(Image.open(tmp_path / "x.jpg")))
        assert mean <= MEAN

    def test_a_profile_of_srgb_changes_nothing(self, prepare: Prepare, tmp_path: Path) -> None:
        painting(400, 300).save(tmp_path / "x.png", icc_profile=profile())

        mean, most = distance(
            model(prepare(tmp_path / "x.png")), expected(Image.open(tmp_path / "x.png"))
        )

        assert mean <= MEAN
        assert most <= 3

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
    def test_transparency_lies_on_white_and_hides_what_it_hid(
        self, prepare: Prepare, tmp_path: Path, mode: str
    ) -> None:
        image = Image.new("RGBA", (3000, 3000), (255, 0, 0, 0))
        image.paste((0, 0, 0, 255), (0, 0, 3000, 1500))
        image.convert(mode).save(tmp_path / "cut.png")

        prepared = prepare(tmp_path / "cut.png")

        pixels = model(prepared).astype(int)
        assert pixels[300].min() >= 254
        assert pixels[30].max() <= 1
        assert (pixels.max(-1) - pixels.min(-1)).max() <= 1
        assert prepared.facts["transparency"] is True

    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
    def test_other_modes_follow_pillow(self, prepare: Prepare, tmp_path: Path, mode: str) -> None:
        painting(800, 600).convert(mode).save(tmp_path / "x.png")

        mean, most = distance(
            model(prepare(tmp_path / "x.png")), expected(Image.open(tmp_path / "x.png"))
        )

        assert (mean, most) <= (MEAN, MOST)

    def test_what_has_no_agreed_colours_is_refused_in_words(
        self, prepare: Prepare, tmp_path: Path
    ) -> None:
        Image.fromarray(np.zeros((64, 64), np.float32)).save(tmp_path / "float.tif")

        with pytest.raises(RefusedImageError, match="8 or 16 bit") as refused:
            prepare(tmp_path / "float.tif")
        assert refused.value.code == "unsupported_pixels"


class TestReview:
    def test_is_never_larger_than_a_screen_needs_nor_than_the_original(
        self, prepare: Prepare, tmp_path: Path
    ) -> None:
        painting(4003, 3001).save(tmp_path / "large.jpg")
        painting(321, 123).save(tmp_path / "small.png")

        assert review(prepare(tmp_path / "large.jpg")).size == (3072, 2303)
        assert review(prepare(tmp_path / "small.png")).size == (321, 123)

    def test_carries_no_metadata(self, prepare: Prepare, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[270] = "shelf 7, insured for"
        painting(100, 100).save(
            tmp_path / "x.jpg", exif=exif, comment=b"secret", icc_profile=profile()
        )

        prepared = prepare(tmp_path / "x.jpg")

        assert set(review(prepared).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert b"insured" not in prepared.review_jpeg + prepared.model_png

    def test_looks_like_the_original(self, prepare: Prepare, tmp_path: Path) -> None:
        painting(5000, 4000).save(tmp_path / "x.tif")

        ours = review(prepare(tmp_path / "x.tif"))
        theirs = Image.open(tmp_path / "x.tif").resize(ours.size, Image.Resampling.LANCZOS)

        assert distance(np.asarray(ours), np.asarray(theirs))[0] < 1.5


class TestFacts:
    def test_measure_the_picture_and_not_its_padding(
        self, prepare: Prepare, tmp_path: Path
    ) -> None:
        Image.new("RGB", (900, 100), (255, 128, 0)).save(tmp_path / "orange.png")

        facts = prepare(tmp_path / "orange.png").facts

        assert facts["saturation_mean"] == 1
        assert facts["luma_deviation"] == 0
        assert facts["warmth"] == pytest.approx(1, abs=0.01)
        assert facts["hues"] == pytest.approx(
            dict.fromkeys(("red", "yellow", "green", "blue", "violet", "neutral"), 0)
            | {"orange": 1}
        )

    def test_of_a_grey_picture_have_no_warmth(self, prepare: Prepare, tmp_path: Path) -> None:
        Image.new("L", (64, 64), 128).save(tmp_path / "grey.png")

        facts = prepare(tmp_path / "grey.png").facts

        assert facts["warmth"] == 0
        assert facts["luma_mean"] == pytest.approx(0.5, abs=0.01)


def test_the_same_file_gives_the_same_bytes(prepare: Prepare, tmp_path: Path) -> None:
    painting(640, 480).save(tmp_path / "x.jpg")

    assert prepare(tmp_path / "x.jpg") == prepare(tmp_path / "x.jpg")
