import gzip
import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import Buffer, override

from predella.formats import manifest
from predella.formats.manifest import (
    ManifestBrokenError,
    ManifestHeaderError,
    ManifestRow,
    RowProblem,
)

HEADER = "object_number,filename,title"


def read(text: str | bytes, name: str = "manifest.csv") -> list[ManifestRow | RowProblem]:
    data = text.encode() if isinstance(text, str) else text
    return list(manifest.read(io.BytesIO(data), name=name))


def row(text: str | bytes, name: str = "manifest.csv") -> ManifestRow:
    (only,) = read(text, name)
    assert isinstance(only, ManifestRow), only
    return only


def problem(text: str | bytes, name: str = "manifest.csv") -> RowProblem:
    (only,) = read(text, name)
    assert isinstance(only, RowProblem), only
    return only


class _Generated(io.RawIOBase):
    """A file of any size that is never in memory, given out in odd pieces."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = b""

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        self._rest = self._rest or next(self._parts, b"")
        part, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(part)] = part
        return len(part)


def generated(parts: Iterator[bytes]) -> BinaryIO:
    return _Generated(parts)  # type: ignore[return-value]  # it is read, no more


class TestRead:
    def test_types_every_column(self) -> None:
        text = manifest.template() + ",".join(
            [
                "SK-C-5",
                "a/b.tif",
                "Front",
                "2",
                "y",
                "AB" * 32,
                "cd" * 16,
                '"""e-1"""',
                "Title",
                "Artist",
                "http://vocab.getty.edu/ulan/500125081",
                "c. 1650",
                "oil",
                "40 x 60 cm",
                "https://example.org/SK-C-5",
                "nl",
                "https://creativecommons.org/publicdomain/mark/1.0/",
                "https://rightsstatements.org/page/InC/1.0/?language=en",
                "https://iiif.museum.example/iiif/3/SK%2FC-5/info.json",
                "Gift",
                "Review",
                "why",
                "http://a.example/1; http://a.example/2",
                "denied",
                "allowed",
                "2031-12-31",
                "notes",
            ]
        )

        assert row(text) == ManifestRow(
            number=2,
            object_number="SK-C-5",
            filename="a/b.tif",
            view="front",
            sequence=2,
            primary=True,
            sha256=bytes.fromhex("ab" * 32),
            md5=bytes.fromhex("cd" * 16),
            etag="e-1",
            title="Title",
            artist="Artist",
            artist_uri="http://vocab.getty.edu/ulan/500125081",
            date="c. 1650",
            medium="oil",
            dimensions="40 x 60 cm",
            object_uri="https://example.org/SK-C-5",
            language="nl",
            rights_work="http://creativecommons.org/publicdomain/mark/1.0/",
            rights_image="http://rightsstatements.org/vocab/InC/1.0/",
            iiif_image="https://iiif.museum.example/iiif/3/SK%2FC-5",
            credit_line="Gift",
            sensitivity="review",
            sensitivity_note="why",
            labels="http://a.example/1 http://a.example/2",
            ai_processing=False,
            export=True,
            embargo_until=date(2031, 12, 31),
            notes="notes",
        )

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    def test_takes_what_spreadsheets_write(
        self, encoding: str, delimiter: str, line_end: str
    ) -> None:
        lines = [["object_number", "filename", "title"], ["1", "\u00e5.tif", '"a,b;c\td\ne"']]
        text = line_end.join(delimiter.join(line) for line in lines) + line_end

        read_row = row(text.encode(encoding))

        assert (read_row.object_number, read_row.filename) == ("1", "\u00e5.tif")
        assert read_row.title == "a,b;c\td\ne"

    @pytest.mark.parametrize("name", ["m.csv.gz", "m.csv"])
    def test_unpacks(self, name: str) -> None:
        assert row(gzip.compress(f"{HEADER}\n1,a,b".encode()), name).title == "b"

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_knows_an_encoding_from_a_stream_that_gives_byte_by_byte(self, encoding: str) -> None:
        data = f"{HEADER}\n1,a,\u00e9\n".encode(encoding)
        stream = generated(bytes([byte]) for byte in data)

        (found,) = manifest.read(stream, name="m.csv")

        assert isinstance(found, ManifestRow)
        assert found.title == "\u00e9"

    def test_leaves_the_stream_open(self) -> None:
        stream = io.BytesIO(f"{HEADER}\n1,a,b".encode())

        list(manifest.read(stream, name="m.csv"))

        assert not stream.closed

    def test_counts_rows_as_a_spreadsheet_does(self) -> None:
        text = f'{HEADER}\n1,a,"two\nlines"\n\n,,\n2,b,x\n'

        assert [found.number for found in read(text)] == [2, 5]

    def test_keeps_columns_of_the_teams_own_in_their_order(self) -> None:
        text = "Zustand,object_number,Room,filename,Empty\n gut ,1,2.8,a,\n"

        assert list(row(text).extra.items()) == [("Zustand", "gut"), ("Room", "2.8")]

    def test_keeps_a_filename_byte_for_byte(self) -> None:
        decomposed = "Cafe\u0301.tif"

        found = row(f"{HEADER}\n1,{decomposed},{decomposed}")

        assert (found.filename, found.title) == (decomposed, "Caf\u00e9.tif")

    def test_lets_no_text_of_a_restricted_object_be_written_or_leave(self) -> None:
        found = row("object_number,filename,sensitivity\n1,a,restricted")

        assert not found.ai_processing
        assert not found.export

    def test_reads_no_picture_from_an_image_service(self) -> None:
        found = problem("object_number,filename,iiif_image\n1,,https://i.example/1\n")

        assert "predella reads pictures from the bucket" in found.sentence
        with pytest.raises(ManifestHeaderError, match="predella reads pictures from the bucket"):
            read("object_number,iiif_image\n1,https://i.example/1\n")

    @pytest.mark.parametrize("said", ["https://i.example/1/info.json", "https://i.example/1//"])
    def test_knows_an_image_service_by_its_base(self, said: str) -> None:
        found = row(f"object_number,filename,iiif_image\n1,a.tif,{said}")

        assert found.iiif_image == "https://i.example/1"

    @pytest.mark.parametrize("said", ["http://i.example/1", "urn:nbn:1", "https://i.example/[1]"])
    def test_takes_no_image_service_that_a_catalog_would_not(self, said: str) -> None:
        found = problem(f"object_number,filename,iiif_image\n1,a.tif,{said}")

        assert found.code == "bad_uri"

    def test_tells_everything_that_is_wrong_with_a_row_at_once(self) -> None:
        text = "object_number,filename,sha256,embargo_until,Room\n,../a,12,12/05/31,\ufffd\n"

        found = problem(text)

        assert found.number == 2
        assert found.code == "missing_value"
        assert found.filename == "../a"
        for named in ("object_number", "../a", "sha256", "12/05/31", "Room"):
            assert named in found.sentence

    @pytest.mark.parametrize(
        ("column", "cell", "code"),
        [
            ("filename", "/a.tif", "bad_filename"),
            ("filename", "a/../../b.tif", "bad_filename"),
            ("filename", "./a.tif", "bad_filename"),
            ("filename", "a//b.tif", "bad_filename"),
            ("filename", "folder/", "bad_filename"),
            ("filename", "C:\\scans\\a.tif", "bad_filename"),
            ("filename", "s3://bucket/a.tif", "bad_filename"),
            ("filename", "a\x07.tif", "control_character"),
            ("filename", '"a\n.tif"', "control_character"),
            ("filename", "\u00e9" * 513, "too_long"),
            ("object_number", "1\x002", "control_character"),
            ("object_number", "1" * 201, "too_long"),
            ("title", "x" * 10_001, "too_long"),
            ("title", "x\0y", "control_character"),
            ("sequence", "-1", "bad_number"),
            ("sequence", "9" * 5_000, "bad_number"),
            ("sequence", "\u0663", "bad_number"),
            ("primary", "perhaps", "bad_choice"),
            ("sha256", "ab" * 31, "bad_digest"),
            ("md5", "zz" * 16, "bad_digest"),
            ("artist_uri", "javascript:alert(1)", "bad_uri"),
            ("object_uri", "http://a b", "bad_uri"),
            ("object_uri", "http:///a", "bad_uri"),
            ("object_uri", "http://<b>", "bad_uri"),
            ("rights_work", "CC BY 4.0", "unknown_rights"),
            ("sensitivity", "secret", "bad_choice"),
            ("ai_processing", "no", "bad_choice"),
            ("language", "english language", "bad_language"),
            ("embargo_until", "31.12.2031", "bad_date"),
            ("embargo_until", "2031-02-30", "bad_date"),
            ("embargo_until", "20311231", "bad_date"),
        ],
    )
    def test_explains_a_cell_that_cannot_be_right(self, column: str, cell: str, code: str) -> None:
        cells = {"object_number": "1", "filename": "a.tif", column: cell}

        found = problem(f"{','.join(cells)}\n{','.join(cells.values())}\n")

        assert found.code == code
        assert column in found.sentence
        assert len(found.sentence) < 500
        assert all("\0" not in shown and len(shown) <= 201 for shown in found.raw.values())

    @pytest.mark.parametrize("line", ["1,a", "1,a,b,c", "1"])
    def test_explains_a_row_with_too_many_or_too_few_values(self, line: str) -> None:
        found = problem(f"{HEADER}\n{line}\n")

        assert found.code == "ragged_row"
        assert "comma" in found.sentence

    def test_allows_empty_values_beyond_the_header(self) -> None:
        assert row(f"{HEADER},,\n1,a,b,,,,\n").title == "b"

    def test_explains_a_stray_quotation_mark_and_reads_on(self) -> None:
        found = read(f'{HEADER}\n1,a,"Untitled" (blue)\n2,b,5" high\n')

        assert [type(each) for each in found] == [RowProblem, ManifestRow]
        assert isinstance(found[1], ManifestRow)
        assert found[1].title == '5" high'

    def test_stops_where_an_open_quotation_mark_swallows_rows(self) -> None:
        rows = manifest.read(
            io.BytesIO(f'{HEADER}\n1,a,x\n2,b,"open\n3,c,"y"\n4,d,z\n'.encode()), name="m.csv"
        )

        assert next(rows).number == 2
        with pytest.raises(ManifestBrokenError, match="row 3"):
            list(rows)

    def test_a_byte_that_is_not_utf_8_spoils_its_own_row_alone(self) -> None:
        good = "".join(f"{number},a,{'x' * 90}\n" for number in range(1_000))
        text = f"{HEADER}\n{good}".encode() + b"later,b,Mus\xe9e\nlast,c,x\n"

        found = read(text)

        assert [each.code for each in found if isinstance(each, RowProblem)] == ["bad_encoding"]
        assert found[-1].object_number == "last"

    @given(st.binary(max_size=300))
    def test_answers_any_bytes(self, data: bytes) -> None:
        for name in ("m.csv", "m.jsonl"):
            try:
                read(b'object_number,filename\n"' + data, name)
                read(b'{"object_number":"1","filename":"' + data, name)
                read(data, name)
            except (ManifestHeaderError, ManifestBrokenError):
                continue


class TestReadHeader:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "is empty"),
            ("\n\n  \n", "is empty"),
            (f"{HEADER}\n", "no rows"),
            (f"{HEADER}\n,,\n", "no rows"),
            ("object_number,title\n1,x", "no column filename"),
            ("a;b\n1;x", "no column object_number and no column filename"),
            ("object_number,filname,title\n1,a,x", 'did you mean "filename"'),
            ("object_number,filename,Titel\n1,a,x", 'did you mean "title"'),
            ("object_number,filename,sensitive\n1,a,x", 'did you mean "sensitivity"'),
            ("object_number,filename,senstivity\n1,a,x", 'did you mean "sensitivity"'),
            ("object_number,filename,Object Number\n1,a,x", 'two columns for "object_number"'),
            ("object_number,filename,Room,Room\n1,a,x,y", 'two columns for "Room"'),
            ("object_number,,filename\n1,a,x", "Column 2"),
            ("object_number,filename" + ",x" * 500 + "\n", "more than 500"),
            ('"object_number"x,filename\n1,a', "not CSV"),
        ],
    )
    def test_is_refused_before_any_row(self, text: str, says: str) -> None:
        with pytest.raises(ManifestHeaderError, match=says):
            manifest.read(io.BytesIO(text.encode()), name="m.csv")

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (f"{HEADER}\n1,a,Mus\u00e9e\n".encode("latin-1"), "Windows-1252.*CSV UTF-8"),
            (f"{HEADER}\n1,a,b".encode("utf-16-le"), "UTF-16 without"),
            (b"PK\x03\x04 and so on", "Excel workbook"),
            (gzip.compress(b"object_number,filename\n1,a\n", mtime=0)[:20], "damaged"),
            (b"\x1f\x8bnot gzip at all", "damaged"),
        ],
    )
    def test_says_what_is_wrong_with_the_file(self, data: bytes, says: str) -> None:
        with pytest.raises(ManifestHeaderError, match=says):
            manifest.read(io.BytesIO(data), name="m.csv")

    @pytest.mark.parametrize(
        "header",
        [
            "Object Number,FileName",
            "OBJECT-NUMBER,file name",
            "accession_number,file",
            "inventory number,File_Name",
            "x_filname,object_number,filename",
            "titles,title,object_number,filename",
            "title_de,artist id,object_number,filename",
            "File,object_number,filename",
        ],
    )
    def test_understands_what_people_call_their_columns(self, header: str) -> None:
        cells = [f"v{place}" for place, _ in enumerate(header.split(","))]

        found = row(f"{header}\n{','.join(cells)}")

        assert {found.object_number, found.filename} == set(cells[-2:])


class TestReadJsonLines:
    def test_takes_the_columns_as_keys(self) -> None:
        text = (
            '{"Object Number": 1925.10, "filename": "a.tif", "primary": true, "sequence": 3,'
            ' "labels": ["http://a.example/1", "http://a.example/2"], "title": null,'
            ' "Room": {"floor": "2"}}'
        )

        found = row(text, "m.jsonl")

        assert found.object_number == "1925.10"
        assert (found.primary, found.sequence, found.title) == (True, 3, None)
        assert found.labels == "http://a.example/1 http://a.example/2"
        assert found.extra == {"Room": '{"floor": "2"}'}

    def test_passes_over_a_byte_order_mark(self) -> None:
        text = '{"object_number": "1", "filename": "a"}'

        assert row(text.encode("utf-8-sig"), "m.jsonl").filename == "a"

    @pytest.mark.parametrize(
        "line",
        [
            "not json",
            "[1, 2]",
            '"text"',
            "[" * 100_000,
            '{"a": ' * 50_000,
            '{"object_number": NaN, "filename": "b"}',
            '{"object_number": "1", "object_number": "2", "filename": "b"}',
            '{"object_number": "1", "filename": "b"} {}',
        ],
    )
    def test_explains_a_line_that_is_no_row_and_reads_on(self, line: str) -> None:
        good = '{"object_number": "1", "filename": "a"}'

        first, second, third = read(f"{good}\n{line}\n{good}\n", "m.jsonl")

        assert isinstance(second, RowProblem)
        assert (second.code, second.number) == ("bad_json", 2)
        assert isinstance(first, ManifestRow)
        assert isinstance(third, ManifestRow)

    def test_explains_a_later_line_with_other_keys(self) -> None:
        text = '{"object_number": "1", "filename": "a"}\n{"object_number": "2", "filname": "b"}\n'

        found = read(text, "m.jsonl")[1]

        assert isinstance(found, RowProblem)
        assert (found.code, found.object_number) == ("bad_columns", "2")
        assert 'did you mean "filename"' in found.sentence

    def test_a_lone_surrogate_is_a_problem_and_a_pair_is_not(self) -> None:
        line = '{"object_number": "1", "filename": "a", "title": "%s"}\n'

        found = read(line % "\\ud83d" + line % "\\ud83d\\ude00", "m.jsonl")

        assert isinstance(found[0], RowProblem)
        assert found[0].code == "bad_encoding"
        assert isinstance(found[1], ManifestRow)
        assert found[1].title == "\U0001f600"

    @pytest.mark.parametrize("digits", ["9" * 10_000, "1e999999"])
    def test_a_huge_number_is_a_problem(self, digits: str) -> None:
        line = f'{{"object_number": "1", "filename": "a", "sequence": {digits}}}'

        assert problem(line, "m.jsonl").code == "bad_number"

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "is empty"),
            ('[{"object_number": "1"}]', "Line 1.*not one JSON object"),
            ("[\n{}\n]", "Line 1.*is not JSON"),
            ('{"object_number": "1"}', "no column filename"),
        ],
    )
    def test_refuses_a_file_whose_first_line_is_no_row(self, text: str, says: str) -> None:
        with pytest.raises(ManifestHeaderError, match=says):
            manifest.read(io.BytesIO(text.encode()), name="m.jsonl")


class TestReadHuge:
    @pytest.mark.parametrize("name", ["m.csv", "m.jsonl"])
    def test_a_hundred_thousand_rows_take_constant_memory(self, name: str) -> None:
        given = 0

        def parts() -> Iterator[bytes]:
            nonlocal given
            keys = ["object_number", "filename", "title", "Room"]
            if name == "m.csv":
                yield (",".join(keys) + "\n").encode()
            for given in range(1, 100_001):
                cells = [f"{given}", f"{given}.tif", "A title", "2.8"]
                csv_line = ",".join(cells)
                json_line = json.dumps(dict(zip(keys, cells, strict=True)))
                yield f"{csv_line if name == 'm.csv' else json_line}\n".encode()

        rows = manifest.read(generated(parts()), name=name)
        given_for_the_header = given
        count = sum(1 for _ in islice(rows, 90_000))
        tracemalloc.start()
        count += sum(1 for _ in rows)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert given_for_the_header < 10_000
        assert count == 100_000
        assert peak < 2_000_000

    @pytest.mark.parametrize("name", ["m.csv", "m.jsonl"])
    @pytest.mark.parametrize("begin", ["", '"'])
    @pytest.mark.parametrize("line_end", ["", "\n"])
    def test_a_row_without_end_is_refused_in_bounded_memory(
        self, name: str, begin: str, line_end: str
    ) -> None:
        def parts() -> Iterator[bytes]:
            header = HEADER if name == "m.csv" else '{"object_number":"1","filename":"a"}'
            yield f"{header}\n1,a,{begin}".encode()
            for _ in range(1_000):
                yield (b"x" * 1_000_000) + line_end.encode()

        tracemalloc.start()
        with pytest.raises((ManifestBrokenError, ManifestHeaderError)):
            list(manifest.read(generated(parts()), name=name))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert peak < 20_000_000

    def test_a_bomb_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("predella.formats.manifest.lines.MAX_CHARACTERS", 1_000_000)
        bomb = gzip.compress(f"{HEADER}\n1,a,b\n".encode() + b"\n" * 2_000_000)

        with pytest.raises(ManifestBrokenError, match="part it"):
            read(bomb)


class TestTemplate:
    def test_is_a_header_that_we_accept(self) -> None:
        cells = {"object_number": "1", "filename": "a.tif"}
        line = ",".join(cells.get(column.name, "") for column in manifest.COLUMNS)

        assert row(manifest.template() + line).object_number == "1"


class TestIsManifest:
    @pytest.mark.parametrize("name", ["m.csv", "M.CSV", "m.jsonl", "m.ndjson", "m.tsv", "m.csv.gz"])
    def test_knows_its_names(self, name: str) -> None:
        assert manifest.is_manifest(name)

    @pytest.mark.parametrize("name", ["m.tif", "m", "csv", "folder/", "m.xlsx", "m.tar.gz"])
    def test_knows_no_others(self, name: str) -> None:
        assert not manifest.is_manifest(name)
