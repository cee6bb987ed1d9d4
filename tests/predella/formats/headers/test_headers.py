import struct
import zlib
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from predella.errors import RefusedImageError
from predella.formats import headers
from predella.formats.headers import Field, Header, Pieces
from predella.formats.headers.walking import Size
from tests import pictures

KINDS = ("JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
ARTWORK = "Iptc4xmpExt:ArtworkOrObject/AOSourceInvNo"


def read(body: bytes, field: str | None = None, *, first: int = 64) -> Header:
    """Read a header as if it lay far away: a little first, then what more is asked for."""
    held = [(0, body[:first])]
    wanted = Field.parse(field) if field else None
    for _ in range(200):
        header = headers.read(Pieces(len(body), held), wanted)
        if header.more is None:
            return header
        start, length = header.more
        held.append((start, body[start : start + length]))
    raise AssertionError("it asks and asks")


class TestSize:
    @pytest.mark.parametrize("kind", KINDS)
    def test_is_read_of_every_kind(self, kind: str) -> None:
        assert read(pictures.picture(kind)).size == Size(40, 30)

    @pytest.mark.parametrize(
        ("kind", "options"),
        [
            ("JPEG", {"progressive": True, "icc_profile": bytes(150_000)}),
            ("JPEG2000", {"no_jp2": True}),
            ("TIFF", {"big_tiff": True}),
            ("TIFF", {"compression": "tiff_lzw"}),
            ("WEBP", {"lossless": True}),
            ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}),
        ],
    )
    def test_is_read_however_it_is_written(self, kind: str, options: dict[str, Any]) -> None:
        assert read(pictures.picture(kind, **options)).size == Size(40, 30)

    def test_of_a_tiff_may_stand_at_its_end_and_in_either_order(self) -> None:
        entries = struct.pack(">HHHIHHHHII", 2, 256, 3, 1, 700, 0, 257, 4, 1, 500)
        body = b"MM\0*" + struct.pack(">I", 90_000) + bytes(90_000 - 8) + entries + bytes(4)

        assert read(body).size == Size(700, 500)

    def test_comes_of_few_bytes(self) -> None:
        body = pictures.picture("JPEG", icc_profile=bytes(600_000))

        header = headers.read(Pieces(len(body), [(0, body[:64])]), None)

        assert header.more is not None
        assert header.more[1] < 100

    def test_is_left_open_where_only_a_decoder_can_tell(self) -> None:
        assert read(b"\xff\xd8\xff\xe0\0\4abjunk that some decoders skip").size is None


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"<html>Not found</html>", "not a JPEG"),
            (b"RIFF\x24\0\0\0WAVEfmt ", "not a JPEG"),
            (b"GIF89a" + bytes(50), "not a JPEG"),
            (b"\x89PNG\n\x1a\n changed by a transfer as text", "not a JPEG"),
            (b"x", "not a JPEG"),
            (bytes(5_000), "begins with zeros"),
        ],
    )
    def test_name_what_is_no_picture(self, body: bytes, words: str) -> None:
        with pytest.raises(RefusedImageError, match=words):
            read(body)

    @pytest.mark.parametrize("kind", KINDS)
    def test_name_a_file_that_ends_within_its_header(self, kind: str) -> None:
        with pytest.raises(RefusedImageError, match="was not copied whole"):
            read(pictures.picture(kind)[:20])

    def test_name_a_tiff_whose_directory_was_not_copied(self) -> None:
        with pytest.raises(RefusedImageError, match="was not copied whole"):
            read(b"II*\0" + struct.pack("<I", 90_000) + bytes(5_000))

    def test_name_a_webp_that_is_shorter_than_it_says(self) -> None:
        with pytest.raises(RefusedImageError, match="was not copied whole"):
            read(pictures.picture("WEBP")[:-10])

    @pytest.mark.parametrize("kind", KINDS)
    def test_never_name_a_picture_that_is_whole_or_only_lacks_pixels(self, kind: str) -> None:
        body = pictures.picture(kind, xmp=pictures.artworks("1"))
        for cut in range(len(body) - 200, len(body) + 1, 7):
            try:
                read(body[:cut], ARTWORK)
            except RefusedImageError:
                with pytest.raises(OSError):  # noqa: PT011  (Pillow's own; it has many words)
                    Image.open(BytesIO(body[:cut])).load()


class TestFields:
    @pytest.mark.parametrize("kind", KINDS)
    def test_of_xmp_are_read_of_every_kind(self, kind: str) -> None:
        body = pictures.picture(kind, xmp=pictures.artworks("SK/A.1", "ÁB 12"))

        header = read(body, ARTWORK)

        assert (header.values, header.size) == (["SK/A.1", "ÁB 12"], Size(40, 30))

    @pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
    def test_of_iim_are_read_of_jpeg_and_tiff(self, kind: str) -> None:
        iim = pictures.datasets((2, 0, b"\0\2"), (2, 5, b"Dawn"), (2, 103, b"1925.12"))
        body = pictures.picture(kind, iim=iim)

        assert [read(body, field).values for field in ("2:103", "2:05", "2:120")] == [
            ["1925.12"],
            ["Dawn"],
            [],
        ]

    def test_of_a_png_may_follow_its_pixels_compressed(self) -> None:
        held = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(pictures.artworks("7").encode())
        chunk = pictures._chunk(b"iTXt", held)
        whole = pictures.picture("PNG")
        body = whole[:-12] + chunk + whole[-12:]

        assert read(body, ARTWORK).values == ["7"]

    def test_that_unpack_to_too_much_are_none(self) -> None:
        held = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(50_000_000))
        whole = pictures.picture("PNG")
        body = whole[:-12] + pictures._chunk(b"iTXt", held) + whole[-12:]

        assert read(body, ARTWORK).values == []

    def test_not_in_the_metadata_are_none(self) -> None:
        body = pictures.picture("JPEG", xmp=pictures.artworks("7"), iim=b"no datasets")

        assert read(body, "dc:identifier").values == []
        assert read(body, "2:103").values == []

    def test_are_looked_for_no_longer_than_until_they_are_found(self) -> None:
        packet = pictures.packet(
            "<photoshop:TransmissionReference>1</photoshop:TransmissionReference>"
        )
        body = pictures.picture("TIFF", xmp=packet, compression="tiff_lzw")

        assert read(body, "photoshop:TransmissionReference").values == ["1"]

    def test_each_count_once_without_the_spaces_around_them(self) -> None:
        body = pictures.picture("JPEG", xmp=pictures.artworks(" A\n 1 ", "B", "A 1", " "))

        assert read(body, ARTWORK).values == ["A 1", "B"]


class TestAnyBytes:
    @pytest.mark.parametrize("kind", KINDS)
    def test_end_in_a_header_or_a_refusal(self, kind: str) -> None:
        whole = pictures.picture(
            kind, xmp=pictures.artworks("1"), iim=pictures.datasets((2, 5, b"x"))
        )
        for place in range(len(whole)):
            body = whole[:place] + (b"\0", b"\xff")[place % 2] + whole[place + 1 :]
            with suppress(RefusedImageError):
                read(body, (ARTWORK, "2:05")[place // 2 % 2], first=512)
