"""From model-ready pictures to recorded analyses."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import structlog

from predella import db, queue
from predella.errors import MissingObjectError, PredellaError
from predella.formats.text import normalise
from predella.ids import ImageId, ItemId, ReleaseId
from predella.models import FinishReason, Stage
from predella.services import drafts, images, releases
from predella.services.drafts import Draft
from predella.services.ledger import Claimed
from predella.settings import Settings
from predella.storage import Store
from worker.engine.protocol import Engine, EngineFailure, Generation
from worker.feed import WORKER, Feed, Fetched, Plan
from worker.images import PREPROCESSING
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
    with db.transaction() as session:
        release_id = releases.register(session, engine.release)
    desk = Desk(store, engine, settings, release_id)
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
    log.info("analyzed", release_id=str(release_id), starved_seconds=round(feed.starved, 3))


class Desk:
    """Where one engine writes, for one release."""

    def __init__(
        self, store: Store, engine: Engine, settings: Settings, release_id: ReleaseId
    ) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._release_id = release_id

    def sift(self, claimed: Sequence[Claimed]) -> list[Claimed]:
        """Settle what needs no model, and return the rest.

        An image that this release knows already gives its analysis to the new item; one that
        was prepared in another way than we prepare today is prepared again.
        """
        outdated = [item for item in claimed if not self._fits(item)]
        current = [item for item in claimed if self._fits(item)]
        if outdated:
            with db.transaction() as session:
                images.prepare_again(session, outdated)
                queue.ring_after_commit(session, queue.PREPARE)
        known = self._link_known(current)
        return [item for item in current if item.id not in known]

    def _link_known(self, items: Sequence[Claimed]) -> set[ItemId]:
        with db.transaction() as session:
            return drafts.link_known(session, items, release_id=self._release_id)

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
        sharing = _by_image([one for one in fetched if one.item.id not in known])
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
        if written:
            self._record(written, duplicates)

    def _generate(self, sharing: _Sharing) -> list[Generation | EngineFailure]:
        try:
            return self._engine.generate([items[0].value.body for items in sharing])
        except Exception as error:
            log.exception("engine_failed", batch_size=len(sharing))
            for one in chain.from_iterable(sharing):
                retry(one.item, **_ENGINE_FAILED, settings=self._settings)
            raise EngineBrokenError from error

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

    def _record(self, written: Sequence[Draft], duplicates: Sequence[Claimed]) -> None:
        work = partial(
            drafts.record, drafts=written, duplicates=duplicates, release_id=self._release_id
        )
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


def _by_image(fetched: Sequence[Fetched[Picture]]) -> _Sharing:
    """Gather items of the same image: the engine sees it once."""
    sharing: dict[ImageId, list[Fetched[Picture]]] = {}
    for one in fetched:
        sharing.setdefault(one.item.picture.id, []).append(one)
    return list(sharing.values())
