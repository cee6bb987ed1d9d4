"""How the two stages end: what is written, for whom, and under whose token."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella import clock
from predella.ids import ReleaseId
from predella.models import (
    Analysis,
    Attempt,
    Collection,
    FinishReason,
    Image,
    Item,
    ItemState,
    Outcome,
    Revision,
    Stage,
    Submission,
)
from predella.services import drafts, images, ledger
from predella.services.drafts import Draft
from predella.services.images import Finding, Prepared
from predella.services.ledger import Claimed
from tests import factories

FINDING = Finding(
    size=1000,
    format="JPEG",
    width=1200,
    height=900,
    preprocessing="test/1",
    model_sha256=factories.digest("model-ready"),
    facts={"mode": "RGB"},
)


def claim(session: Session, stage: Stage, limit: int = 10) -> list[Claimed]:
    return ledger.claim(session, stage, worker="test:1", limit=limit, lease_seconds=90)


def waiting(session: Session, within: Submission, **fields: Any) -> Item:
    return factories.item(
        session, within, next_attempt_at=clock.now() - timedelta(minutes=1), **fields
    )


def ready(session: Session, within: Submission, image: Image) -> Item:
    return waiting(session, within, stage=Stage.ANALYZE, image_id=image.id, sha256=image.sha256)


def picture(session: Session, within: Submission) -> Image:
    return factories.image(session, session.get_one(Collection, within.collection_id))


def draft(item: Claimed, text: str = "Warm reds advance.") -> Draft:
    return Draft(
        item=item,
        text=text,
        rendered_prompt="USER: <image> Describe. ASSISTANT:",
        model_sha256=item.picture.model_sha256,
        finish_reason=FinishReason.STOP,
        prompt_tokens=600,
        output_tokens=5,
        mean_logprob=-0.5,
        min_window_logprob=-1.0,
        seed=None,
        batch_size=2,
        device="cpu",
        worker="test:1",
        timings={"fetch": 0.01, "generate": 0.2},
    )


def fresh(session: Session, item: Claimed | Item) -> Item:
    session.expire_all()
    return session.get_one(Item, item.id)


def outcomes(session: Session, item: Claimed | Item) -> list[Outcome | None]:
    found = select(Attempt.outcome).filter_by(item_id=item.id).order_by(Attempt.id)
    return list(session.scalars(found))


def count(session: Session, kind: type[Analysis | Revision | Image]) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


@pytest.fixture
def within(session: Session) -> Submission:
    return factories.submission(session)


@pytest.fixture
def image(session: Session, within: Submission) -> Image:
    return picture(session, within)


@pytest.fixture
def release_id(session: Session) -> ReleaseId:
    return ReleaseId(factories.release(session).id)


class TestImagesRecord:
    def test_moves_the_item_on_with_a_clean_slate(
        self, session: Session, within: Submission
    ) -> None:
        waiting(session, within, attempt=2)
        (held,) = claim(session, Stage.PREPARE)

        images.record(session, [Prepared(held, b"\1" * 32, FINDING)])

        row = fresh(session, held)
        assert (row.stage, row.state, row.attempt) == (Stage.ANALYZE, ItemState.WAITING, 0)
        assert row.sha256 == b"\1" * 32
        assert outcomes(session, held) == [Outcome.DONE]
        made = session.get_one(Image, row.image_id)
        assert (made.width, made.model_sha256) == (1200, FINDING.model_sha256)

    def test_ends_a_further_view_without_an_analysis(
        self, session: Session, within: Submission
    ) -> None:
        waiting(session, within, is_primary=False)
        (held,) = claim(session, Stage.PREPARE)

        images.record(session, [Prepared(held, b"\1" * 32, FINDING)])

        row = fresh(session, held)
        assert (row.state, row.analysis_id) == (ItemState.DONE, None)
        assert row.finished_at is not None

    def test_keeps_one_row_for_the_same_bytes(self, session: Session, within: Submission) -> None:
        for _ in range(3):
            waiting(session, within)
        one, two, known = claim(session, Stage.PREPARE)

        images.record(session, [Prepared(item, b"\1" * 32, FINDING) for item in (one, two)])
        images.record(session, [Prepared(known, b"\1" * 32, finding=None)])

        assert count(session, Image) == 1
        assert len({fresh(session, item).image_id for item in (one, two, known)}) == 1

    def test_writes_nothing_for_a_zombie(self, session: Session, within: Submission) -> None:
        waiting(session, within)
        (zombie,) = claim(session, Stage.PREPARE)
        ledger.release(session, [zombie])
        (holder,) = claim(session, Stage.PREPARE)

        assert images.record(session, [Prepared(zombie, b"\1" * 32, FINDING)]) == set()

        assert fresh(session, holder).lease_token == holder.token
        assert fresh(session, holder).image_id is None


class TestPrepareAgain:
    def test_sends_an_item_back_to_the_first_stage(
        self, session: Session, within: Submission, image: Image
    ) -> None:
        ready(session, within, image)
        (held,) = claim(session, Stage.ANALYZE)

        images.prepare_again(session, [held])

        (again,) = claim(session, Stage.PREPARE)
        assert (again.id, again.attempt) == (held.id, 1)
        images.record(session, [Prepared(again, image.sha256, FINDING)])
        assert fresh(session, held).stage is Stage.ANALYZE


class TestDraftsRecord:
    def test_writes_the_analysis_its_first_wording_and_ends_the_item(
        self, session: Session, within: Submission, image: Image, release_id: ReleaseId
    ) -> None:
        ready(session, within, image)
        (held,) = claim(session, Stage.ANALYZE)
        raw = "Cafe\u0301 light.\r\nA\x00 dark\x07 table."

        assert drafts.record(session, [draft(held, raw)], release_id=release_id) == {held.id}

        row = fresh(session, held)
        assert row.state is ItemState.DONE
        written = session.get_one(Analysis, row.analysis_id)
        assert written.text == raw.replace("\x00", "")
        assert (written.image_id, written.item_id) == (image.id, held.id)
        assert (written.lease_token, written.model_sha256) == (held.token, image.model_sha256)
        (wording,) = session.scalars(select(Revision).filter_by(analysis_id=written.id))
        assert (wording.number, wording.text) == (0, "Café light.\nA dark table.")
        assert outcomes(session, held) == [Outcome.DONE]

    def test_writes_once_for_an_image_and_gives_it_to_every_item(
        self, session: Session, within: Submission, image: Image, release_id: ReleaseId
    ) -> None:
        for _ in range(3):
            ready(session, within, image)
        first, twin, later = claim(session, Stage.ANALYZE)

        drafts.record(session, [draft(first)], release_id=release_id, duplicates=[twin])
        drafts.record(session, [draft(later, "Another text.")], release_id=release_id)

        assert count(session, Analysis) == 1
        shared = {fresh(session, item).analysis_id for item in (first, twin, later)}
        assert len(shared) == 1
        assert session.get_one(Analysis, shared.pop()).text == "Warm reds advance."

    def test_drops_what_a_zombie_brings_and_keeps_the_rest(
        self, session: Session, within: Submission, release_id: ReleaseId
    ) -> None:
        for _ in range(2):
            ready(session, within, picture(session, within))
        zombie, held = claim(session, Stage.ANALYZE)
        ledger.release(session, [zombie])
        (holder,) = claim(session, Stage.ANALYZE)

        mine = drafts.record(session, [draft(zombie), draft(held)], release_id=release_id)

        assert mine == {held.id}
        assert fresh(session, holder).state is ItemState.LEASED
        assert count(session, Analysis) == 1

    def test_keeps_a_text_for_its_duplicates_when_the_lease_on_its_own_item_was_lost(
        self, session: Session, within: Submission, image: Image, release_id: ReleaseId
    ) -> None:
        for _ in range(2):
            ready(session, within, image)
        zombie, twin = claim(session, Stage.ANALYZE)
        ledger.release(session, [zombie])

        mine = drafts.record(session, [draft(zombie)], release_id=release_id, duplicates=[twin])

        assert mine == {twin.id}
        written = session.get_one(Analysis, fresh(session, twin).analysis_id)
        assert (written.item_id, written.lease_token) == (twin.id, twin.token)
        assert fresh(session, zombie).state is ItemState.WAITING

    def test_writes_anew_for_another_release(
        self, session: Session, within: Submission, image: Image, release_id: ReleaseId
    ) -> None:
        other = ReleaseId(factories.release(session).id)
        for _ in range(2):
            ready(session, within, image)
        one, two = claim(session, Stage.ANALYZE)

        drafts.record(session, [draft(one)], release_id=release_id)
        drafts.record(session, [draft(two)], release_id=other)

        assert count(session, Analysis) == 2


class TestLinkKnown:
    def test_ends_only_items_whose_image_is_known_to_this_release(
        self, session: Session, within: Submission, image: Image, release_id: ReleaseId
    ) -> None:
        ready(session, within, image)
        (first,) = claim(session, Stage.ANALYZE)
        drafts.record(session, [draft(first)], release_id=release_id)
        ready(session, within, image)
        ready(session, within, picture(session, within))
        again, new = claim(session, Stage.ANALYZE)
        other = ReleaseId(factories.release(session).id)

        assert drafts.link_known(session, [again, new], release_id=other) == set()
        assert drafts.link_known(session, [again, new], release_id=release_id) == {again.id}

        assert fresh(session, again).analysis_id == fresh(session, first).analysis_id
        assert fresh(session, new).state is ItemState.LEASED
