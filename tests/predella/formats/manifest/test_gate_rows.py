import gzip
from datetime import date
from io import BytesIO
from typing import Any

import pytest

from predella.errors import ManifestError
from predella.formats.manifest import gate_rows


def _read(text: str, encoding: str = "utf-8") -> dict[str, Any]:
    return dict(gate_rows.read(BytesIO(text.encode(encoding))))


class TestRead:
    def test_takes_a_list_of_numbers_one_on_a_line(self) -> None:
        found = _read("1925.12.3, a\r\n\r\n  SK-Ä-2 \n1925.12.3, a\n")

        assert found == {"1925.12.3, a": {}, "SK-Ä-2": {}}

    def test_takes_the_columns_of_gates_from_a_manifest_and_no_other(self) -> None:
        found = _read(
            "accession number;filename;title;Sensitivity;AI_processing;export;embargo_until;"
            "rights_work\n"
            "1;a.jpg;Vase;restricted;;denied;2031-12-31;\n"
            "2;b.jpg;;;allowed;;;https://creativecommons.org/publicdomain/zero/1.0/\n"
        )

        assert found == {
            "1": {
                "sensitivity": "restricted",
                "exportable": False,
                "embargo_until": date(2031, 12, 31),
            },
            "2": {
                "ai_processing": True,
                "rights_work": "http://creativecommons.org/publicdomain/zero/1.0/",
            },
        }

    def test_reads_what_manifests_may_be(self) -> None:
        assert _read("1\n2\n", "utf-16") == {"1": {}, "2": {}}
        packed = BytesIO(gzip.compress(b"object_number\n1\n"))
        assert gate_rows.read(packed) == {"1": {}}

    def test_takes_several_rows_of_one_object_that_agree(self) -> None:
        assert _read("object_number,view,export\n1,front,denied\n1,back,denied\n") == {
            "1": {"exportable": False}
        }

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "empty"),
            ("object_number,export\n", "names no object"),
            ("object_number,export\n1,denied\n1,allowed\n", "Row 3 says something else of 1"),
            ("object_number,export\n\n1,perhaps\n", 'Row 3: export "perhaps" is not one of'),
            ("object_number,export\n1,2,denied\n", "Row 2 has 3 values where the header has 2"),
            ('object_number,export\n1,"denied\n', "Row 2 is not CSV"),
            ("1\n2\n3\x07\n", "Row 3: .* control character"),
            ("x" * 201, "longer than 200"),
        ],
    )
    def test_says_what_is_wrong(self, text: str, words: str) -> None:
        with pytest.raises(ManifestError, match=words):
            _read(text)
