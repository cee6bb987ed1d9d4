"""From answers to recorded analyses."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from predella import queue
from predella.formats.text import normalise
from predella.models import FinishReason
from predella.services import drafts, images
from predella.services.drafts import Draft
from predella.services.ledger import Claimed
from predella.services.runs import Work
from predella.settings import Settings
from predella.storage import Store
from worker.engine.protocol import Answer, EngineFailure, Generation
from worker.feed import WORKER, Feed
from worker.hand import Portion
from worker.questions import Questions
from worker.reading import Picture, SpoiltError
from worker.report import Report
from worker.settle import fail, retry, settle, settle_failure

_EMPTY = {
    "code": "empty_text",
    "sentence": "the model wrote nothing about this image; look at it before trying again",
}

log = structlog.get_logger()


@dataclass(frozen=True)
class Finished:
    """A portion that the engine has nothing more to do with."""

    portion: Portion[Picture]
    answer: Answer | None = None
    """None: the picture could not be fetched."""
    seconds: float = 0.0
    """In the engine."""

    @property
    def text(self) -> Generation | None:
        """What the model wrote, if it wrote anything."""
        if isinstance(self.answer, Generation) and normalise(self.answer.text).strip():
            return self.answer
        return None


_Due = list[tuple[Finished, list[Claimed]]]
"""With the items that share each, and are to be settled."""


class Recorder:
    """Settles the items of what is finished, however it ended."""

    def __init__(
        self,
        store: Store,
        feed: Feed[Picture],
        settings: Settings,
        *,
        device: str,
        questions: Questions,
        report: Report,
    ) -> None:
        self._store = store
        self._feed = feed
        self._settings = settings
        self._device = device
        self._questions = questions
        self._report = report

    def record(self, finished: Sequence[Finished]) -> None:
        """Settle all items that share these, those too that come to share them meanwhile.

        Raises:
            UnavailableError: the store is away.
            OperationalError: the database was away for as long as a lease lasts.
        """
        due = [(one, self._feed.sharing(one.portion)) for one in finished]
        texts = [one.text for one, items in due if items and one.text]
        shared = -len(texts)
        while due := [(one, items) for one, items in due if items]:
            self._settle(due)
            shared += sum(len(items) for one, items in due if one.text)
            due = [(one, self._feed.settled(one.portion, items)) for one, items in due]
        tokens = sum(text.output_tokens for text in texts)
        self._report.add(Work(images=len(texts), duplicates=shared, tokens=tokens))

    def _settle(self, due: _Due) -> None:
        written = [(one, items) for one, items in due if one.text]
        for asked in {items[0].asked for _, items in written}:
            self._record([pair for pair in written if pair[1][0].asked == asked])
        unwritten = [(one, item) for one, items in due if not one.text for item in items]
        for one, item in unwritten:
            self._settle_unwritten(item, one)
        self._report.add(Work(failed=len(unwritten)))

    def _record(self, same: _Due) -> None:
        """Write analyses of one release down, in one transaction."""
        found = [self._draft(items[0], one, text) for one, items in same if (text := one.text)]
        items = [item for _, items in same for item in items]
        firsts = {draft.item.id for draft in found}
        work = partial(
            drafts.record,
            drafts=found,
            duplicates=[item for item in items if item.id not in firsts],
            release_id=self._questions.of(items[0]).release_id,
        )
        settle(items, work, seconds=self._settings.lease_seconds)

    def _draft(self, item: Claimed, one: Finished, answer: Generation) -> Draft:
        picture = one.portion.value
        return Draft(
            item=item,
            text=answer.text,
            rendered_prompt=answer.rendered_prompt,
            model_sha256=picture.sha256,
            finish_reason=FinishReason(answer.finish_reason),
            prompt_tokens=answer.prompt_tokens,
            output_tokens=answer.output_tokens,
            mean_logprob=answer.mean_logprob,
            min_window_logprob=answer.min_window_logprob,
            seed=answer.seed,
            batch_size=answer.batch_size,
            device=self._device,
            worker=WORKER,
            timings={"fetch": round(picture.seconds, 4), "generate": round(one.seconds, 4)},
        )

    def _settle_unwritten(self, item: Claimed, one: Finished) -> None:
        if one.portion.error is not None:
            self._settle_unfetched(item, one.portion.error)
            return
        log.warning("nothing_written", item_id=str(item.id))
        if isinstance(one.answer, EngineFailure):
            code, sentence = one.answer.code, one.answer.sentence
            retry(item, code=code, sentence=sentence, settings=self._settings)
        else:
            fail(item, **_EMPTY, settings=self._settings)

    def _settle_unfetched(self, item: Claimed, error: BaseException) -> None:
        if isinstance(error, SpoiltError):
            log.warning("prepared_image_spoilt", item_id=str(item.id), key=error.key)
            work = partial(images.prepare_again, held=[item])
            settle([item], work, seconds=self._settings.lease_seconds)
            queue.ring(queue.PREPARE)
        else:
            settle_failure(item, error, store=self._store, settings=self._settings)
