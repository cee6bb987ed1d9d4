import time

from hypothesis import given
from hypothesis import strategies as st

from predella.formats import diff
from predella.formats.diff import Change, Fate

_TEXTS = st.text(alphabet="ab \u00e9\u5f71.", max_size=25)
_SENTENCES = st.lists(
    st.sampled_from(["the", "vase", "is", "blue", ",", ".", "-"]), max_size=15
).map(" ".join)


class TestWords:
    def test_tells_what_was_put_in_the_place_of_what(self) -> None:
        assert diff.words("The muted reds, a sky.", "The dull reds, a sky.") == [
            Change(Fate.KEPT, "The "),
            Change(Fate.REMOVED, "muted"),
            Change(Fate.ADDED, "dull"),
            Change(Fate.KEPT, " reds, a sky."),
        ]

    def test_words_that_change_side_by_side_are_one_change(self) -> None:
        assert diff.words("a red vase", "the blue vase") == [
            Change(Fate.REMOVED, "a red"),
            Change(Fate.ADDED, "the blue"),
            Change(Fate.KEPT, " vase"),
        ]

    def test_a_word_with_a_hyphen_or_an_apostrophe_is_one(self) -> None:
        changes = diff.words("the painter's half-light", "the painters half-tone")

        assert [change.text for change in changes if change.fate is not Fate.KEPT] == [
            "painter's half-light",
            "painters half-tone",
        ]

    def test_nothing_changes_in_the_same_text(self) -> None:
        assert diff.words("A vase.", "A vase.") == [Change(Fate.KEPT, "A vase.")]
        assert diff.words("", "") == []

    @given(old=_TEXTS | _SENTENCES, new=_TEXTS | _SENTENCES)
    def test_both_wordings_can_be_read_out_of_it(self, old: str, new: str) -> None:
        changes = diff.words(old, new)

        assert "".join(one.text for one in changes if one.fate is not Fate.ADDED) == old
        assert "".join(one.text for one in changes if one.fate is not Fate.REMOVED) == new

    def test_two_long_loops_do_not_keep_anybody_waiting(self) -> None:
        began = time.perf_counter()

        diff.words("a vase, " * 2_500, "a blue vase, " * 1_500)

        assert time.perf_counter() - began < 5


class TestDistance:
    def test_counts_characters(self) -> None:
        assert diff.distance("kitten", "sitting") == 3
        assert diff.distance("", "vase") == 4
        assert diff.distance("vase", "") == 4

    @given(old=_TEXTS, new=_TEXTS)
    def test_is_what_the_table_says(self, old: str, new: str) -> None:
        assert diff.distance(old, new) == _levenshtein(old, new)

    def test_the_longest_wordings_take_a_moment(self) -> None:
        began = time.perf_counter()

        assert diff.distance("a vase. " * 2_500, "a jugs. " * 2_500) == 10_000

        assert time.perf_counter() - began < 5


class TestShareKept:
    def test_is_the_share_of_the_old_words_that_stand_in_their_order(self) -> None:
        assert diff.share_kept("a blue vase stands", "a vase stands here") == 0.75
        assert diff.share_kept("vase blue", "blue vase") == 0.5
        assert diff.share_kept("a vase", "") == 0

    def test_of_no_words_none_is_lost(self) -> None:
        assert diff.share_kept("...", "A vase.") == 1

    @given(old=_SENTENCES, new=_SENTENCES)
    def test_is_what_the_table_says(self, old: str, new: str) -> None:
        words = [word for word in old.split() if word.isalpha()]
        kept = _common(words, [word for word in new.split() if word.isalpha()])

        assert diff.share_kept(old, new) == (kept / len(words) if words else 1)


def _levenshtein(old: str, new: str) -> int:
    row = list(range(len(new) + 1))
    for i, before in enumerate(old, 1):
        above, row = row, [i]
        for j, after in enumerate(new, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (before != after)))
    return row[-1]


def _common(old: list[str], new: list[str]) -> int:
    row = [0] * (len(new) + 1)
    for before in old:
        above, row = row, [0]
        for j, after in enumerate(new, 1):
            row.append(above[j - 1] + 1 if before == after else max(above[j], row[-1]))
    return row[-1]
