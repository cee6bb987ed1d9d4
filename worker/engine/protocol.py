"""What the rest of the worker knows of a model: one small interface, no torch."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, Protocol

from predella.provenance import ReleaseSpec
from worker.engine.prompts import Prompt

WINDOW = 16
"""Tokens in a row over which the least certain passage is looked for."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One formal analysis as the model wrote it, and how sure the model was."""

    text: str
    """Without the white space around it, and without what the model thought aloud."""
    token_ids: tuple[int, ...]
    """All that were written, with the token that ended the text, if one did."""
    finish_reason: Literal["stop", "length"]
    prompt_tokens: int
    """With the places that the picture takes."""
    output_tokens: int
    mean_logprob: float
    """Natural logarithm, over the tokens chosen, among the tokens that could be chosen."""
    min_window_logprob: float
    """The lowest mean over 16 tokens in a row."""
    rendered_prompt: str
    seed: int | None
    """None where nothing was left to chance."""
    batch_size: int
    """How many were written at once: in half precision a text can depend on it."""


@dataclass(frozen=True, slots=True)
class EngineFailure:
    """The engine could not write for one picture; the others of its batch are unharmed."""

    code: str
    sentence: str


Answer = Generation | EngineFailure


@dataclass(frozen=True, slots=True)
class Request:
    """One picture, and what is asked about it."""

    picture: bytes
    prompt: Prompt
    sample: int = 0
    """0: the text of the release; above it, another one, drawn with a seed of its own."""


class Engine(Protocol):
    """Answers one question about each picture; ``worker.engine.asking`` puts several together.

    Pictures are put into it one by one, whenever it has room. Every step brings it a little
    further and returns what came to its end, in whatever order. What a step raises concerns
    everything in it: the engine, not a picture, is at fault.
    """

    release: ReleaseSpec
    """Of the prompt that it was loaded with."""
    drawing: ReleaseSpec
    """What it is when it writes a further sample: chance takes part, so it is another one."""
    device: str

    @property
    def batch_size(self) -> int:
        """The most pictures that it works on at once."""
        ...

    @property
    def picture(self) -> Literal["model", "review"]:
        """Which form it is shown: the padded square, or what curators look at."""
        ...

    @property
    def room(self) -> int:
        """How many more it would take for its next step."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing in it."""
        ...

    @property
    def occupancy(self) -> float:
        """Share of its places that were at work during its last step, 0 to 1."""
        ...

    def render(self, prompt: Prompt) -> str:
        """Return what the model would be given to ask this one question.

        Raises:
            PromptError: it holds control tokens, or does not fit.
        """
        ...

    def open(self, request: Request) -> Any:
        """Return a picture, decoded, with its question: what :meth:`put` takes.

        May run in any thread, so that the engine itself never waits for it.
        """
        ...

    def put(self, key: Hashable, asked: Any) -> None:
        """Take one more in hand, under a name of the caller's choice."""
        ...

    def cancel(self, key: Hashable) -> None:
        """Forget one that is no longer wanted; nothing happens to the others."""
        ...

    def step(self) -> list[tuple[Hashable, Answer]]:
        """Work on what was put, and return the answers that are ready."""
        ...

    def generate(self, pictures: Sequence[bytes]) -> list[Answer]:
        """Return one answer for each picture, all asked what it was loaded with."""
        ...


def stream(engine: Engine, requests: Iterable[Request | EngineFailure]) -> Iterator[Answer]:
    """Yield an answer for each request, in their order, from an engine that has nothing else.

    Requests are taken as the engine has room. A failure in their place is its own answer.
    """
    coming, turn = enumerate(requests), 0
    found: dict[Hashable, Answer] = {}
    while True:
        for key, one in islice(coming, engine.room):
            engine.put(key, one if isinstance(one, EngineFailure) else engine.open(one))
        if engine.is_idle:
            return
        found |= dict(engine.step())
        while turn in found:
            yield found.pop(turn)
            turn += 1


def answers(engine: Engine, requests: Iterable[Request]) -> list[Answer]:
    """Return one answer for each request, in their order, from an engine that has nothing else."""
    return list(stream(engine, requests))
