"""A LLaVA as transformers' own ``generate`` runs it: what every other way is compared with."""

from collections.abc import Sequence

import numpy as np
import torch

from worker.engine.llava import Asked, Llava
from worker.engine.prompts import Prompt
from worker.engine.protocol import EngineFailure, Request
from worker.engine.writing import Answers, Writing


class ReferenceEngine(Writing[Asked]):
    """Writes a batch at a time.

    Shorter prompts are padded on the left, where nothing attends to them; in float32 a text
    does not depend on its batch. In half precision it can.
    """

    picture = Llava.picture

    def __init__(self, llava: Llava, *, batch_size: int) -> None:
        self.llava = llava
        super().__init__(
            llava.model, decoding=llava.drawing, batch_size=batch_size, prompt=llava.prompt
        )
        self.release = llava.release("generate")
        self.drawing = llava.drawn(self.release)

    def render(self, prompt: Prompt) -> str:
        """Return what the model would be given to ask this.

        Raises:
            PromptError: it holds control tokens, or does not fit.
        """
        return self.llava.question(prompt).rendered

    def open(self, request: Request) -> Asked | EngineFailure:
        """Return the picture as numbers, with its question; may run in any thread."""
        return self.llava.open(request)

    def _answers(self, batch: Sequence[Asked]) -> Answers:
        ids, mask = _left_padded(
            [one.question.ids for one in batch], self._model.generation_config.pad_token_id
        )
        pixels = torch.from_numpy(np.stack([one.pixels for one in batch]))
        device = self._model.device
        inputs = {
            "input_ids": ids.to(device),
            "attention_mask": mask.to(device),
            "pixel_values": pixels.to(device, self.llava.dtype),
        }
        seeds = [one.seed for one in batch]
        return self._write(inputs, [one.question.rendered for one in batch], seeds)

    def _text(self, tokens: Sequence[int], rendered: str) -> str:
        del rendered
        return self.llava.checkpoint.decode(tokens)


def _left_padded(prompts: Sequence[torch.Tensor], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the ids and what of them is real, both int64 [batch, tokens]."""
    ids = torch.full((len(prompts), max(map(len, prompts))), pad)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, -len(prompt) :] = prompt
        mask[row, -len(prompt) :] = 1
    return ids, mask
