"""GalleryGPT and every other LLaVA, as transformers runs them: the reference engine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LogitsProcessorList

from predella.provenance import ReleaseSpec
from worker.engine import identity, loading
from worker.engine.decoding import GREEDY, Decoding, Sampler, greedy
from worker.engine.errors import CheckpointError
from worker.engine.loading import Question
from worker.engine.pixels import NotModelReadyError
from worker.engine.prompts import FORMAL_ANALYSIS, Prompt
from worker.engine.protocol import EngineFailure, Generation
from worker.engine.watching import Watcher, lowest_window
from worker.images.prepared import PREPROCESSING

_LIBRARIES = ("numpy", "pillow", "safetensors", "tokenizers", "torch", "transformers")

Asked = tuple[bytes, Question]
"""A model-ready picture, and what the model is asked about it."""
_Row = tuple[np.ndarray[Any, Any], Asked]


class LlavaEngine:
    """Writes a batch at a time.

    Shorter prompts are padded on the left, where nothing attends to them; in float32 a text
    does not depend on its batch. In half precision it can.
    """

    def __init__(
        self,
        directory: Path,
        *,
        device: str,
        dtype: str,
        batch_size: int,
        max_new_tokens: int,
        prompt: Prompt = FORMAL_ANALYSIS,
        template: str | None = None,
        decoding: Decoding = GREEDY,
        preprocessing: str = PREPROCESSING,
    ) -> None:
        kind = _device(device)
        self._dtype = _dtype(dtype, kind)
        self._checkpoint = loading.load(directory, dtype=self._dtype, max_new_tokens=max_new_tokens)
        try:
            self._question = self._checkpoint.ask(prompt, template)
        except ValueError as error:
            raise CheckpointError(directory, str(error)) from error
        self._model = self._checkpoint.model.to(kind)
        self._decoding = decoding
        self.batch_size = batch_size
        self.device = _device_name(kind)
        self.release = self._release(directory, prompt, template, preprocessing)

    def generate(self, batch: Sequence[bytes]) -> list[Generation | EngineFailure]:
        """Return one answer for each picture, all asked what the release asks."""
        return self.answer([(picture, self._question) for picture in batch])

    def ask(self, prompt: Prompt, template: str | None = None) -> Question:
        """Return another question for :meth:`answer`.

        Raises:
            PromptError: it holds control tokens, or does not fit.
        """
        return self._checkpoint.ask(prompt, template)

    def answer(self, batch: Sequence[Asked]) -> list[Generation | EngineFailure]:
        """Return one answer for each picture; short of memory, go on with half the batch."""
        answers: list[Generation | EngineFailure] = []
        while len(answers) < len(batch):
            part = batch[len(answers) : len(answers) + self.batch_size]
            try:
                answers += self._answers(part)
            except torch.OutOfMemoryError:
                if len(part) == 1:
                    raise
                self.batch_size = len(part) // 2
                torch.cuda.empty_cache()
        return answers

    def _answers(self, batch: Sequence[Asked]) -> list[Generation | EngineFailure]:
        pixels = [self._pixels(picture) for picture, _ in batch]
        readable = [
            (one, asked)
            for one, asked in zip(pixels, batch, strict=True)
            if not isinstance(one, EngineFailure)
        ]
        written = iter(self._write(readable) if readable else ())
        return [one if isinstance(one, EngineFailure) else next(written) for one in pixels]

    def _pixels(self, picture: bytes) -> np.ndarray[Any, Any] | EngineFailure:
        try:
            return self._checkpoint.normalisation.tensor(picture)
        except NotModelReadyError as error:
            return EngineFailure("not_model_ready", f"Prepare the image again: {error}.")

    @torch.inference_mode()
    def _write(self, rows: Sequence[_Row]) -> list[Generation | EngineFailure]:
        """Return what the model writes; pixels: float32 [3, side, side]."""
        config, device = self._model.generation_config, self._model.device
        questions = [question for _, (_, question) in rows]
        ids, mask = _left_padded([one.ids for one in questions], config.pad_token_id)
        seeds = self._decoding.seeds([picture for _, (picture, _) in rows])
        watcher = self._watcher(seeds)
        written = self._model.generate(
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            pixel_values=torch.from_numpy(np.stack([pixels for pixels, _ in rows])).to(
                device, self._dtype
            ),
            logits_processor=LogitsProcessorList([watcher]),
        )
        tokens = written[:, ids.shape[1] :].tolist()
        found = zip(
            questions,
            tokens,
            watcher.logprobs(),
            watcher.broken(),
            [None] * len(rows) if seeds is None else seeds,
            strict=True,
        )
        return [
            _not_finite()
            if broken
            else self._generation(question, row, logprobs, seed=seed, batch_size=len(rows))
            for question, row, logprobs, broken, seed in found
        ]

    def _watcher(self, seeds: Sequence[int] | None) -> Watcher:
        end = self._model.generation_config.eos_token_id[0]
        if seeds is None:
            return Watcher(end, greedy)
        return Watcher(end, Sampler(self._decoding, torch.tensor(seeds)))

    def _generation(
        self,
        question: Question,
        row: list[int],
        logprobs: list[float],
        *,
        seed: int | None,
        batch_size: int,
    ) -> Generation:
        """Return one text, without what follows its end while others of the batch went on."""
        ends = frozenset(self._model.generation_config.eos_token_id)
        length = next((i + 1 for i, token in enumerate(row) if token in ends), len(row))
        chosen = row[:length]
        return Generation(
            text=self._checkpoint.decode(chosen).strip(),
            token_ids=tuple(chosen),
            finish_reason="stop" if chosen[-1] in ends else "length",
            prompt_tokens=len(question.ids),
            output_tokens=length,
            mean_logprob=float(np.mean(logprobs[:length])),
            min_window_logprob=lowest_window(logprobs[:length]),
            rendered_prompt=question.rendered,
            seed=seed,
            batch_size=batch_size,
        )

    def _release(
        self, directory: Path, prompt: Prompt, template: str | None, preprocessing: str
    ) -> ReleaseSpec:
        said = identity.about(directory)
        config = self._model.generation_config
        return ReleaseSpec(
            model_name=said.name,
            weights_sha256=identity.weights_sha256(directory),
            adapter_sha256=said.adapter_sha256,
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
            dtype=str(self._dtype).removeprefix("torch."),
            code_version=identity.code_version(),
            libraries=identity.libraries(_LIBRARIES),
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


def _not_finite() -> EngineFailure:
    sentence = "The model's arithmetic overflowed on this picture. Serve it in float32."
    return EngineFailure("not_finite", sentence)


def _device(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def _dtype(wanted: str, device: str) -> torch.dtype:
    """Return float16 on a GPU unless told otherwise: bfloat16 strays eight times as far."""
    if wanted == "auto":
        wanted = "float16" if device.startswith("cuda") else "float32"
    dtype: torch.dtype = getattr(torch, wanted)
    return dtype


def _device_name(device: str) -> str:
    return f"{device}: {torch.cuda.get_device_name(device)}" if device != "cpu" else device
