import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predella.formats import csv_file
from tests.predella.formats import hostile


def restored(cell: str) -> str:
    """Read a value back as the module documents it."""
    return cell[1:] if re.match("'+[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n]", cell) else cell


def read(data: bytes) -> list[str]:
    (row,) = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    return row


class TestRow:
    @given(st.text(st.characters(codec="utf-8")) | st.text("'=+-@\t\n\u00e9\"", max_size=6))
    def test_brings_any_text_through(self, text: str) -> None:
        assert restored(read(csv_file.row([text, "end"]))[0]) == text

    @pytest.mark.parametrize("name", hostile.TEXTS)
    def test_lets_no_cell_begin_like_a_formula(self, name: str) -> None:
        text = hostile.TEXTS[name]

        cells = read(csv_file.row([text, f"={text}", "end"]))

        assert not any(map(csv_file.is_formula, cells))
        assert [restored(cell) for cell in cells] == [text, f"={text}", "end"]

    def test_changes_nothing_where_no_spreadsheet_reads(self) -> None:
        assert read(csv_file.row(["=1+1", "-"], for_spreadsheet=False)) == ["=1+1", "-"]

    def test_leaves_an_apostrophe_that_is_part_of_a_name(self) -> None:
        assert read(csv_file.row(["'t Hooft", 1, None])) == ["'t Hooft", "1", ""]

    def test_ends_rows_as_rfc_4180_says(self) -> None:
        assert csv_file.row(["a", "b"]) == b"a,b\r\n"
