from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella import clock
from predella.checks import CheckName
from predella.formats.glossary import Entry
from predella.ids import AnalysisId, CollectionId, ReleaseId
from predella.models import (
    Analysis,
    Checkup,
    Client,
    Collection,
    FinishReason,
    Stage,
    Submission,
)
from predella.services import (
    analyses,
    checkups,
    collections,
    drafts,
    glossaries,
    ledger,
    rechecking,
    reviews,
)
from predella.services.drafts import Draft
from tests import factories

_CLEAN = (
    "A low wall divides the field from the road, and a single tree closes the view on the right."
    " Light falls from the left and catches the upper edge of the wall, while the ground before it"
    " stays in shadow. The strokes are short and broken in the leaves and long in the sky."
)


@pytest.fixture
def within(session: Session) -> Submission:
    return factories.submission(session)


def _collection(session: Session, within: Submission) -> Collection:
    return session.get_one(Collection, within.collection_id)


def _made(session: Session, within: Submission, text: str, **fields: Any) -> AnalysisId:
    return AnalysisId(
        factories.analysis(session, factories.item(session, within), text=text, **fields).id
    )


def _run(session: Session, *analysis_ids: AnalysisId) -> None:
    made = [session.get_one(Analysis, id_) for id_ in analysis_ids]
    checkups.run(session, [factories.newest_revision(session, one).id for one in made])


def _said(session: Session, analysis_id: AnalysisId) -> list[CheckName]:
    return [view.finding.check_name for view in analyses.get(session, analysis_id).findings]


class TestRun:
    def test_happens_with_the_writing_of_every_text(
        self, session: Session, within: Submission
    ) -> None:
        item = factories.item(
            session,
            within,
            stage=Stage.ANALYZE,
            next_attempt_at=clock.now() - timedelta(minutes=1),
            image_id=factories.image(session, _collection(session, within)).id,
            artist="Rembrandt van Rijn",
        )
        (held,) = ledger.claim(
            session, stage=Stage.ANALYZE, limit=1, worker="test", lease_seconds=60
        )
        release_id = ReleaseId(factories.release(session).id)

        drafts.record(session, [_draft(held, "Rembrandt's wall")], release_id=release_id)

        session.refresh(item)
        assert item.analysis_id is not None
        assert _said(session, AnalysisId(item.analysis_id)) == [
            CheckName.TRUNCATED,
            CheckName.RECORD,
            CheckName.LENGTH,
        ]

    def test_happens_with_every_amendment(self, session: Session, within: Submission) -> None:
        id_ = _made(session, within, _CLEAN)

        reviews.amend(
            session,
            id_,
            text=f"{_CLEAN} It was painted in 1642.",
            account=factories.account(session),
            seen=0,
        )

        assert _said(session, id_) == [CheckName.DATE]

    def test_holds_a_text_that_was_cut_until_somebody_has_ended_it(
        self, session: Session, within: Submission
    ) -> None:
        id_ = _made(session, within, _CLEAN, finish_reason=FinishReason.LENGTH)
        by = factories.account(session)
        _run(session, id_)
        assert _said(session, id_) == [CheckName.TRUNCATED]

        reviews.amend(session, id_, text=f"{_CLEAN} It ends here.", account=by, seen=0)
        assert _said(session, id_) == []

        reviews.undo(session, id_, account=by, client=Client.CLI)
        assert _said(session, id_) == [CheckName.TRUNCATED]

    def test_looks_at_the_records_of_every_object_that_shares_the_text(
        self, session: Session, within: Submission
    ) -> None:
        id_ = _made(session, within, f"{_CLEAN} Saskia and Titus stand behind it.")
        other = factories.item(session, within, extra={"sitter": "Titus"})
        titled = factories.item(session, within, title="Portrait of Saskia")
        factories.share(session, session.get_one(Analysis, id_), other, titled)

        _run(session, id_)

        assert _said(session, id_).count(CheckName.RECORD) == 2

    def test_holds_the_text_against_the_pixels_of_its_own_image(
        self, session: Session, within: Submission
    ) -> None:
        facts = {"colours": {"blue": 0.0, "red": 0.4}, "chroma_95th": 50.0}
        image = factories.image(session, _collection(session, within), facts=facts)
        item = factories.item(session, within, image_id=image.id)
        made = factories.analysis(session, item, text=f"{_CLEAN} A red roof, a blue door.")

        _run(session, AnalysisId(made.id))

        (view,) = analyses.get(session, AnalysisId(made.id)).findings
        assert view.finding.check_name is CheckName.COLOUR_ABSENT
        assert view.finding.evidence == {"colour": "blue", "share": 0.0}

    def test_asks_the_thresholds_of_its_own_collection(
        self, session: Session, within: Submission
    ) -> None:
        strict, easy = within, factories.submission(session)
        lengths = {"formal_analysis": {"least": 100, "most": 200}}
        collections.choose_thresholds(session, _collection(session, strict), {"length": lengths})
        made = [_made(session, one, _CLEAN) for one in (strict, easy)]

        _run(session, *made)

        assert [_said(session, one) for one in made] == [[CheckName.LENGTH], []]


class TestAcrossACollection:
    def test_nearly_the_same_text_is_told_and_names_the_other_object(
        self, session: Session, within: Submission
    ) -> None:
        first = _made(session, within, _CLEAN)
        _run(session, first)
        second = _made(session, within, _CLEAN.replace("right", "left"))
        elsewhere = _made(session, factories.submission(session), _CLEAN)

        _run(session, second, elsewhere)

        assert _said(session, first) == _said(session, elsewhere) == []
        (view,) = analyses.get(session, second).findings
        assert view.finding.check_name is CheckName.NEAR_DUPLICATE
        number = analyses.get(session, first).items[0].object_number
        told = str(view.finding.evidence["alike"])
        assert str(first) in told
        assert number in told
        assert number in view.finding.sentence

    def test_two_that_come_together_see_each_other(
        self, session: Session, within: Submission
    ) -> None:
        made = [_made(session, within, _CLEAN) for _ in range(2)]

        _run(session, *made)

        assert [_said(session, one) for one in made] == [[CheckName.NEAR_DUPLICATE]] * 2

    def test_another_text_about_the_same_image_is_expected_to_be_alike(
        self, session: Session, within: Submission
    ) -> None:
        item = factories.item(session, within)
        made = [AnalysisId(factories.analysis(session, item, text=_CLEAN).id) for _ in range(2)]

        _run(session, *made)

        assert [_said(session, one) for one in made] == [[], []]

    def test_is_compared_with_what_the_other_text_reads_today(
        self, session: Session, within: Submission
    ) -> None:
        first = _made(session, within, _CLEAN)
        _run(session, first)
        by = factories.account(session)
        reviews.amend(session, first, text=" ".join(reversed(_CLEAN.split())), account=by, seen=0)

        second = _made(session, within, _CLEAN)
        _run(session, second)

        assert _said(session, second) == []

    def test_a_sentence_that_stands_in_many_works_is_told(
        self, session: Session, within: Submission
    ) -> None:
        collections.choose_thresholds(
            session,
            _collection(session, within),
            {"reused_in": 3, "off": ["length", "near_duplicate"]},
        )
        sentence = "The composition rests on a stable and harmonious balance."
        made = [
            _made(session, within, f"{sentence} {start} is all there is to see of it here.")
            for start in ("A wall", "A road", "A tree", "A bridge")
        ]

        for one in made:
            _run(session, one)

        assert [_said(session, one) for one in made] == [[], [], [], [CheckName.REUSED_SENTENCE]]


class TestGlossary:
    def test_speaks_in_its_own_collection_and_language(
        self, session: Session, within: Submission
    ) -> None:
        by = factories.account(session)
        entries = [
            Entry(("native", "hut"), forbidden=True, language="en", instead="a house"),
            Entry(("wand",), language="nl"),
        ]
        glossaries.keep(
            session, _collection(session, within), name="house", entries=entries, account=by
        )
        text = f"{_CLEAN} Native huts and a wand."
        made = _made(session, within, text)
        elsewhere = _made(session, factories.submission(session), text)

        _run(session, made, elsewhere)

        (view,) = analyses.get(session, made).findings
        assert view.finding.severity.value == "hard"
        assert text[view.finding.span_start : view.finding.span_end] == "Native huts"
        assert "a house" in view.finding.sentence
        assert _said(session, elsewhere) == []

    def test_is_replaced_by_its_next_version_and_ended_by_an_empty_one(
        self, session: Session, within: Submission
    ) -> None:
        by, collection = factories.account(session), _collection(session, within)

        def keep(*words: str) -> int:
            entries = [Entry((word,)) for word in words]
            return glossaries.keep(
                session, collection, name="house", entries=entries, account=by
            ).version

        assert (keep("wall"), keep("wall"), keep("road"), keep()) == (1, 1, 2, 3)
        made = _made(session, within, _CLEAN)
        _run(session, made)
        assert _said(session, made) == []


class TestRechecking:
    def test_takes_what_was_not_checked_as_today_and_stops_when_nothing_is(
        self, session: Session, within: Submission
    ) -> None:
        id_, collection = CollectionId(within.collection_id), _collection(session, within)
        made = [_made(session, within, f"{_CLEAN} {n * 'More. '}") for n in (1, 30, 60)]
        _made(session, factories.submission(session), _CLEAN)
        _run(session, *made[:2])
        assert rechecking.due(session, id_) == 1

        collections.choose_thresholds(session, collection, {"off": ["near_duplicate", "loop"]})
        assert rechecking.due(session, id_) == 3
        first = rechecking.run_due(session, id_, limit=2)
        second = rechecking.run_due(session, id_, after=first.last, limit=2)

        assert (first.checked, first.last, second.checked) == (2, made[1], 1)
        assert rechecking.due(session, id_) == 0
        assert rechecking.run_due(session, id_).last is None

    def test_of_everything_sees_what_came_later(self, session: Session, within: Submission) -> None:
        first = _made(session, within, _CLEAN)
        _run(session, first)
        _run(session, _made(session, within, _CLEAN))
        assert _said(session, first) == []

        rechecking.run_due(session, CollectionId(within.collection_id), everything=True)

        assert _said(session, first) == [CheckName.NEAR_DUPLICATE]

    def test_keeps_what_was_found_before(self, session: Session, within: Submission) -> None:
        made = _made(session, within, "A vase.")
        _run(session, made)

        collections.choose_thresholds(session, _collection(session, within), {"off": ["length"]})
        rechecking.run_due(session, CollectionId(within.collection_id))

        assert _said(session, made) == []
        assert session.scalar(select(func.count()).select_from(Checkup)) == 2


def _draft(held: ledger.Claimed, text: str) -> Draft:
    return Draft(
        item=held,
        text=text,
        rendered_prompt="USER: <image> Describe the form. ASSISTANT:",
        model_sha256=factories.digest("model-ready"),
        finish_reason=FinishReason.LENGTH,
        prompt_tokens=600,
        output_tokens=20,
        mean_logprob=-0.5,
        min_window_logprob=-1.25,
        seed=None,
        batch_size=1,
        device="cpu",
        worker="test",
        timings={},
    )
