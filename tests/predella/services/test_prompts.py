import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from predella import ids
from predella.errors import InvalidError, NotFoundError
from predella.models import PromptKind, SubmissionState
from predella.services import collections, outgoing, prompts
from tests import factories
from tests.predella.services.hand_ins import Museum
from tests.services import Bucket


class TestListed:
    def test_begins_with_the_first_version_of_every_prompt(self, session: Session) -> None:
        found = {prompt.id: prompt for prompt in prompts.listed(session)}

        assert len(found) == 11
        assert found["formal-analysis/1"].text == (
            "Please write a paragraph of formal analysis for this painting."
        )
        asked = prompts.questions(session, found["sectioned/1"])
        assert [heading for heading, _ in asked] == [
            "Line",
            "Shape and form",
            "Space",
            "Colour",
            "Value and light",
            "Texture and brushwork",
            "Composition and focal point",
        ]
        assert all(one.kind is PromptKind.ELEMENT and one.text for _, one in asked)


class TestAdd:
    def test_other_words_are_another_version_and_the_first_stays(self, session: Session) -> None:
        first = prompts.find(session, "line").text
        other = prompts.add(session, "line", kind=PromptKind.ELEMENT, text="Only the outlines.")

        same = prompts.add(session, "line", kind=PromptKind.ELEMENT, text=" Only the outlines.\n")

        assert (other.id, same) == ("line/2", other)
        assert prompts.find(session, "line") is other
        assert prompts.find(session, "line/1").text == first

    def test_sections_pin_the_versions_of_today(self, session: Session) -> None:
        made = prompts.add(
            session, "two", kind=PromptKind.FORMAL_ANALYSIS, sections=[("Linie", "line")]
        )
        prompts.add(session, "line", kind=PromptKind.ELEMENT, text="Only the outlines.")

        assert made.sections == [{"heading": "Linie", "prompt_id": "line/1"}]

    @pytest.mark.parametrize(
        "words",
        ["", " ", "x" * 4001, "Look. <image>", "</s>", "[INST] go", "Now.\nUSER: hi", "###"],
    )
    def test_refuses_words_that_no_model_should_be_asked(
        self, session: Session, words: str
    ) -> None:
        with pytest.raises(InvalidError):
            prompts.add(session, "mine", kind=PromptKind.ELEMENT, text=words)

    def test_keeps_less_than_and_colons_in_plain_words(self, session: Session) -> None:
        made = prompts.add(session, "mine", kind=PromptKind.ELEMENT, text="In < 50 words: colour?")

        assert made.id == "mine/1"

    def test_refuses_what_cannot_be_joined(self, session: Session) -> None:
        kind = PromptKind.FORMAL_ANALYSIS
        with pytest.raises(InvalidError, match="has sections itself"):
            prompts.add(session, "mine", kind=kind, sections=[("All", "sectioned")])
        with pytest.raises(InvalidError, match="heading"):
            prompts.add(session, "mine", kind=kind, sections=[("A\nB", "line")])
        with pytest.raises(NotFoundError):
            prompts.add(session, "mine", kind=kind, sections=[("A", "nothing")])
        with pytest.raises(InvalidError, match="either"):
            prompts.add(session, "mine", kind=kind, text="Both.", sections=[("A", "line")])
        with pytest.raises(InvalidError, match="another name"):
            prompts.add(session, "line", kind=kind, text="Everything.")


class TestForEver:
    @pytest.mark.parametrize(
        "change", ["UPDATE prompt SET text = 'x' WHERE id = 'line/1'", "DELETE FROM prompt"]
    )
    def test_no_prompt_changes(self, session: Session, change: str) -> None:
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(change))

    def test_no_release_answers_a_prompt_that_there_is_not(self, session: Session) -> None:
        with pytest.raises(DBAPIError, match="prompt"), session.begin_nested():
            factories.release(session, prompt_id=f"unknown-{ids.new()}/1")


class TestChoosePrompt:
    MANIFEST = "object_number,filename\n1,a.jpg\n"

    def test_asks_the_same_pictures_anew_when_they_are_handed_in_again(
        self, session: Session, s3: Bucket
    ) -> None:
        museum = Museum(session, s3)
        museum.put("a.jpg")
        (old,) = museum.items(museum.hand_in(self.MANIFEST))

        collections.choose_prompt(session, museum.collection, "sectioned")
        report = museum.hand_in(self.MANIFEST)

        (new,) = museum.items(report)
        assert (old.prompt_id, new.prompt_id) == ("formal-analysis/1", "sectioned/1")
        assert museum.hand_in(self.MANIFEST).state is SubmissionState.UNCHANGED

    def test_names_what_there_is_not(self, session: Session) -> None:
        collection = factories.collection(session)

        with pytest.raises(NotFoundError, match="haiku"):
            collections.choose_prompt(session, collection, "haiku")

        assert collection.prompt_id == "formal-analysis/1"


class TestDepartures:
    def test_keeps_each_kind_of_text_and_the_newest_of_each(self, session: Session) -> None:
        collection = factories.collection(session, slug="prints")
        for prompt_id in ("formal-analysis/1", "alt-text/1", "line/1", "colour/1", "sectioned/1"):
            item = factories.item(
                session, factories.submission(session, collection), object_number="A-1"
            )
            by = factories.release(session, prompt_id=prompt_id)
            factories.review(session, factories.analysis(session, item, by=by, text=prompt_id))

        left = [one.entry for one in outgoing.departures(session, collection)]

        assert {entry.record_id: entry.wording.text for entry in left} == {
            "prints/A-1/alt-text/en": "alt-text/1",
            "prints/A-1/element-colour/en": "colour/1",
            "prints/A-1/element-line/en": "line/1",
            "prints/A-1/formal-analysis/en": "sectioned/1",
        }
        assert len(left) == 4
