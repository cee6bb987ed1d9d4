import pytest
from sqlalchemy.orm import Session

from predella.errors import InvalidError
from predella.services import rules
from predella.services.rules import ReviewRules
from tests import factories


class TestChoose:
    def test_keeps_what_differs_and_leaves_the_rest_as_usual(self, session: Session) -> None:
        collection = factories.collection(session)
        assert rules.of(collection) == ReviewRules(reading_floor=True, second_approver=False)

        chosen = rules.choose(session, collection, {"reading_floor": True, "second_approver": True})

        assert collection.review_rules == {"second_approver": True}
        assert rules.of(collection) == chosen

    @pytest.mark.parametrize("chosen", [{"second_aprover": True}, {"reading_floor": "some"}])
    def test_refuses_what_is_no_rule(self, session: Session, chosen: dict[str, object]) -> None:
        with pytest.raises(InvalidError, match=r"review rules: \w+_\w+: "):
            rules.choose(session, factories.collection(session), chosen)


class TestChange:
    def test_leaves_the_others_as_they_are(self, session: Session) -> None:
        collection = factories.collection(session, review_rules={"second_approver": True})

        chosen = rules.change(session, collection, {"open_to_harvesters": True})

        assert collection.review_rules == {"second_approver": True, "open_to_harvesters": True}
        assert chosen.reading_floor


class TestOfAnalyses:
    def test_each_is_decided_on_as_its_collection_says(self, session: Session) -> None:
        strict = factories.collection(session, review_rules={"second_approver": True})
        one = factories.analysis(
            session, factories.item(session, factories.submission(session, strict))
        )
        another = factories.analysis(session)

        found = rules.of_analyses(session, {one.id, another.id})

        assert found[one.id].second_approver
        assert not found[another.id].second_approver


class TestSecondsToRead:
    def test_is_two_seconds_or_the_time_for_600_words_a_minute(self) -> None:
        assert rules.seconds_to_read("") == 2
        assert rules.seconds_to_read("vase " * 20) == 2
        assert rules.seconds_to_read("vase " * 150) == 15
