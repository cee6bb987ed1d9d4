"""A release tried on pictures on this machine, without the service."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from predella.errors import RefusedImageError
from predella.settings import get_settings
from worker.engine import as_paper
from worker.engine.decoding import PRESETS, Decoding
from worker.engine.llava import Llava
from worker.engine.prompts import FORMAL_ANALYSIS, Prompt
from worker.engine.protocol import EngineFailure, Generation
from worker.engine.reference import ReferenceEngine
from worker.images import PREPROCESSING, Limits, Sandbox

ENGINES = {"hf": ReferenceEngine}
"""By the names of the command line."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of which model, and how."""

    model: Path
    engine: str
    prompt: str | None
    template: str | None
    device: str
    dtype: str
    batch_size: int
    max_new_tokens: int
    decoding: Decoding
    as_paper: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one picture: a text, or why there is none."""

    image: str
    generation: Generation | EngineFailure
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


def analyze(request: Request, images: Sequence[Path]) -> Iterator[Answer]:
    """Yield an answer for each picture, in their order, as soon as its batch is written.

    Raises:
        CheckpointError: the model cannot be loaded.
        PromptError: the question cannot be put to it.
    """
    engine = _engine(request)
    release = {"sha256": engine.release.digest().hex(), **engine.release.as_json()}
    with Sandbox() as sandbox:
        read = as_paper.picture if request.as_paper else partial(_prepared, sandbox)
        for start in range(0, len(images), request.batch_size):
            part = images[start : start + request.batch_size]
            pictures = [_picture(path, read) for path in part]
            good = [picture for picture in pictures if isinstance(picture, bytes)]
            written = iter(engine.generate(good))
            for path, picture in zip(part, pictures, strict=True):
                found = next(written) if isinstance(picture, bytes) else picture
                yield Answer(str(path), found, release)


def _engine(request: Request) -> ReferenceEngine:
    llava = Llava(
        request.model,
        device=request.device,
        dtype=request.dtype,
        max_new_tokens=request.max_new_tokens,
        prompt=_prompt(request.prompt),
        template=request.template,
        decoding=request.decoding,
        preprocessing=as_paper.PREPROCESSING if request.as_paper else PREPROCESSING,
    )
    return ReferenceEngine(llava, batch_size=request.batch_size)


def _prompt(text: str | None) -> Prompt:
    if text is None:
        return FORMAL_ANALYSIS
    return Prompt(f"given/{hashlib.sha256(text.encode()).hexdigest()[:12]}", text)


def _prepared(sandbox: Sandbox, path: Path) -> bytes:
    settings = get_settings()
    limits = Limits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
    return sandbox.prepare(path, limits).model_png


def _picture(path: Path, read: Callable[[Path], bytes]) -> bytes | EngineFailure:
    """Return the model-ready picture, or why there is none."""
    try:
        return read(path)
    except RefusedImageError as refusal:
        return EngineFailure(refusal.code, str(refusal))
    except OSError as error:
        return EngineFailure("unreadable", f"The file cannot be read: {error.strerror}.")
