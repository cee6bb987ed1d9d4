from statistics import mean, median

from worker.bench.lengths import CAP, lengths


class TestLengths:
    def test_are_those_of_paragraphs(self) -> None:
        found = lengths(4096, median=230, seed=0)

        assert abs(median(found) - 230) < 10
        assert abs(mean(found) - 245) < 10
        assert max(found) == CAP

    def test_are_the_same_for_the_same_seed_only(self) -> None:
        found = [lengths(8, median=230, seed=seed) for seed in (3, 3, 4)]

        assert found[0] == found[1] != found[2]

    def test_scale_with_the_median(self) -> None:
        short, long = lengths(64, median=20, seed=0), lengths(64, median=40, seed=0)

        assert all(abs(2 * one - other) <= 2 for one, other in zip(short, long, strict=True))
