"""From claims to pictures that are opened for the model."""

import hashlib
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import structlog

from predella import db, queue
from predella.errors import MissingObjectError, PredellaError
from predella.ids import ItemId
from predella.services import drafts, images
from predella.services.ledger import Claimed
from predella.services.runs import Work
from predella.settings import Settings
from predella.storage import Store
from worker.engine.asking import Asking, Opened
from worker.engine.errors import PromptError
from worker.engine.protocol import Engine, Request
from worker.images import preprocessing
from worker.questions import Questions
from worker.report import Report
from worker.settle import fail

_KEYS = {"model": images.model_key, "review": images.review_key}
"""By the form of picture that an engine is shown."""

log = structlog.get_logger()


class SpoiltError(PredellaError):
    """What lies in our own bucket is not what the prepare stage put there."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the prepared picture {key!r} is missing or damaged")
        self.key = key


@dataclass(frozen=True)
class Picture:
    """One prepared picture, opened for the model, and how long it took to come."""

    opened: Opened
    sha256: bytes
    """Of the file."""
    seconds: float


def name(item: Claimed) -> Hashable:
    """Return what makes two items one piece of work: their image, and what is asked about it."""
    return item.picture.id, item.asked


class Reader:
    """Sifts claims and opens pictures for one engine, whatever it is asked."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        settings: Settings,
        *,
        questions: Questions,
        report: Report,
    ) -> None:
        self._store = store
        self._form = engine.picture
        self._asking = Asking(engine)
        self._settings = settings
        self._preprocessing = preprocessing(exact=settings.exact_prepare)
        self._questions = questions
        self._report = report

    def sift(self, claimed: Sequence[Claimed]) -> list[Claimed]:
        """Settle what needs no model, and return the rest.

        An image that was asked the same already gives its analysis to the new item; one that
        was prepared in another way than we prepare today is prepared again. What this model
        cannot be asked fails.
        """
        self._report.begin()
        answerable = [item for item in claimed if self._can_be_asked(item)]
        outdated = [item for item in answerable if not self._fits(item)]
        current = [item for item in answerable if self._fits(item)]
        if outdated:
            with db.transaction() as session:
                images.prepare_again(session, outdated)
                queue.ring_after_commit(session, queue.PREPARE)
        known = self._link_known(current)
        self._report.add(Work(duplicates=len(known), failed=len(claimed) - len(answerable)))
        return [item for item in current if item.id not in known]

    def _can_be_asked(self, item: Claimed) -> bool:
        try:
            self._questions.of(item)
        except PromptError as error:
            log.warning("prompt_refused", item_id=str(item.id), prompt_id=item.prompt_id)
            sentence = f"the model cannot be asked {item.prompt_id}: {error}"
            fail(item, code="prompt_refused", sentence=sentence, settings=self._settings)
            return False
        return True

    def _link_known(self, items: Sequence[Claimed]) -> set[ItemId]:
        known = set[ItemId]()
        for asked in {item.asked for item in items}:
            same = [item for item in items if item.asked == asked]
            release_id = self._questions.of(same[0]).release_id
            with db.transaction() as session:
                known |= drafts.link_known(session, same, release_id=release_id)
        return known

    def _fits(self, item: Claimed) -> bool:
        return item.picture.preprocessing == self._preprocessing

    def fetch(self, item: Claimed) -> Picture:
        """Read and open what the model is shown; may run in several threads at once.

        Raises:
            SpoiltError: what lies there is not what was prepared.
            UnavailableError: the store does not answer.
        """
        started = time.monotonic()
        image = item.picture
        key = _KEYS[self._form](item.collection_id, image.sha256, image.preprocessing)
        try:
            body = self._store.read(self._settings.bucket, key)
        except MissingObjectError as error:
            raise SpoiltError(key) from error
        sha256 = hashlib.sha256(body).digest()
        if self._form == "model" and sha256 != image.model_sha256:
            raise SpoiltError(key)
        question = self._questions.of(item)
        opened = self._asking.open(Request(body, question.prompt, item.sample))
        return Picture(opened, sha256, time.monotonic() - started)
