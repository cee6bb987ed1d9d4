"""Opening a checkpoint of any family of transformers, as far as pictures and text go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image
from safetensors import SafetensorError
from transformers.models.auto import modeling_auto, processing_auto

from worker.engine import loading, wording
from worker.engine.errors import CheckpointError
from worker.engine.profiles import GENERAL, PROFILES, Profile, model_type
from worker.engine.prompts import Prompt
from worker.engine.thoughts import Thoughts

_hub: Any = transformers  # its types do not cover what we call
_LOCAL = {"local_files_only": True, "trust_remote_code": False}
_models: Any = modeling_auto
_processors: Any = processing_auto
_UNUSABLE = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, ImportError),
    SafetensorError,
)
"""What the classes of transformers raise when files contradict each other."""


class _WithoutVideo:
    """Mixed into a processor: video is no business of ours, and would need torchvision."""

    def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
        """Let the part for video be missing."""
        if argument_name == "video_processor":
            return None
        checked: Any = super()
        return checked.check_argument_for_proper_class(argument_name, argument)


@dataclass(frozen=True, slots=True)
class Family:
    """A model in memory, and how it wants to be asked."""

    profile: Profile
    model: Any
    processor: Any

    def render(self, prompt: Prompt) -> str:
        """Return the prompt in the conversation of the checkpoint, the picture as one place.

        Raises:
            PromptError: it holds control tokens.
        """
        loading.check_text(self.processor.tokenizer, prompt.text)
        return str(self._applied(_turn(prompt, {"type": "image"})))

    def inputs(self, asked: Sequence[tuple[Image.Image, Prompt]]) -> Any:
        """Return what the model takes, shorter prompts padded on the left."""
        turns = [_turn(prompt, {"type": "image", "image": image}) for image, prompt in asked]
        return self._applied(
            turns,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True},
        )

    def _applied(self, turns: Any, **how: Any) -> Any:
        known = str(self.processor.chat_template)
        said = {name: value for name, value in self.profile.template.items() if name in known}
        return self.processor.apply_chat_template(turns, add_generation_prompt=True, **how, **said)

    def text(self, tokens: Sequence[int], rendered: str) -> str:
        """Return the answer in what was written, without special tokens and thoughts."""
        tokenizer = self.processor.tokenizer
        thoughts = Thoughts(*self.profile.thinking, tokenizer.decode)
        return wording.decoder(tokenizer)(thoughts.left_out(tokens, rendered))

    @property
    def room(self) -> int | None:
        """How many tokens fit, the picture's and the written ones included."""
        room: int | None = getattr(
            self.model.config.get_text_config(decoder=True), "max_position_embeddings", None
        )
        return room

    @property
    def sizes(self) -> Mapping[str, object]:
        """How large the model sees a picture, in the words of its image processor."""
        processor = self.processor.image_processor
        said = {name: getattr(processor, name, None) for name in ("size", "max_image_size")}
        return {
            name: {key: value for key, value in dict(one).items() if value is not None}
            for name, one in said.items()
            if one is not None
        }


def profile(directory: Path) -> Profile:
    """Return how the family of this checkpoint is served.

    Raises:
        CheckpointError: no family of transformers answers questions about pictures under this
            name.
    """
    found = model_type(directory)
    if found in _models.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return PROFILES.get(found, GENERAL)
    raise CheckpointError(
        directory,
        f"transformers {transformers.__version__} knows no {found!r} that answers questions about"
        " pictures, and code that comes with a checkpoint is never run; serve a checkpoint of"
        " another family",
    )


def assemble(directory: Path, how: Profile, *, dtype: torch.dtype, max_new_tokens: int) -> Family:
    """Return the model on the CPU, set to choose the most likely token and in no other way.

    Only weights in safetensors are read, no code of the checkpoint is run, nothing is fetched.

    Raises:
        CheckpointError: the directory is not a checkpoint that can be served as it is.
    """
    loading.require_safetensors(directory)
    _hub.utils.logging.disable_progress_bar()
    _hub.utils.logging.set_verbosity_error()
    try:
        processor = _processor(directory, how)
        _limit(processor.image_processor, how.max_pixels)
        model = _model(directory, dtype)
        model.generation_config = _decoding(model, processor.tokenizer, how, max_new_tokens)
    except _UNUSABLE as error:
        raise CheckpointError(directory, _in_words(error)) from error
    return Family(how, model, processor)


def _model(directory: Path, dtype: torch.dtype) -> Any:
    model = loading.complete(_hub.AutoModelForImageTextToText, directory, dtype)
    if model.config.is_encoder_decoder:
        raise ValueError("it translates pictures, and cannot be asked; serve another family")
    return model


def _processor(directory: Path, how: Profile) -> Any:
    """Return the processor of the family, from those parts that pictures and text need."""
    own = _processors.PROCESSOR_MAPPING_NAMES[model_type(directory)]
    family = getattr(_hub, how.processor or own)
    kind: Any = type(family.__name__, (_WithoutVideo, family), {})
    said, _ = kind.get_processor_dict(directory, local_files_only=True)
    parts = {
        "tokenizer": _hub.AutoTokenizer.from_pretrained(directory, **_LOCAL),
        "image_processor": _hub.AutoImageProcessor.from_pretrained(
            directory, backend="pil", **_LOCAL
        ),
    }
    processor = kind.from_args_and_dict([parts.get(one) for one in kind.get_attributes()], said)
    return _able_to_converse(processor)


def _able_to_converse(processor: Any) -> Any:
    tokenizer = processor.tokenizer
    processor.chat_template = processor.chat_template or tokenizer.chat_template
    if processor.chat_template is None:
        raise ValueError(
            "it has no chat template; put the chat_template.jinja of its family beside its"
            " config.json, or serve a checkpoint that was trained to answer questions"
        )
    tokenizer.padding_side = "left"
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return processor


def _limit(image_processor: Any, max_pixels: int | None) -> None:
    """Let pictures keep fewer pixels, where the checkpoint itself does not want it so."""
    if max_pixels is not None:
        size = dict(image_processor.size)
        size["longest_edge"] = min(max_pixels, size["longest_edge"])
        image_processor.size = type(image_processor.size)(**size)


def _decoding(model: Any, tokenizer: Any, how: Profile, max_new_tokens: int) -> Any:
    config = loading.greedy_config(model, tokenizer, max_new_tokens)
    stops = {tokenizer.vocab[stop] for stop in how.stops if stop in tokenizer.vocab}
    config.eos_token_id = sorted({*config.eos_token_id, *stops})
    return config


def _turn(prompt: Prompt, picture: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [picture, {"type": "text", "text": prompt.text}]}]


def _in_words(error: BaseException) -> str:
    if "torchvision" in str(error).lower():
        return (
            "its pictures can only be prepared with torchvision, which predella does without;"
            " serve a checkpoint of a family that transformers prepares with Pillow"
        )
    return f"{error}"
