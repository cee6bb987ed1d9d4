"""GalleryGPT and every other LLaVA: what all ways to run one share."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from predella.provenance import ReleaseSpec
from worker.engine import adapters, identity, loading
from worker.engine.decoding import ANOTHER, GREEDY, Decoding
from worker.engine.errors import CheckpointError
from worker.engine.loading import Question
from worker.engine.pixels import NotModelReadyError
from worker.engine.prompts import FORMAL_ANALYSIS, Prompt
from worker.engine.protocol import EngineFailure, Request
from worker.engine.writing import LIBRARIES, device_of, dtype_name, dtype_of
from worker.images.prepared import PREPROCESSING

_ON_GPU = "float16"
"""bfloat16 strays eight times as far."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A picture as the model takes it, and what it is asked about it."""

    pixels: NDArray[np.float32]
    """float32 [3, side, side]"""
    question: Question
    seed: int | None


class Llava:
    """One LLaVA in memory, asked any number of questions."""

    picture: Literal["model"] = "model"

    def __init__(
        self,
        directory: Path,
        *,
        device: str,
        dtype: str,
        max_new_tokens: int,
        adapter: Path | None = None,
        prompt: Prompt = FORMAL_ANALYSIS,
        template: str | None = None,
        decoding: Decoding = GREEDY,
        preprocessing: str = PREPROCESSING,
    ) -> None:
        kind = device_of(device)
        self.dtype = dtype_of(dtype, kind, on_gpu=_ON_GPU)
        self.decoding = decoding
        self.prompt = prompt
        self.checkpoint = loading.load(directory, dtype=self.dtype, max_new_tokens=max_new_tokens)
        self._template = template
        try:
            self._questions = {prompt: self.ask(prompt, template)}
        except ValueError as error:
            raise CheckpointError(directory, str(error)) from error
        merged = None if adapter is None else adapters.merge(self.checkpoint.model, adapter)
        self.model = self.checkpoint.model.to(kind)
        self._directory, self._adapter, self._preprocessing = directory, merged, preprocessing
        self._base_model = identity.base_model(directory, adapter)

    def ask(self, prompt: Prompt, template: str | None = None) -> Question:
        """Return a prompt in the conversation of the checkpoint, or in another one.

        Raises:
            PromptError: it holds control tokens, or does not fit.
        """
        return self.checkpoint.ask(prompt, template)

    def question(self, prompt: Prompt) -> Question:
        """Return a prompt as the model is given it.

        Raises:
            PromptError: it holds control tokens, or does not fit.
        """
        if prompt not in self._questions:
            self._questions[prompt] = self.ask(prompt, self._template)
        return self._questions[prompt]

    def open(self, request: Request) -> Asked | EngineFailure:
        """Return the picture as numbers, with its question; may run in any thread."""
        question = self.question(request.prompt)
        return self.opened(request.picture, question, sample=request.sample)

    def opened(
        self, picture: bytes, question: Question, *, sample: int = 0
    ) -> Asked | EngineFailure:
        """Return a model-ready picture as numbers, with this question."""
        try:
            pixels = self.checkpoint.normalisation.tensor(picture)
        except NotModelReadyError as error:
            return EngineFailure("not_model_ready", f"Prepare the image again: {error}.")
        decoding = self.drawing if sample else self.decoding
        return Asked(pixels, question, decoding.seed_for(picture, sample))

    @property
    def drawing(self) -> Decoding:
        """How further samples are written: greedily they would say the same once more."""
        return self.decoding if self.decoding.temperature else ANOTHER

    def drawn(self, release: ReleaseSpec) -> ReleaseSpec:
        """Return what a release of this model is where it writes further samples."""
        rest = {k: v for k, v in release.decoding.items() if k not in self.decoding.as_json()}
        return replace(release, decoding={**rest, **self.drawing.as_json()})

    def release(self, engine: str) -> ReleaseSpec:
        """Return the identity of what this model writes when this engine runs it."""
        said = identity.about(self._directory)
        config = self.model.generation_config
        return ReleaseSpec(
            model_name=said.name,
            weights_sha256=identity.weights_sha256(self._directory),
            adapter_sha256=self._adapter or said.adapter_sha256,
            prompt_id=self.prompt.id,
            prompt_text=self.prompt.text,
            prompt_rendered=self.question(self.prompt).rendered,
            template=self._template or said.template,
            decoding={
                "engine": engine,
                "picture_side": self.checkpoint.normalisation.side,
                **self.decoding.as_json(),
                "max_new_tokens": config.max_new_tokens,
                "eos_token_id": config.eos_token_id,
                "suppressed_tokens": len(config.suppress_tokens or ()),
            },
            preprocessing=self._preprocessing,
            dtype=dtype_name(self.dtype),
            code_version=identity.code_version(),
            libraries=identity.libraries(LIBRARIES),
            notice=said.notice,
            base_model=self._base_model,
        )
