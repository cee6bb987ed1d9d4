"""GalleryGPT and every other LLaVA, as transformers runs them: the reference engine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LogitsProcessorList

from predella.provenance import ReleaseSpec
from worker.engine import identity, loading
from worker.engine.pixels import NotModelReadyError
from worker.engine.prompts import FORMAL_ANALYSIS, Prompt
from worker.engine.protocol import EngineFailure, Generation
from worker.engine.watching import Watcher, lowest_window
from worker.images.prepared import MODEL_SIDE, PREPROCESSING

_LIBRARIES = ("numpy", "pillow", "safetensors", "tokenizers", "torch", "transformers")


class LlavaEngine:
    """Decodes greedily, a batch at a time.

    All prompts are the same and all pictures take the same number of places, so nothing is
    padded, and in float32 a text does not depend on its batch. In half precision it can.
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
    ) -> None:
        kind = _device(device)
        self._dtype = _dtype(dtype, kind)
        self._checkpoint = loading.load(
            directory, prompt, dtype=self._dtype, max_new_tokens=max_new_tokens
        )
        self._model = self._checkpoint.model.to(kind)
        self.batch_size = batch_size
        self.device = _device_name(kind)
        self.release = self._release(directory, prompt)

    def generate(self, batch: Sequence[bytes]) -> list[Generation | EngineFailure]:
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

    def _answers(self, batch: Sequence[bytes]) -> list[Generation | EngineFailure]:
        pixels = [self._pixels(picture) for picture in batch]
        readable = [one for one in pixels if not isinstance(one, EngineFailure)]
        written = iter(self._write(np.stack(readable)) if readable else ())
        return [one if isinstance(one, EngineFailure) else next(written) for one in pixels]

    def _pixels(self, picture: bytes) -> np.ndarray[Any, Any] | EngineFailure:
        try:
            return self._checkpoint.normalisation.tensor(picture)
        except NotModelReadyError as error:
            return EngineFailure("not_model_ready", f"Prepare the image again: {error}.")

    @torch.inference_mode()
    def _write(self, pixels: np.ndarray[Any, Any]) -> list[Generation | EngineFailure]:
        """Return what the model writes; pixels: float32 [batch, 3, side, side]."""
        config = self._model.generation_config
        watcher = Watcher(config.eos_token_id[0])
        ids = self._checkpoint.prompt_ids.expand(len(pixels), -1).to(self._model.device)
        written = self._model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            pixel_values=torch.from_numpy(pixels).to(self._model.device, self._dtype),
            logits_processor=LogitsProcessorList([watcher]),
        )
        tokens = written[:, ids.shape[1] :].tolist()
        rows = zip(tokens, watcher.logprobs(), watcher.broken(), strict=True)
        return [
            _not_finite() if broken else self._generation(row, logprobs, len(pixels))
            for row, logprobs, broken in rows
        ]

    def _generation(self, row: list[int], logprobs: list[float], batch_size: int) -> Generation:
        """Return one text, without what follows its end while others of the batch went on."""
        ends = frozenset(self._model.generation_config.eos_token_id)
        length = next((i + 1 for i, token in enumerate(row) if token in ends), len(row))
        chosen = row[:length]
        return Generation(
            text=self._checkpoint.tokenizer.decode(
                chosen, skip_special_tokens=True, clean_up_tokenization_spaces=False
            ).strip(),
            token_ids=tuple(chosen),
            finish_reason="stop" if chosen[-1] in ends else "length",
            prompt_tokens=self._checkpoint.prompt_ids.shape[1],
            output_tokens=length,
            mean_logprob=float(np.mean(logprobs[:length])),
            min_window_logprob=lowest_window(logprobs[:length]),
            rendered_prompt=self._checkpoint.rendered_prompt,
            seed=None,
            batch_size=batch_size,
        )

    def _release(self, directory: Path, prompt: Prompt) -> ReleaseSpec:
        said = identity.about(directory)
        config = self._model.generation_config
        side = self._checkpoint.normalisation.side
        return ReleaseSpec(
            model_name=said.name,
            weights_sha256=identity.weights_sha256(directory),
            adapter_sha256=said.adapter_sha256,
            prompt_id=prompt.id,
            prompt_text=prompt.text,
            prompt_rendered=self._checkpoint.rendered_prompt,
            template=said.template,
            decoding={
                "strategy": "greedy",
                "max_new_tokens": config.max_new_tokens,
                "eos_token_id": config.eos_token_id,
                "suppressed_tokens": len(config.suppress_tokens or ()),
            },
            preprocessing=PREPROCESSING if side == MODEL_SIDE else f"{PREPROCESSING}, then {side}",
            dtype=str(self._dtype).removeprefix("torch."),
            code_version=identity.code_version(),
            libraries=identity.libraries(_LIBRARIES),
            notice=said.notice,
        )


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
