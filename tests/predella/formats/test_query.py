import pytest
from hypothesis import given
from hypothesis import strategies as st

from predella.errors import QueryError
from predella.formats.query import Operator, Query, Term, Value, parse

_texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(
    lambda text: text.strip()
)
_values = st.builds(Value, _texts, st.sampled_from(Operator))
_words = st.builds(lambda text: (Value(text),), _texts)
_keys = st.from_regex("[a-z_]{1,8}", fullmatch=True)
_terms = st.one_of(
    st.builds(Term, st.none(), _words, st.booleans()),
    st.builds(Term, _keys, st.lists(_values, min_size=1, max_size=3).map(tuple), st.booleans()),
)
_queries = st.builds(Query, st.lists(_terms, max_size=5).map(tuple))


class TestParse:
    def test_reads_keys_values_comparisons_and_words(self) -> None:
        read = parse('state:needs_review,>=approved conf:<0.6 -object:"SK-A 1*" vase')

        assert read == Query(
            (
                Term("state", (Value("needs_review"), Value("approved", Operator.AT_LEAST))),
                Term("conf", (Value("0.6", Operator.LESS),)),
                Term("object", (Value("SK-A 1*"),), negated=True),
                Term(None, (Value("vase"),)),
            )
        )

    def test_nothing_asked_for_is_everything(self) -> None:
        assert parse("  ") == Query()

    def test_an_accession_number_with_a_minus_inside_is_one_word(self) -> None:
        assert parse("SK-A-1") == Query((Term(None, (Value("SK-A-1"),)),))

    @pytest.mark.parametrize(
        ("text", "position"),
        [
            ("state:", 7),
            ("state:a,", 9),
            ("vase -", 7),
            ('a "b', 3),
            ('""', 1),
            ('"a"b', 4),
            ("a\0b", 2),
            ("a" * 1_001, 1_001),
            ("a " * 31, 61),
        ],
    )
    def test_says_where_it_cannot_be_understood(self, text: str, position: int) -> None:
        with pytest.raises(QueryError, match=f"character {position}:") as caught:
            parse(text)

        assert caught.value.position == position

    @given(_queries)
    def test_reads_back_what_it_wrote(self, query: Query) -> None:
        assert parse(str(query)) == query

    @given(st.text(max_size=40))
    def test_understands_any_text_or_refuses_it(self, text: str) -> None:
        try:
            read = parse(text)
        except QueryError:
            return
        assert parse(str(read)) == read
