"""What all engines share that run a model of transformers in this process."""

from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from transformers import LogitsProcessorList

from worker.engine.batching import Batching
from worker.engine.decoding import Decoding, drawing
from worker.engine.prompts import Prompt
from worker.engine.protocol import Answer, EngineFailure, Generation
from worker.engine.watching import Watcher, lowest_window

LIBRARIES = ("numpy", "pillow", "safetensors", "tokenizers", "torch", "transformers")
"""Those that can change a text."""

Asked = TypeVar("Asked")
"""A picture, and what else an engine must know to ask about it."""
Answers = list[Answer]
_MINIATURE = 20_000_000
"""Parameters below which threads on the CPU wait for each other longer than they work."""


class Writing(Batching[Asked]):
    """Writes a batch at a time, or in parts where memory is short."""

    def __init__(self, model: Any, *, decoding: Decoding, batch_size: int, prompt: Prompt) -> None:
        """``decoding``: of what is drawn; what has no seed is not."""
        super().__init__(batch_size=batch_size, prompt=prompt)
        spare_threads(model)
        self._model = model
        self._decoding = decoding
        self.device = device_name(model.device)

    def step(self) -> list[tuple[Hashable, Answer]]:
        """Write one batch; short of memory, go on with half of it."""
        size = min(self.batch_size, len(self._waiting))
        try:
            return super().step()
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            self.batch_size = size // 2
            torch.cuda.empty_cache()
            return []

    @abstractmethod
    def _text(self, tokens: Sequence[int], rendered: str) -> str:
        """Return the analysis in what was written."""

    @torch.inference_mode()
    def _write(
        self,
        inputs: Mapping[str, torch.Tensor],
        prompts: Sequence[str],
        seeds: Sequence[int | None],
    ) -> Answers:
        """Return what the model writes to inputs that are padded on the left.

        Where there is no seed nothing is left to chance.
        """
        watcher = self._watcher(seeds)
        written = self._model.generate(**inputs, logits_processor=LogitsProcessorList([watcher]))
        tokens = written[:, inputs["input_ids"].shape[1] :].tolist()
        found = zip(
            tokens,
            watcher.logprobs(),
            watcher.broken(),
            inputs["attention_mask"].sum(-1).tolist(),
            prompts,
            seeds,
            strict=True,
        )
        return [
            not_finite()
            if broken
            else self._generation(row, logprobs, length, prompt, seed, batch_size=len(prompts))
            for row, logprobs, broken, length, prompt, seed in found
        ]

    def _watcher(self, seeds: Sequence[int | None]) -> Watcher:
        end = self._model.generation_config.eos_token_id[0]
        return Watcher(end, drawing(self._decoding, seeds))

    def _generation(
        self,
        row: list[int],
        logprobs: list[float],
        prompt_tokens: int,
        prompt: str,
        seed: int | None,
        *,
        batch_size: int,
    ) -> Generation:
        """Return one text, without what follows its end while others of the batch went on."""
        ends = frozenset(self._model.generation_config.eos_token_id)
        length = next((i + 1 for i, token in enumerate(row) if token in ends), len(row))
        return generation(
            row[:length],
            logprobs[:length],
            text=self._text(row[:length], prompt),
            is_ended=row[length - 1] in ends,
            prompt_tokens=prompt_tokens,
            rendered_prompt=prompt,
            seed=seed,
            batch_size=batch_size,
        )


def generation(
    tokens: Sequence[int],
    logprobs: Sequence[float],
    *,
    text: str,
    is_ended: bool,
    prompt_tokens: int,
    rendered_prompt: str,
    seed: int | None,
    batch_size: int,
) -> Generation:
    """Return one text with what is known of its making."""
    return Generation(
        text=text.strip(),
        token_ids=tuple(tokens),
        finish_reason="stop" if is_ended else "length",
        prompt_tokens=prompt_tokens,
        output_tokens=len(tokens),
        mean_logprob=float(np.mean(logprobs)),
        min_window_logprob=lowest_window(logprobs),
        rendered_prompt=rendered_prompt,
        seed=seed,
        batch_size=batch_size,
    )


def not_finite() -> EngineFailure:
    """Return what is said of a picture on which numbers became too large."""
    sentence = "The model's arithmetic overflowed on this picture. Serve it in float32."
    return EngineFailure("not_finite", sentence)


def spare_threads(model: Any) -> None:
    """Run a miniature on one thread of the CPU."""
    if model.device.type == "cpu" and model.num_parameters() < _MINIATURE:
        torch.set_num_threads(1)


def device_of(wanted: str) -> str:
    """Return CUDA where there is one, unless told otherwise."""
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def dtype_of(wanted: str, device: str, *, on_gpu: str) -> torch.dtype:
    """Return the type of number to calculate with; exact on the CPU unless told otherwise."""
    if wanted == "auto":
        wanted = on_gpu if device.startswith("cuda") else "float32"
    dtype: torch.dtype = getattr(torch, wanted)
    return dtype


def dtype_name(dtype: torch.dtype) -> str:
    """Return its name as settings and releases have it."""
    return str(dtype).removeprefix("torch.")


def device_name(device: torch.device) -> str:
    """Return what an analysis says of where it was written."""
    if device.type == "cpu":
        return "cpu"
    return f"{device}: {torch.cuda.get_device_name(device)}"
