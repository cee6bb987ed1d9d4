"""A release tried on pictures on this machine, without the service."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from predella.errors import RefusedImageError
from predella.settings import get_settings
from worker.engine import as_paper
from worker.engine.decoding import PRESETS, Decoding
from worker.engine.llava import Llava
from worker.engine.prompts import FORMAL_ANALYSIS, Prompt
from worker.engine.protocol import Answer, Engine, EngineFailure, Request, stream
from worker.engine.reference import ReferenceEngine
from worker.engine.slotted import SlottedEngine
from worker.images import Limits, Sandbox, preprocessing


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked of which model, and how."""

    model: Path
    engine: Literal["slots", "hf"]
    prompt: str | None
    template: str | None
    device: str
    dtype: str
    batch_size: int
    max_new_tokens: int
    decoding: Decoding
    as_paper: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one picture: a text, or why there is none."""

    image: str
    generation: Answer
    release: dict[str, object]

    @property
    def failure(self) -> EngineFailure | None:
        """Why there is no text."""
        return self.generation if isinstance(self.generation, EngineFailure) else None

    def as_json(self) -> dict[str, Any]:
        """Return one line of ``--jsonl``."""
        match self.generation:
            case EngineFailure(code, sentence):
                return {"image": self.image, "error": {"code": code, "sentence": sentence}}
            case one:
                return {
                    "image": self.image,
                    "text": one.text,
                    "token_ids": one.token_ids,
                    "finish_reason": one.finish_reason,
                    "prompt_tokens": one.prompt_tokens,
                    "output_tokens": one.output_tokens,
                    "mean_logprob": one.mean_logprob,
                    "seed": one.seed,
                    "release": self.release,
                }


def decoding(preset: str, temperature: float | None, seed: int) -> Decoding:
    """Return the named way to decode, with what was said of it otherwise."""
    chosen = replace(PRESETS[preset], seed=seed)
    return chosen if temperature is None else replace(chosen, temperature=temperature)


def analyze(asked: Trial, images: Sequence[Path]) -> Iterator[Outcome]:
    """Yield what came of each picture, in their order, as soon as it is written.

    Raises:
        CheckpointError: the model cannot be loaded.
        PromptError: the question cannot be put to it.
    """
    engine = _engine(asked)
    release = {"sha256": engine.release.digest().hex(), **engine.release.as_json()}
    prompt = _prompt(asked.prompt)
    with Sandbox() as sandbox:
        read = as_paper.picture if asked.as_paper else partial(_prepared, sandbox)
        requests = (_request(path, read, prompt) for path in images)
        for path, answer in zip(images, stream(engine, requests), strict=True):
            yield Outcome(str(path), answer, release)


def _engine(asked: Trial) -> Engine:
    llava = Llava(
        asked.model,
        device=asked.device,
        dtype=asked.dtype,
        max_new_tokens=asked.max_new_tokens,
        prompt=_prompt(asked.prompt),
        template=asked.template,
        decoding=asked.decoding,
        preprocessing=as_paper.PREPROCESSING if asked.as_paper else _preprocessing(),
    )
    if asked.engine == "hf":
        return ReferenceEngine(llava, batch_size=asked.batch_size)
    return SlottedEngine(llava, slots=asked.batch_size)


def _prompt(text: str | None) -> Prompt:
    if text is None:
        return FORMAL_ANALYSIS
    return Prompt(f"given/{hashlib.sha256(text.encode()).hexdigest()[:12]}", text)


def _prepared(sandbox: Sandbox, path: Path) -> bytes:
    settings = get_settings()
    limits = Limits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
    return sandbox.prepare(path, limits, exact=settings.exact_prepare).model_png


def _preprocessing() -> str:
    return preprocessing(exact=get_settings().exact_prepare)


def _request(path: Path, read: Callable[[Path], bytes], prompt: Prompt) -> Request | EngineFailure:
    """Return the model-ready picture with its question, or why there is none."""
    try:
        return Request(read(path), prompt)
    except RefusedImageError as refusal:
        return EngineFailure(refusal.code, str(refusal))
    except OSError as error:
        return EngineFailure("unreadable", f"The file cannot be read: {error.strerror}.")
