"""GalleryGPT and every other LLaVA, as transformers runs them: the reference engine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from predella.provenance import ReleaseSpec
from worker.engine import adapters, identity, loading
from worker.engine.decoding import GREEDY, Decoding
from worker.engine.errors import CheckpointError
from worker.engine.loading import Question
from worker.engine.pixels import NotModelReadyError
from worker.engine.prompts import FORMAL_ANALYSIS, Prompt
from worker.engine.protocol import EngineFailure, Request
from worker.engine.writing import LIBRARIES, Answers, Writing, device_of, dtype_name, dtype_of
from worker.images.prepared import PREPROCESSING

_ON_GPU = "float16"
"""bfloat16 strays eight times as far."""

Asked = tuple[bytes, Question]
"""A model-ready picture, and what the model is asked about it."""
_Row = tuple[np.ndarray[Any, Any], Asked]


class LlavaEngine(Writing[Asked]):
    """Writes a batch at a time.

    Shorter prompts are padded on the left, where nothing attends to them; in float32 a text
    does not depend on its batch. In half precision it can.
    """

    picture: Literal["model"] = "model"

    def __init__(
        self,
        directory: Path,
        *,
        device: str,
        dtype: str,
        batch_size: int,
        max_new_tokens: int,
        adapter: Path | None = None,
        prompt: Prompt = FORMAL_ANALYSIS,
        template: str | None = None,
        decoding: Decoding = GREEDY,
        preprocessing: str = PREPROCESSING,
    ) -> None:
        kind = device_of(device)
        self._template = template
        self._dtype = dtype_of(dtype, kind, on_gpu=_ON_GPU)
        self._checkpoint = loading.load(directory, dtype=self._dtype, max_new_tokens=max_new_tokens)
        try:
            self._question = self._checkpoint.ask(prompt, template)
            self._questions = {prompt: self._question}
        except ValueError as error:
            raise CheckpointError(directory, str(error)) from error
        model = self._checkpoint.model
        merged = None if adapter is None else adapters.merge(model, adapter)
        super().__init__(model.to(kind), decoding=decoding, batch_size=batch_size)
        self.release = self._release(directory, merged, prompt, template, preprocessing)

    def generate(self, batch: Sequence[bytes]) -> Answers:
        """Return one answer for each picture, all asked what the release asks."""
        return self.answer([(picture, self._question) for picture in batch])

    def render(self, prompt: Prompt) -> str:
        """Return what the model would be given to ask this.

        Raises:
            PromptError: it holds control tokens, or does not fit.
        """
        return self._asked(prompt).rendered

    def write(self, batch: Sequence[Request]) -> Answers:
        """Return one answer for each picture, each asked its own question."""
        return self.answer([(one.picture, self._asked(one.prompt)) for one in batch])

    def _asked(self, prompt: Prompt) -> Question:
        if prompt not in self._questions:
            self._questions[prompt] = self.ask(prompt, self._template)
        return self._questions[prompt]

    def ask(self, prompt: Prompt, template: str | None = None) -> Question:
        """Return another question for :meth:`answer`.

        Raises:
            PromptError: it holds control tokens, or does not fit.
        """
        return self._checkpoint.ask(prompt, template)

    def _answers(self, batch: Sequence[Asked]) -> Answers:
        pixels = [self._pixels(picture) for picture, _ in batch]
        readable = [
            (one, asked)
            for one, asked in zip(pixels, batch, strict=True)
            if not isinstance(one, EngineFailure)
        ]
        written = iter(self._write_about(readable) if readable else ())
        return [one if isinstance(one, EngineFailure) else next(written) for one in pixels]

    def _pixels(self, picture: bytes) -> np.ndarray[Any, Any] | EngineFailure:
        try:
            return self._checkpoint.normalisation.tensor(picture)
        except NotModelReadyError as error:
            return EngineFailure("not_model_ready", f"Prepare the image again: {error}.")

    def _write_about(self, rows: Sequence[_Row]) -> Answers:
        """Return what the model writes; pixels: float32 [3, side, side]."""
        device = self._model.device
        questions = [question for _, (_, question) in rows]
        ids, mask = _left_padded(
            [one.ids for one in questions], self._model.generation_config.pad_token_id
        )
        pixels = torch.from_numpy(np.stack([pixels for pixels, _ in rows]))
        inputs = {
            "input_ids": ids.to(device),
            "attention_mask": mask.to(device),
            "pixel_values": pixels.to(device, self._dtype),
        }
        seeds = self._decoding.seeds([picture for _, (picture, _) in rows])
        return self._write(inputs, [one.rendered for one in questions], seeds)

    def _text(self, tokens: Sequence[int], rendered: str) -> str:
        del rendered
        return self._checkpoint.decode(tokens)

    def _release(
        self,
        directory: Path,
        adapter: str | None,
        prompt: Prompt,
        template: str | None,
        preprocessing: str,
    ) -> ReleaseSpec:
        said = identity.about(directory)
        config = self._model.generation_config
        return ReleaseSpec(
            model_name=said.name,
            weights_sha256=identity.weights_sha256(directory),
            adapter_sha256=adapter or said.adapter_sha256,
            prompt_id=prompt.id,
            prompt_text=prompt.text,
            prompt_rendered=self._question.rendered,
            template=template or said.template,
            decoding={
                "picture_side": self._checkpoint.normalisation.side,
                **self._decoding.as_json(),
                "max_new_tokens": config.max_new_tokens,
                "eos_token_id": config.eos_token_id,
                "suppressed_tokens": len(config.suppress_tokens or ()),
            },
            preprocessing=preprocessing,
            dtype=dtype_name(self._dtype),
            code_version=identity.code_version(),
            libraries=identity.libraries(LIBRARIES),
            notice=said.notice,
        )


def _left_padded(prompts: Sequence[torch.Tensor], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the ids and what of them is real, both int64 [batch, tokens]."""
    ids = torch.full((len(prompts), max(map(len, prompts))), pad)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, -len(prompt) :] = prompt
        mask[row, -len(prompt) :] = 1
    return ids, mask
