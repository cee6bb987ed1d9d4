"""One loaded model, and as many releases as it is asked prompts."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, cast

from predella.provenance import ReleaseSpec
from worker.engine.prompts import Prompt
from worker.engine.protocol import Answer, Engine, EngineFailure, Generation, Request

Opened = tuple[Prompt, list[Any]]
"""A prompt, and what the engine makes of each of its questions about one picture."""
_Part = tuple[tuple[Hashable, int], Answer]


def release_for(engine: Engine, prompt: Prompt, *, sample: int = 0) -> ReleaseSpec:
    """Return what the model is when it is asked this: for all further samples the same.

    Raises:
        PromptError: it cannot be.
    """
    rendered = [engine.render(question) for question in prompt.questions]
    return replace(
        engine.drawing if sample else engine.release,
        prompt_id=prompt.id,
        prompt_text=prompt.text,
        prompt_rendered="\n\n".join(rendered),
    )


class Asking:
    """An engine that is asked whole prompts: the answers to several questions come as one text."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._asked: dict[Hashable, Prompt] = {}
        self._answers: dict[Hashable, dict[int, Generation]] = {}

    @property
    def room(self) -> int:
        """How many more pictures it would take for its next step."""
        return self._engine.room

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing in it."""
        return self._engine.is_idle

    def open(self, request: Request) -> Opened:
        """Return what can be put; may run in any thread."""
        parts = [replace(request, prompt=question) for question in request.prompt.questions]
        return request.prompt, [self._engine.open(part) for part in parts]

    def put(self, key: Hashable, opened: Opened) -> None:
        """Ask all questions of a prompt."""
        self._asked[key], parts = opened
        self._answers[key] = {}
        for number, part in enumerate(parts):
            self._engine.put((key, number), part)

    def cancel(self, key: Hashable) -> None:
        """Forget one that is no longer wanted."""
        prompt = self._asked.pop(key)
        del self._answers[key]
        for number in range(len(prompt.questions)):
            self._engine.cancel((key, number))

    def step(self) -> list[tuple[Hashable, Answer]]:
        """Return what is answered whole; one part that fails leaves the whole unwritten."""
        done: list[tuple[Hashable, Answer]] = []
        for (key, number), answer in cast(list[_Part], self._engine.step()):
            if key not in self._asked:
                continue
            if isinstance(answer, EngineFailure):
                self.cancel(key)
                done.append((key, answer))
                continue
            self._answers[key][number] = answer
            if len(self._answers[key]) == len(self._asked[key].questions):
                done.append((key, self._whole(key)))
        return done

    def _whole(self, key: Hashable) -> Generation:
        parts = self._answers.pop(key)
        return _joined(self._asked.pop(key), [parts[number] for number in sorted(parts)])


def _joined(prompt: Prompt, written: Sequence[Generation]) -> Generation:
    """Return the answers under their headings."""
    if not prompt.sections:
        return written[0]
    tokens = sum(one.output_tokens for one in written)
    return Generation(
        text=_text(prompt, written),
        token_ids=tuple(token for one in written for token in one.token_ids),
        finish_reason="length" if any(one.finish_reason == "length" for one in written) else "stop",
        prompt_tokens=sum(one.prompt_tokens for one in written),
        output_tokens=tokens,
        mean_logprob=sum(one.mean_logprob * one.output_tokens for one in written) / tokens,
        min_window_logprob=min(one.min_window_logprob for one in written),
        rendered_prompt="\n\n".join(one.rendered_prompt for one in written),
        seed=written[0].seed,
        batch_size=max(one.batch_size for one in written),
    )


def _text(prompt: Prompt, written: Sequence[Generation]) -> str:
    """Return plain text: heading, empty line, paragraph; no heading where nothing was written."""
    parts = zip(prompt.sections, written, strict=True)
    return "\n\n".join(f"{part.heading}\n\n{one.text}" for part, one in parts if one.text.strip())
