"""Any local checkpoint of transformers that answers questions about pictures."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Literal

import torch
from jinja2 import TemplateError
from PIL import Image

from predella.provenance import ReleaseSpec
from worker.engine import adapters, assembling, identity
from worker.engine.decoding import ANOTHER, GREEDY
from worker.engine.errors import CheckpointError, PromptError
from worker.engine.prompts import FORMAL_ANALYSIS, Prompt
from worker.engine.protocol import Answer, EngineFailure, Request
from worker.engine.writing import LIBRARIES, Answers, Writing, device_of, dtype_name, dtype_of
from worker.images.prepared import PREPROCESSING, REVIEW_SIDE

_TRIAL_SIDE = 64
_UNFIT = (ValueError, LookupError, TypeError, AttributeError, RuntimeError, TemplateError)

_Question = tuple[Image.Image, Prompt]
_Asked = tuple[Image.Image, Prompt, int | None]
"""The picture, the question, and the seed of a further sample."""


class ChatEngine(Writing[_Asked]):
    """Asks a model in its own conversation, and shows it the picture without padding.

    In float32 a text does not depend on its batch. In half precision it can.
    """

    picture: Literal["review"] = "review"

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
        preprocessing: str = PREPROCESSING,
    ) -> None:
        kind = device_of(device)
        how = assembling.profile(directory)
        number = dtype_of(dtype, kind, on_gpu=how.dtype)
        self._family = assembling.assemble(
            directory, how, dtype=number, max_new_tokens=max_new_tokens
        )
        merged = None if adapter is None else adapters.merge(self._family.model, adapter)
        super().__init__(
            self._family.model.to(kind), decoding=ANOTHER, batch_size=batch_size, prompt=prompt
        )
        self._dtype = number
        self._rendered = self._check(directory)
        self.release = replace(
            self._release(directory, merged, preprocessing),
            base_model=identity.base_model(directory, adapter),
        )
        rest = {k: v for k, v in self.release.decoding.items() if k not in GREEDY.as_json()}
        self.drawing = replace(self.release, decoding={**rest, **ANOTHER.as_json()})

    def render(self, prompt: Prompt) -> str:
        """Return what the model would be given to ask this.

        Raises:
            PromptError: it holds control tokens.
        """
        return self._family.render(prompt)

    def open(self, request: Request) -> _Asked | EngineFailure:
        """Return the review picture and its question; may run in any thread."""
        picture = _open(request.picture)
        if isinstance(picture, EngineFailure):
            return picture
        decoding = ANOTHER if request.sample else GREEDY
        return picture, request.prompt, decoding.seed_for(request.picture, request.sample)

    def _answers(self, batch: Sequence[_Asked]) -> Answers:
        inputs = self._inputs([(picture, prompt) for picture, prompt, _ in batch])
        rendered = [self.render(prompt) for _, prompt, _ in batch]
        answers = self._write(inputs, rendered, [seed for _, _, seed in batch])
        return [self._within_room(answer) for answer in answers]

    def _inputs(self, asked: Sequence[_Question]) -> dict[str, torch.Tensor]:
        """Return what the model takes; of it, only what is no whole number has its dtype."""
        made = self._family.inputs(asked)
        return dict(made.to(self._model.device, self._dtype))

    def _within_room(self, answer: Answer) -> Answer:
        if isinstance(answer, EngineFailure) or self._fits(answer.prompt_tokens):
            return answer
        sentence = f"It takes {answer.prompt_tokens} tokens, more than the model has room for."
        return EngineFailure("picture_too_large", sentence)

    def _fits(self, prompt_tokens: int) -> bool:
        room, new = self._family.room, self._model.generation_config.max_new_tokens
        return room is None or prompt_tokens + new <= room

    def _text(self, tokens: Sequence[int], rendered: str) -> str:
        return self._family.text(tokens, rendered)

    def _check(self, directory: Path) -> str:
        """Try what every picture will need, before the first comes; return the rendered prompt.

        Raises:
            CheckpointError: the model and its processor do not fit together.
            PromptError: the largest picture leaves no room for a text.
        """
        largest = Image.new("RGB", (REVIEW_SIDE, REVIEW_SIDE))
        try:
            rendered = self._family.render(self._prompt)
            length = self._inputs([(largest, self._prompt)])["input_ids"].shape[1]
            small = largest.resize((_TRIAL_SIDE, _TRIAL_SIDE))
            inputs = self._inputs([(small, self._prompt)])
            with torch.inference_mode():
                self._model.generate(**inputs, max_new_tokens=1)
        except _UNFIT as error:
            why = f"its model, processor and chat template do not fit together: {error}"
            raise CheckpointError(directory, why) from error
        if not self._fits(length):
            raise PromptError(
                f"a large picture takes {length} tokens, and new ones do not fit into"
                f" {self._family.room}; lower PREDELLA_MAX_NEW_TOKENS, or the size in the"
                " preprocessor_config.json of the checkpoint"
            )
        return rendered

    def _release(self, directory: Path, adapter: str | None, preprocessing: str) -> ReleaseSpec:
        said = identity.about(directory)
        config, profile = self._model.generation_config, self._family.profile
        return ReleaseSpec(
            model_name=said.name,
            weights_sha256=identity.weights_sha256(directory),
            adapter_sha256=adapter or said.adapter_sha256,
            prompt_id=self._prompt.id,
            prompt_text=self._prompt.text,
            prompt_rendered=self._rendered,
            template=said.template,
            decoding={
                "profile": profile.name,
                "picture": self._family.sizes,
                **GREEDY.as_json(),
                "max_new_tokens": config.max_new_tokens,
                "eos_token_id": config.eos_token_id,
                "suppressed_tokens": len(config.suppress_tokens or ()),
                "left_out": list(profile.thinking),
            },
            preprocessing=f"{preprocessing}/review.jpg",
            dtype=dtype_name(self._dtype),
            code_version=identity.code_version(),
            libraries=identity.libraries(LIBRARIES),
            notice=said.notice,
        )


def _open(picture: bytes) -> Image.Image | EngineFailure:
    try:
        image = Image.open(BytesIO(picture), formats=("JPEG",))
        image.load()
    except OSError:
        return EngineFailure(
            "not_model_ready", "Prepare the image again: its review picture is not a JPEG."
        )
    return image.convert("RGB")
