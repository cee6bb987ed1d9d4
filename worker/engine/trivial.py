"""An engine without a model, for measuring and breaking everything around the model."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from predella.provenance import ReleaseSpec
from worker.engine import identity
from worker.engine.batching import Batching
from worker.engine.prompts import FORMAL_ANALYSIS, Prompt
from worker.engine.protocol import Answer, EngineFailure, Generation, Request
from worker.images.prepared import PREPROCESSING

_HEADER = struct.Struct(">8s4x4sII")
"""The beginning of a PNG (W3C PNG, 5.2 and 11.2.1): signature, length, IHDR, width, height."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class TrivialEngine(Batching[Request]):
    """Says how large the picture is, and nothing that anybody could take for an analysis."""

    device = "cpu"
    picture: Literal["model"] = "model"

    def __init__(self, *, batch_size: int, preprocessing: str = PREPROCESSING) -> None:
        super().__init__(batch_size=batch_size, prompt=FORMAL_ANALYSIS)
        self.release = ReleaseSpec(
            model_name="trivial",
            weights_sha256=hashlib.sha256().hexdigest(),
            adapter_sha256=None,
            prompt_id=FORMAL_ANALYSIS.id,
            prompt_text=FORMAL_ANALYSIS.text,
            prompt_rendered=FORMAL_ANALYSIS.text,
            template="none",
            decoding={"strategy": "none"},
            preprocessing=preprocessing,
            dtype="none",
            code_version=identity.code_version(),
            libraries={},
            notice="Written without a model, to try the software; not a description of this work.",
        )
        self.drawing = replace(self.release, decoding={"strategy": "numbered"})

    def render(self, prompt: Prompt) -> str:
        """Return its words: there is no conversation to dress them in."""
        return prompt.text

    def open(self, request: Request) -> Request:
        """Leave the picture as it is."""
        return request

    def _answers(self, batch: Sequence[Request]) -> list[Answer]:
        return [_answer(one, len(batch)) for one in batch]


def _answer(request: Request, batch_size: int) -> Answer:
    """Return the size of the picture, whatever is asked."""
    picture, asked = request.picture, request.prompt.text
    if len(picture) < _HEADER.size or not picture.startswith(_SIGNATURE):
        return EngineFailure("not_model_ready", "The prepared picture is not a PNG.")
    _, _, width, height = _HEADER.unpack_from(picture)
    digest = hashlib.sha256(picture).hexdigest()
    text = (
        f"A picture of {width} by {height} pixels in {len(picture)} bytes,"
        f" whose digest begins with {digest[:8]}."
    )
    if request.sample:
        text += f" This is sample {request.sample}."
    words = text.split()
    return Generation(
        text=text,
        token_ids=tuple(range(len(words))),
        finish_reason="stop",
        prompt_tokens=len(asked.split()),
        output_tokens=len(words),
        mean_logprob=0.0,
        min_window_logprob=0.0,
        rendered_prompt=asked,
        seed=request.sample or None,
        batch_size=batch_size,
    )
