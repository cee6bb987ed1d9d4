from typing import Any

import pytest
from sqlalchemy.orm import Session

from predella import clock, ids
from predella.errors import NotFoundError
from predella.models import (
    ExportState,
    ItemState,
    Refusal,
    Stage,
    Submission,
    SubmissionState,
)
from predella.services import operations, runs
from predella.services.runs import Work
from tests import factories


def _refuse(session: Session, within: Submission, code: str) -> None:
    session.add(Refusal(submission_id=within.id, row_number=2, code=code, sentence="Because."))
    session.flush()


def _failed(session: Session, within: Submission) -> None:
    failed: dict[str, Any] = {"state": ItemState.FAILED, "error_code": "gave_up", "error": "Gone."}
    factories.item(session, within, finished_at=clock.now(), **failed)


class TestOfASubmission:
    def test_runs_while_its_rows_are_read(self, session: Session) -> None:
        made = factories.submission(session, state=SubmissionState.RECEIVING, received_at=None)

        operation = operations.get(session, made.id)

        assert (operation.kind, operation.state) == ("submission", "running")
        assert (operation.total, operation.percent, operation.ended_at) == (0, 0, None)

    def test_runs_while_an_item_waits(self, session: Session) -> None:
        made = factories.submission(session)
        factories.item(session, made)
        factories.analysis(session, factories.item(session, made))
        _failed(session, made)

        operation = operations.get(session, made.id)

        assert (operation.state, operation.percent) == ("running", 66)
        assert (operation.done, operation.failed, operation.total) == (1, 1, 3)

    def test_says_how_long_its_prepared_images_will_take(self, session: Session) -> None:
        image = factories.image(session)
        made = factories.submission(session, collection_id=image.collection_id)
        for _ in range(6):
            factories.item(session, made, stage=Stage.ANALYZE, image_id=image.id)
        assert operations.get(session, made.id).seconds_left is None

        run_id = runs.start(session, worker="a:1", model_name="m", device="cpu", batch_size=8)
        runs.progress(session, run_id, Work(images=2))

        assert operations.get(session, made.id).seconds_left == pytest.approx(3)

    def test_succeeds_with_its_last_item(self, session: Session) -> None:
        made = factories.submission(session)
        item = factories.item(session, made)
        factories.analysis(session, item)
        _refuse(session, made, "already_submitted")

        operation = operations.get(session, made.id)

        assert (operation.state, operation.percent) == ("succeeded", 100)
        assert operation.ended_at == item.finished_at

    def test_is_partial_when_a_row_was_refused(self, session: Session) -> None:
        made = factories.submission(session)
        factories.analysis(session, factories.item(session, made))
        _refuse(session, made, "missing_file")

        assert operations.get(session, made.id).state == "partial"

    def test_is_partial_when_an_item_failed(self, session: Session) -> None:
        made = factories.submission(session)
        factories.analysis(session, factories.item(session, made))
        _failed(session, made)

        assert operations.get(session, made.id).state == "partial"

    def test_fails_when_nothing_came_of_it(self, session: Session) -> None:
        made = factories.submission(session)
        _failed(session, made)
        _refuse(session, made, "missing_file")

        assert operations.get(session, made.id).state == "failed"

    def test_fails_with_its_reason_when_the_whole_was_refused(self, session: Session) -> None:
        made = factories.submission(session, state=SubmissionState.REFUSED, refusal="No header.")

        operation = operations.get(session, made.id)

        assert (operation.state, operation.error) == ("failed", "No header.")
        assert operation.ended_at == made.received_at

    def test_succeeds_when_nothing_was_new(self, session: Session) -> None:
        first = factories.submission(session)
        again = factories.submission(session, state=SubmissionState.UNCHANGED, same_as_id=first.id)

        assert operations.get(session, again.id).state == "succeeded"


class TestOfAnExport:
    @pytest.mark.parametrize(
        ("fields", "state"),
        [
            ({"texts_done": 3, "texts_total": 7}, "running"),
            ({"state": ExportState.FAILED, "error": "No room."}, "failed"),
            ({"state": ExportState.WRITTEN, "sha256": bytes(32)}, "succeeded"),
        ],
    )
    def test_stands_as_its_file_does(
        self, session: Session, fields: dict[str, Any], state: str
    ) -> None:
        made = factories.export(session, **fields)

        operation = operations.get(session, made.id)

        assert (operation.kind, operation.state) == ("export", state)
        assert (operation.done, operation.total) == (made.texts_done, made.texts_total)
        assert operation.error == made.error


def test_names_what_is_neither(session: Session) -> None:
    with pytest.raises(NotFoundError, match="no operation"):
        operations.get(session, ids.new())
