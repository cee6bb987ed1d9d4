import random

from predella.checks import Context, Thresholds, Wording, likeness

_WORDS = [f"word{number}" for number in range(400)]


def _prose(rng: random.Random, words: int = 120) -> list[str]:
    return rng.choices(_WORDS, k=words)


def _changed(rng: random.Random, words: list[str], times: int) -> list[str]:
    changed = list(words)
    for place in rng.sample(range(len(words)), times):
        changed[place] = rng.choice(_WORDS)
    return changed


class TestBands:
    def test_meet_where_texts_share_most_of_their_runs(self) -> None:
        rng = random.Random(1)  # noqa: S311  (texts to try, no secrets)
        pairs = [(words := _prose(rng), _changed(rng, words, 6)) for _ in range(200)]
        alike = [
            (one, other)
            for left, right in pairs
            if likeness.similarity(one := _of(left), other := _of(right)) >= 0.7
        ]

        met = [pair for pair in alike if set.intersection(*(set(map_) for map_ in _both(pair)))]

        assert len(alike) > 150
        assert len(met) >= 0.97 * len(alike)

    def test_hardly_meet_where_texts_share_little(self) -> None:
        rng = random.Random(2)  # noqa: S311  (texts to try, no secrets)
        made = [likeness.bands(_of(_prose(rng))) for _ in range(100)]

        met = [
            (one, other)
            for one in range(100)
            for other in range(one)
            if set(made[one]) & set(made[other])
        ]

        assert met == []

    def test_are_the_same_in_every_process(self) -> None:
        hashes = likeness.bands(_of(_WORDS[:40]))

        assert len(hashes) == 26
        assert hashes[:2] == [-3531870146427776823, 3008121526702215288]

    def test_of_a_short_text_are_none(self) -> None:
        assert likeness.bands(Wording("A vase.")) == []


class TestSentences:
    def test_are_known_again_whatever_their_case_and_punctuation(self) -> None:
        one = likeness.sentence_hashes(Wording("The light falls from the left."))
        other = likeness.sentence_hashes(Wording("A vase. THE LIGHT falls, from the left!"))

        assert one.keys() == other.keys()
        assert list(other.values()) == [(8, 39)]

    def test_are_told_from_so_many_works_on(self) -> None:
        wording = Wording("A vase stands there. The light falls from the upper left corner.")
        (hashed,) = likeness.sentence_hashes(wording)

        def told(works: int) -> list[object]:
            around = Context(reuse={hashed: works}, thresholds=Thresholds(reused_in=4))
            return [remark.span for remark in likeness.find_reused(wording, around)]

        assert told(3) == []
        assert told(4) == [(21, 64)]


def _of(words: list[str]) -> Wording:
    return Wording(" ".join(words))


def _both(pair: tuple[Wording, Wording]) -> tuple[list[int], list[int]]:
    return likeness.bands(pair[0]), likeness.bands(pair[1])
