"""From model-ready pictures to recorded analyses."""

import hashlib
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import structlog

from predella import db, queue
from predella.errors import MissingObjectError, PredellaError
from predella.formats.text import normalise
from predella.ids import ImageId, ItemId
from predella.models import FinishReason, Stage
from predella.services import drafts, images
from predella.services.drafts import Draft
from predella.services.ledger import Claimed
from predella.settings import Settings
from predella.storage import Store
from worker.engine import asking
from worker.engine.errors import PromptError
from worker.engine.protocol import Engine, EngineFailure, Generation, Request
from worker.feed import WORKER, Feed, Fetched, Plan
from worker.images import PREPROCESSING
from worker.questions import Questions
from worker.settle import fail, retry, settle, settle_failure
from worker.shift import Shift

_KEYS = {"model": images.model_key, "review": images.review_key}
"""By the form of picture that an engine is shown."""
_THREADS = 8
_GROUPS_AHEAD = 3

log = structlog.get_logger()


class EngineBrokenError(PredellaError):
    """The engine failed as a whole; the process that holds it should be replaced."""


class SpoiltError(PredellaError):
    """What lies in our own bucket is not what the prepare stage put there."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the prepared picture {key!r} is missing or damaged")
        self.key = key


@dataclass(frozen=True)
class Picture:
    """One prepared picture as the model is shown it, and how long it took to come."""

    body: bytes
    sha256: bytes
    seconds: float


_Sharing = list[list[Fetched[Picture]]]
_EMPTY = {
    "code": "empty_text",
    "sentence": "the model wrote nothing about this image; look at it before trying again",
}
_ENGINE_FAILED = {
    "code": "engine_failed",
    "sentence": "the model failed while it worked on a batch with this image",
}


def run(*, store: Store, engine: Engine, settings: Settings, shift: Shift) -> None:
    """Analyze what waits, until nothing does or the shift is over.

    Raises:
        EngineBrokenError: what it was working on is put back, and the rest given back.
    """
    desk = Desk(store, engine, settings)
    plan = Plan(
        stage=Stage.ANALYZE,
        fetch=desk.fetch,
        sift=desk.sift,
        group=engine.batch_size,
        ahead=_GROUPS_AHEAD * engine.batch_size,
        threads=_THREADS,
        lease_seconds=settings.lease_seconds,
    )
    with Feed(plan, shift) as feed:
        for group in feed:
            desk.write(group)
    log.info("analyzed", model=engine.release.model_name, starved_seconds=round(feed.starved, 3))


class Desk:
    """Where one engine writes, whatever it is asked."""

    def __init__(self, store: Store, engine: Engine, settings: Settings) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._questions = Questions(engine)

    def sift(self, claimed: Sequence[Claimed]) -> list[Claimed]:
        """Settle what needs no model, and return the rest.

        An image that was asked the same already gives its analysis to the new item; one that
        was prepared in another way than we prepare today is prepared again. What this model
        cannot be asked fails.
        """
        answerable = [item for item in claimed if self._can_be_asked(item)]
        outdated = [item for item in answerable if not self._fits(item)]
        current = [item for item in answerable if self._fits(item)]
        if outdated:
            with db.transaction() as session:
                images.prepare_again(session, outdated)
                queue.ring_after_commit(session, queue.PREPARE)
        known = self._link_known(current)
        return [item for item in current if item.id not in known]

    def _can_be_asked(self, item: Claimed) -> bool:
        try:
            self._questions.of(item.prompt_id)
        except PromptError as error:
            log.warning("prompt_refused", item_id=str(item.id), prompt_id=item.prompt_id)
            sentence = f"the model cannot be asked {item.prompt_id}: {error}"
            fail(item, code="prompt_refused", sentence=sentence, settings=self._settings)
            return False
        return True

    def _link_known(self, items: Sequence[Claimed]) -> set[ItemId]:
        known = set[ItemId]()
        for prompt_id in {item.prompt_id for item in items}:
            same = [item for item in items if item.prompt_id == prompt_id]
            release_id = self._questions.of(prompt_id).release_id
            with db.transaction() as session:
                known |= drafts.link_known(session, same, release_id=release_id)
        return known

    def _fits(self, item: Claimed) -> bool:
        return item.picture.preprocessing == PREPROCESSING

    def fetch(self, item: Claimed) -> Picture:
        """Read the picture that the model is shown; may run in several threads at once.

        Raises:
            SpoiltError: what lies there is not what was prepared.
            UnavailableError: the store does not answer.
        """
        started = time.monotonic()
        image = item.picture
        form = self._engine.picture
        key = _KEYS[form](item.collection_id, image.sha256, image.preprocessing)
        try:
            body = self._store.read(self._settings.bucket, key)
        except MissingObjectError as error:
            raise SpoiltError(key) from error
        sha256 = hashlib.sha256(body).digest()
        if form == "model" and sha256 != image.model_sha256:
            raise SpoiltError(key)
        return Picture(body, sha256, time.monotonic() - started)

    def write(self, group: Sequence[Fetched[Picture]]) -> None:
        """Have the engine write for these items, and settle every one of them.

        Raises:
            EngineBrokenError: the engine failed as a whole.
            UnavailableError: the store is away.
        """
        for one in group:
            if one.error is not None:
                self._settle_unfetched(one.item, one.error)
        fetched = [one for one in group if one.error is None]
        # Their images may have been written about since they were claimed.
        known = self._link_known([one.item for one in fetched])
        sharing = _by_image_and_prompt([one for one in fetched if one.item.id not in known])
        if not sharing:
            return
        started = time.monotonic()
        answers = self._generate(sharing)
        seconds = time.monotonic() - started
        written, duplicates = [], []
        for items, answer in zip(sharing, answers, strict=True):
            if isinstance(answer, EngineFailure) or not normalise(answer.text).strip():
                self._settle_unwritten(items, answer)
            else:
                written.append(self._draft(items[0], answer, seconds))
                duplicates += [one.item for one in items[1:]]
        for prompt_id in {draft.item.prompt_id for draft in written}:
            self._record(
                prompt_id,
                [draft for draft in written if draft.item.prompt_id == prompt_id],
                [item for item in duplicates if item.prompt_id == prompt_id],
            )

    def _generate(self, sharing: _Sharing) -> list[Generation | EngineFailure]:
        try:
            return _written(self._engine, [self._request(items[0]) for items in sharing])
        except Exception as error:
            log.exception("engine_failed", batch_size=len(sharing))
            for one in chain.from_iterable(sharing):
                retry(one.item, **_ENGINE_FAILED, settings=self._settings)
            raise EngineBrokenError from error

    def _request(self, one: Fetched[Picture]) -> Request:
        return Request(one.value.body, self._questions.of(one.item.prompt_id).prompt)

    def _draft(self, one: Fetched[Picture], answer: Generation, seconds: float) -> Draft:
        return Draft(
            item=one.item,
            text=answer.text,
            rendered_prompt=answer.rendered_prompt,
            model_sha256=one.value.sha256,
            finish_reason=FinishReason(answer.finish_reason),
            prompt_tokens=answer.prompt_tokens,
            output_tokens=answer.output_tokens,
            mean_logprob=answer.mean_logprob,
            min_window_logprob=answer.min_window_logprob,
            seed=answer.seed,
            batch_size=answer.batch_size,
            device=self._engine.device,
            worker=WORKER,
            timings={"fetch": round(one.value.seconds, 4), "generate": round(seconds, 4)},
        )

    def _record(
        self, prompt_id: str, written: Sequence[Draft], duplicates: Sequence[Claimed]
    ) -> None:
        release_id = self._questions.of(prompt_id).release_id
        work = partial(drafts.record, drafts=written, duplicates=duplicates, release_id=release_id)
        items = [*(draft.item for draft in written), *duplicates]
        settle(items, work, seconds=self._settings.lease_seconds)

    def _settle_unfetched(self, item: Claimed, error: BaseException) -> None:
        if isinstance(error, SpoiltError):
            log.warning("prepared_image_spoilt", item_id=str(item.id), key=error.key)
            work = partial(images.prepare_again, held=[item])
            settle([item], work, seconds=self._settings.lease_seconds)
            queue.ring(queue.PREPARE)
        else:
            settle_failure(item, error, store=self._store, settings=self._settings)

    def _settle_unwritten(
        self, items: Sequence[Fetched[Picture]], answer: Generation | EngineFailure
    ) -> None:
        for one in items:
            log.warning("nothing_written", item_id=str(one.item.id))
            if isinstance(answer, EngineFailure):
                retry(one.item, code=answer.code, sentence=answer.sentence, settings=self._settings)
            else:
                fail(one.item, **_EMPTY, settings=self._settings)


def _written(engine: Engine, batch: Sequence[Request]) -> list[Generation | EngineFailure]:
    whole = asking.Asking(engine)
    for number, one in enumerate(batch):
        whole.put(number, whole.open(one))
    found: dict[Hashable, Generation | EngineFailure] = {}
    while not whole.is_idle:
        found |= dict(whole.step())
    return [found[number] for number in range(len(batch))]


def _by_image_and_prompt(fetched: Sequence[Fetched[Picture]]) -> _Sharing:
    """Gather items of the same image that are asked the same: the engine sees it once."""
    sharing: dict[tuple[ImageId, str], list[Fetched[Picture]]] = {}
    for one in fetched:
        sharing.setdefault((one.item.picture.id, one.item.prompt_id), []).append(one)
    return list(sharing.values())
