"""Everything that digitization teams and strangers hand in instead of a picture."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from predella.errors import RefusedImageError
from tests.worker.images.conftest import Prepare
from tests.worker.images.files import painting, png_bomb, png_header, tiff_directories
from tests.worker.images.tiffs import CMYK, tiff
from worker.images import Limits


@pytest.fixture
def refused(prepare: Prepare, tmp_path: Path) -> "Refused":
    return Refused(prepare, tmp_path)


class Refused:
    """Hands files in and returns why each was refused."""

    def __init__(self, prepare: Prepare, folder: Path) -> None:
        self.prepare, self.folder = prepare, folder

    def code(self, path: Path, limits: Limits | None = None) -> str:
        with pytest.raises(RefusedImageError) as refusal:
            self.prepare(path, limits)
        assert str(refusal.value).endswith((".", "?"))
        return refusal.value.code

    def bytes(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return self.code(self.folder / name)


class TestNoPicture:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("eps.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n"),
            ("svg.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"),
            ("pdf.tif", b"%PDF-1.7\n1 0 obj<<>>endobj\n"),
            ("text.jpg", "Übersicht der Bilder".encode()),
            ("gif.jpg", b"GIF89a" + bytes(100)),
            ("jxl.jpg", b"\xff\x0a" + bytes(100)),
            ("jxl.jp2", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100)),
            ("avif.jpg", b"\0\0\0\x1cftypavif" + bytes(100)),
        ],
    )
    def test_is_not_even_tried(self, refused: Refused, name: str, content: bytes) -> None:
        assert refused.bytes(name, content) == "unsupported_format"

    def test_an_empty_file(self, refused: Refused) -> None:
        assert refused.bytes("empty.jpg", b"") == "empty"

    def test_a_signature_and_nothing_behind_it(self, refused: Refused) -> None:
        assert refused.bytes("begun.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF") == "undecodable"


class TestDamaged:
    @pytest.mark.parametrize("name", ["half.jpg", "half.png", "half.tif"])
    def test_copied_by_half(self, refused: Refused, tmp_path: Path, name: str) -> None:
        painting(800, 600).save(tmp_path / name)
        content = (tmp_path / name).read_bytes()

        assert refused.bytes(name, content[: len(content) // 2]) == "truncated"

    def test_copied_by_half_and_compressed(self, refused: Refused, tmp_path: Path) -> None:
        painting(800, 600).save(tmp_path / "half.tif", compression="tiff_lzw")
        content = (tmp_path / "half.tif").read_bytes()

        assert refused.bytes("half.tif", content[: len(content) // 2]) in {
            "truncated",
            "undecodable",
        }

    def test_a_jpeg_2000_copied_by_half(self, refused: Refused, tmp_path: Path) -> None:
        painting(800, 600).save(tmp_path / "half.jp2", irreversible=True)
        content = (tmp_path / "half.jp2").read_bytes()

        assert refused.bytes("half.jp2", content[: len(content) // 2]) in {
            "truncated",
            "undecodable",
        }

    @pytest.mark.parametrize("end", range(12, 200, 9))
    def test_a_jpeg_2000_of_which_only_the_beginning_is_there(
        self, refused: Refused, tmp_path: Path, end: int
    ) -> None:
        painting(800, 600).save(tmp_path / "begun.jp2")
        content = (tmp_path / "begun.jp2").read_bytes()

        assert refused.bytes("begun.jp2", content[:end]) in {"truncated", "undecodable"}

    def test_pixels_that_are_not_read(self, refused: Refused, tmp_path: Path) -> None:
        inks = np.zeros((64, 64, 5), np.uint8)

        assert refused.code(tiff(tmp_path / "x.tif", inks, CMYK, extra=2)) == "undecodable"

    def test_overwritten_in_the_middle(self, refused: Refused, tmp_path: Path) -> None:
        painting(800, 600).save(tmp_path / "x.png")
        content = bytearray((tmp_path / "x.png").read_bytes())
        content[len(content) // 2 : len(content) // 2 + 64] = bytes(64)

        assert refused.bytes("x.png", bytes(content)) == "undecodable"


class TestSize:
    def test_a_placeholder(self, refused: Refused, tmp_path: Path) -> None:
        Image.new("RGB", (400, 15)).save(tmp_path / "thin.png")

        assert refused.code(tmp_path / "thin.png") == "too_small"

    @pytest.mark.parametrize("size", [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (600_001, 1000)])
    def test_a_header_that_claims_too_much_is_enough(
        self, refused: Refused, tmp_path: Path, size: tuple[int, int]
    ) -> None:
        assert refused.code(png_header(tmp_path / "claim.png", *size)) == "too_many_pixels"

    def test_more_bytes_than_allowed(self, refused: Refused, tmp_path: Path) -> None:
        painting(300, 200).save(tmp_path / "x.png")

        assert refused.code(tmp_path / "x.png", Limits(max_bytes=1000)) == "too_many_bytes"

    def test_more_than_pillow_would_take_by_itself(self, prepare: Prepare, tmp_path: Path) -> None:
        Image.new("L", (14_000, 13_000), 40).save(tmp_path / "scan.png", compress_level=1)

        assert prepare(tmp_path / "scan.png").width == 14_000


class TestTraps:
    def test_a_bomb_of_plain_rows_costs_next_to_nothing(
        self, prepare: Prepare, tmp_path: Path
    ) -> None:
        bomb = png_bomb(tmp_path / "bomb.png", 9000)
        assert bomb.stat().st_size < 400_000

        assert prepare(bomb, Limits(base_memory=300 << 20, bytes_per_pixel=0)).width == 9000

    def test_a_bomb_that_needs_all_its_pixels_at_once_has_the_memory_of_its_pixels_and_no_more(
        self, refused: Refused, tmp_path: Path
    ) -> None:
        bomb = png_bomb(tmp_path / "bomb.png", 9000, interlaced=True)
        assert bomb.stat().st_size < 400_000

        limits = Limits(base_memory=300 << 20, bytes_per_pixel=0)

        assert refused.code(bomb, limits) == "out_of_memory"

    def test_a_hundred_thousand_pages_are_not_counted(
        self, prepare: Prepare, tmp_path: Path
    ) -> None:
        path = tiff_directories(tmp_path / "pages.tif", 100_000)

        assert prepare(path, Limits(wall_seconds=10)).format == "TIFF"

    def test_a_text_chunk_that_unpacks_to_hundreds_of_megabytes(
        self, refused: Refused, tmp_path: Path
    ) -> None:
        body = b"k\0\0" + zlib.compress(bytes(200_000_000), 9)
        Image.new("RGB", (64, 64)).save(tmp_path / "x.png")
        content = (tmp_path / "x.png").read_bytes()
        chunk = struct.pack(">I", len(body)) + b"zTXt" + body
        chunk += struct.pack(">I", zlib.crc32(b"zTXt" + body))

        assert refused.bytes("chunk.png", content[:33] + chunk + content[33:]) == "undecodable"

    def test_a_polyglot_leaves_only_its_pixels_behind(
        self, prepare: Prepare, tmp_path: Path
    ) -> None:
        painting(64, 64).save(tmp_path / "x.jpg", comment=b"<script>alert(1)</script>")
        with (tmp_path / "x.jpg").open("ab") as file:
            file.write(b"PK\3\4<script>alert(2)</script>")

        prepared = prepare(tmp_path / "x.jpg")

        assert b"script" not in prepared.review_jpeg + prepared.model_png
