import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predella.formats import csv_file
from predella.formats.entry import CatalogEntry
from predella.formats.text import normalise
from tests.predella.formats import factories, hostile


def read(*entries: CatalogEntry) -> list[dict[str, str]]:
    written = csv_file.BEGIN + b"".join(map(csv_file.encode, entries)) + csv_file.END
    return list(csv.DictReader(io.StringIO(written.decode(), newline=""), strict=True))


def restored(cell: str) -> str:
    """Read a value back as the module documents it."""
    return cell[1:] if re.match("'+[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n]", cell) else cell


class TestEncode:
    @given(st.text() | st.text("'=+-@\t\n\u00e9\"", max_size=6))
    def test_brings_any_wording_through(self, text: str) -> None:
        (row,) = read(factories.bare(normalise(text)))

        assert restored(row["text"]) == normalise(text)

    @pytest.mark.parametrize("name", hostile.TEXTS)
    def test_lets_no_cell_begin_like_a_formula(self, name: str) -> None:
        text = hostile.TEXTS[name]
        (row,) = read(factories.full(text, title=text, artist=text, number=f"={text}"))

        assert not [cell for cell in row.values() if cell[:1] in set("=+-@\t\r\n\uff1d")]
        assert restored(row["title"]) == text
        assert restored(row["object_number"]) == f"={text}"

    def test_leaves_an_apostrophe_that_is_part_of_a_name(self) -> None:
        (row,) = read(factories.full(artist="'t Hooft"))

        assert row["artist"] == "'t Hooft"

    def test_ends_rows_as_rfc_4180_says(self) -> None:
        assert csv_file.encode(factories.bare()).endswith(b"\r\n")

    def test_carries_provenance_and_the_columns_of_the_manifest(self) -> None:
        (row,) = read(factories.full())

        assert row["object_number"] == "SK-C/5 (1)"
        assert row["notice"] == factories.NOTICE
        assert row["disclosure"].startswith(factories.NOTICE)
        assert row["human_involvement"] == "ai_edited"
        assert row["adapter_sha256"] == "cd" * 32
        assert row["decided_at"] == "2026-01-20T10:00:00Z"
        assert row["revision_number"] == "2"
        assert row["image_key"] == "a/\u00c5 b.tif"
        assert json.loads(row["extra"]) == {"Room": "2.8", "Zustand": "gut"}

    def test_leaves_empty_what_is_not_known(self) -> None:
        (row,) = read(factories.bare())

        assert row["title"] == row["notice"] == row["adapter_sha256"] == ""
