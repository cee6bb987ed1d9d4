"""What the rest of the worker knows of a model: one small interface, no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

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
    """Of the model call: in half precision a text can depend on it."""


@dataclass(frozen=True, slots=True)
class EngineFailure:
    """The engine could not write for one picture; the others of its batch are unharmed."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Request:
    """One picture, and what is asked about it."""

    picture: bytes
    prompt: Prompt


class Engine(Protocol):
    """Answers one question about each picture; ``worker.engine.asking`` puts several together."""

    release: ReleaseSpec
    """Of the prompt that it was loaded with."""
    device: str
    batch_size: int
    """How many pictures are best handed over at once."""

    @property
    def picture(self) -> Literal["model", "review"]:
        """Which form it is shown: the padded square, or what curators look at."""
        ...

    def generate(self, batch: Sequence[bytes]) -> list[Generation | EngineFailure]:
        """Return one answer for each picture, all asked what it was loaded with; see `write`."""
        ...

    def render(self, prompt: Prompt) -> str:
        """Return what the model would be given to ask this one question.

        Raises:
            PromptError: it holds control tokens, or does not fit.
        """
        ...

    def write(self, batch: Sequence[Request]) -> list[Generation | EngineFailure]:
        """Return one answer for each request, in the order given.

        Their pictures are the bytes that ``worker.images.prepare`` made, in the form that the
        engine is shown; each asks one question. What is raised concerns the whole batch: the
        engine, not a picture, is at fault.
        """
        ...
