from pathlib import Path

from tests.worker.engine.conftest import Open
from worker.engine.protocol import Generation
from worker.training import checkpoint
from worker.training.words import TEXT


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


class TestWrite:
    def test_gives_the_same_files_for_the_same_seed_and_no_other(
        self, directory: Path, tmp_path: Path
    ) -> None:
        checkpoint.write(tmp_path / "again")
        checkpoint.write(tmp_path / "other", seed=1)

        assert content(tmp_path / "again") == content(directory)
        assert content(tmp_path / "other") != content(directory)

    def test_is_small(self, directory: Path) -> None:
        assert sum(len(file) for file in content(directory).values()) < 6_000_000

    def test_writes_only_words_of_the_trade(self, opened: Open, pictures: list[bytes]) -> None:
        for answer in opened(most=20).generate(pictures):
            assert isinstance(answer, Generation)
            words = answer.text.translate(str.maketrans("", "", ".,;:")).split()
            assert words
            assert set(words) <= set(TEXT.translate(str.maketrans("", "", ".,;:")).split())

    def test_mostly_ends_its_texts_itself(self, opened: Open, pictures: list[bytes]) -> None:
        answers = opened(most=256).generate(pictures)

        ended = [
            one for one in answers if isinstance(one, Generation) and one.finish_reason == "stop"
        ]
        assert len(ended) > len(pictures) / 2
