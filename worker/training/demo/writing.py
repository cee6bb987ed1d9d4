"""Second stage: the language model learns to say what the vision tower sees.

The tower stays as the first stage left it. Words that state a value weigh
more than the rest, or the model would first learn the prose by heart and look
at the picture last.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from worker.training.demo import attributes, data, words
from worker.training.demo import model as miniature
from worker.training.demo.colours import Pixels
from worker.training.demo.progress import Learner

_CLEAR, _BORDERLINE, _PROSE = 5.0, 0.5, 1.0
"""Weights of words: of a clear statement, of one in a dead zone, of all others."""


class Writing(Learner):
    """The whole model with its tokenizer."""

    def __init__(self, model: Any, tokens: Any) -> None:
        super().__init__()
        self.model, self.tokens = model, tokens

    def loss(self, batch: list[data.Sample], number: int) -> torch.Tensor:
        """Weighted cross-entropy of the paragraphs, per unit of weight."""
        rng = np.random.default_rng([number, 5])
        prompt = miniature.PROMPTS[int(rng.choice(len(miniature.PROMPTS), p=miniature.ASKED))]
        head = self._prompt(prompt)
        texts = [self._text(sample) for sample in batch]
        length = max(len(ids) for ids, _ in texts)
        ids = torch.full((len(batch), len(head) + length), self.tokens.pad_token_id)
        weights = torch.zeros(len(batch), length)  # what follows a text's end weighs nothing
        ids[:, : len(head)] = torch.tensor(head)
        for row, (text, weight) in enumerate(texts):
            ids[row, len(head) : len(head) + len(text)] = torch.tensor(text)
            weights[row, : len(text)] = torch.tensor(weight)
        logits = self.model(
            input_ids=ids,
            pixel_values=miniature.pixels([one.square for one in batch]),
            logits_to_keep=torch.arange(len(head) - 1, ids.shape[1] - 1),
        ).logits
        wrong = functional.cross_entropy(
            logits.transpose(1, 2), ids[:, len(head) :], reduction="none"
        )
        return (wrong * weights).sum() / weights.sum()

    def examine(self, held: list[data.Sample]) -> Mapping[str, Any]:
        """Shares of true statements about a quarter of the pictures, and one text to read."""
        few = held[: len(held) // 4]
        texts = self.write([sample.square for sample in few])
        shares = {attribute: round(share, 3) for attribute, share in truth(texts, few).items()}
        return {"accuracy": shares, "text": texts[0]}

    @torch.no_grad()
    def write(self, squares: list[Pixels]) -> list[str]:
        """The greedy paragraph for each square."""
        head = torch.tensor([self._prompt(miniature.PROMPTS[0])] * len(squares))
        written = self.model.generate(
            input_ids=head,
            attention_mask=torch.ones_like(head),
            pixel_values=miniature.pixels(squares),
            max_new_tokens=150,
            do_sample=False,
            eos_token_id=self.tokens.eos_token_id,
            pad_token_id=self.tokens.pad_token_id,
        )
        texts = self.tokens.batch_decode(written[:, head.shape[1] :], skip_special_tokens=True)
        return [text.strip() for text in texts]

    def _prompt(self, prompt: str) -> list[int]:
        image = miniature.IMAGE * miniature.IMAGE_TOKENS
        return list(self.tokens(f"USER: {image}\n{prompt} ASSISTANT:").input_ids)

    def _text(self, sample: data.Sample) -> tuple[list[int], list[float]]:
        """Tokens of the paragraph that is true of the sample, and the weight of each."""
        claims = attributes.classify(sample.measured)
        text = " " + words.paragraph(claims)
        letters = np.full(len(text) + 1, _PROSE)
        for attribute, start, end in words.spans(text, claims):
            clear = attributes.is_clear(sample.measured, attribute)
            letters[start:end] = _CLEAR if clear else _BORDERLINE
        encoded = self.tokens(text, return_offsets_mapping=True)
        weights = [float(letters[end - 1]) for _, end in encoded["offset_mapping"]]
        return [*encoded["input_ids"], self.tokens.eos_token_id], [*weights, _PROSE]


def truth(texts: list[str], made: list[data.Sample]) -> dict[str, float]:
    """Share of texts that state each attribute, and state it truly."""
    true = [
        attributes.true_claims(sample.measured, words.parse(text))
        for text, sample in zip(texts, made, strict=True)
    ]
    return {
        attribute: float(np.mean([attribute in one for one in true]))
        for attribute in attributes.VALUES
    }
