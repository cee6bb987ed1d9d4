from pathlib import Path

import pytest

from tests.worker import golden
from worker.importing import ReleaseFileError
from worker.importing.sentencepiece import pieces

FILE = golden.BASE / "tokenizer.model"


class TestPieces:
    def test_reads_text_score_and_kind_of_each_token(self) -> None:
        found = pieces(FILE)

        assert len(found) == golden.TOKENS
        assert [piece.text for piece in found[:4]] == ["<unk>", "<s>", "</s>", "<0x00>"]
        assert [piece.is_normal for piece in found[:4]] == [False] * 4
        assert found[259].is_normal
        assert (found[259].text, found[259].score) == ("\u2581\u2581", -1e9)
        assert len({piece.text for piece in found}) == len(found)

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.9999])
    def test_refuses_a_file_that_was_cut_off(self, tmp_path: Path, share: float) -> None:
        content = FILE.read_bytes()
        cut = tmp_path / "tokenizer.model"
        cut.write_bytes(content[: int(len(content) * share)])

        with pytest.raises(ReleaseFileError, match="download"):
            pieces(cut)

    @pytest.mark.parametrize("content", [b"{}", b"\xff" * 40, b"\x0a\xff\xff\xff\xff\x7f", b"\x0b"])
    def test_refuses_what_is_something_else(self, tmp_path: Path, content: bytes) -> None:
        other = tmp_path / "tokenizer.model"
        other.write_bytes(content)

        with pytest.raises(ReleaseFileError, match="download"):
            pieces(other)

    def test_says_when_it_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(ReleaseFileError, match="missing"):
            pieces(tmp_path / "tokenizer.model")
