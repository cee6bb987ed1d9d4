import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from predella import checks
from predella.checks import Context, Lookalike, Picture, Record, Severity, Term, Thresholds, Wording

_TEXT = "Rembrandt lets the light fall. The sky is blue. The room is dark."
_AROUND = Context(
    records=(Record(artist="Rembrandt van Rijn"),),
    picture=Picture(10, 10, {"colours": {"blue": 0.0}, "chroma_95th": 30}),
    thresholds=Thresholds(off=frozenset({"length"})),
)


class TestRun:
    def test_says_which_version_of_which_check_said_what(self) -> None:
        record, colour = checks.run(Wording(_TEXT), _AROUND)

        assert (record.check, record.version, record.severity) == ("record", 1, Severity.HARD)
        assert _TEXT[slice(*record.span or ())] == "Rembrandt"
        assert (colour.check, colour.severity) == ("colour_absent", Severity.SOFT)
        assert colour.evidence == {"colour": "blue", "share": 0.0}

    def test_is_as_loud_as_the_collection_wants(self) -> None:
        quiet = Thresholds(
            off=frozenset({"length", "colour_absent"}), severities={"record": Severity.INFO}
        )
        around = Context(records=_AROUND.records, picture=_AROUND.picture, thresholds=quiet)

        found = checks.run(Wording(_TEXT), around)

        assert [(one.check, one.severity) for one in found] == [("record", Severity.INFO)]

    def test_says_the_same_thing_fifty_times_at_most(self) -> None:
        found = checks.run(Wording("The sky is blue, very blue. " * 40), _AROUND)

        assert len([one for one in found if one.check == "colour_absent"]) == 50

    @given(text=st.text(max_size=300), other=st.text(max_size=100))
    def test_takes_any_text_and_keeps_its_spans_inside(self, text: str, other: str) -> None:
        around = Context(
            records=(Record(other, other, other, other),),
            prompt=other,
            picture=Picture(3, 2, {"colours": dict.fromkeys(["red", "blue"], 0.0)}),
            terms=(Term(("the",), forbidden=True),),
            lookalikes=(Lookalike("1", None, other),),
        )

        for finding in checks.run(Wording(text), around):
            start, end = finding.span or (0, 1)
            assert 0 <= start < end <= max(1, len(text))


class TestFingerprint:
    def _of(self, text: str) -> list[bytes]:
        found = checks.run(Wording(text), _AROUND)
        return [one.fingerprint for one in found if one.check == "record"]

    def test_outlives_a_change_elsewhere(self) -> None:
        assert self._of(_TEXT) == self._of("A new beginning. " + _TEXT.replace("dark", "light"))

    def test_ends_with_a_change_of_its_sentence(self) -> None:
        assert self._of(_TEXT) != self._of(_TEXT.replace("lets", "makes"))

    def test_of_two_in_a_sentence_are_two(self) -> None:
        assert len(set(self._of("Rembrandt paints as Rembrandt paints."))) == 2


class TestSuite:
    def test_changes_with_what_the_collection_chooses(self) -> None:
        usual = checks.suite(Thresholds(), [])

        assert usual == checks.suite(Thresholds(), [])
        assert usual != checks.suite(Thresholds(reused_in=3), [])
        assert usual != checks.suite(Thresholds(), ["house list 2"])

    def test_does_not_depend_on_the_order_of_what_is_chosen(self) -> None:
        one = Thresholds(off=frozenset({"length", "name", "date"}))
        other = Thresholds(off=frozenset({"date", "name", "length"}))

        assert checks.suite(one, ["a", "b"]) == checks.suite(other, ["b", "a"])


class TestThresholds:
    @pytest.mark.parametrize(
        "chosen",
        [{"colour_share": 2}, {"reused_in": 0}, {"colour": 0.1}, {"severities": {"loop": "loud"}},
         {"off": ["loops"]}, {"severities": {"loops": "soft"}}],
    )  # fmt: skip
    def test_refuse_what_cannot_be_meant(self, chosen: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            Thresholds.model_validate(chosen)
