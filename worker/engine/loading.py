"""Opening a checkpoint directory: everything that is wrong with it is said here, in words."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image
from safetensors import SafetensorError

from worker.engine import wording
from worker.engine.errors import CheckpointError, PromptError
from worker.engine.pixels import Normalisation, normalisation
from worker.engine.prompts import Prompt
from worker.engine.templates import TEMPLATES

_hub: Any = transformers  # its types do not cover what we call
_LOCAL = {"local_files_only": True, "trust_remote_code": False}


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt as the model is given it."""

    rendered: str
    ids: torch.Tensor
    """int64 [tokens], with one place for each part of the picture."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model in memory, and how it wants to be asked."""

    model: Any
    processor: Any
    normalisation: Normalisation
    max_new_tokens: int
    decode: Callable[[Sequence[int]], str]

    def ask(self, prompt: Prompt, template: str | None = None) -> Question:
        """Return this prompt in the conversation of the checkpoint, or in another one.

        Raises:
            PromptError: it holds control tokens, or does not fit.
            ValueError: the checkpoint's own files contradict each other.
        """
        check_text(self.processor.tokenizer, prompt.text)
        rendered = _render(self.processor, prompt, template)
        ids = _prompt_ids(self.processor, rendered, self.normalisation.side)
        _check_places(self.model.config, ids)
        self._check_room(len(ids))
        return Question(rendered, ids)

    def _check_room(self, length: int) -> None:
        room = self.model.config.text_config.max_position_embeddings
        if length + self.max_new_tokens > room:
            raise PromptError(
                f"a prompt of {length} tokens and {self.max_new_tokens} new ones do not fit into"
                f" {room}; lower PREDELLA_MAX_NEW_TOKENS or --max-new-tokens, or ask in fewer words"
            )
        trained = self.processor.tokenizer.model_max_length
        if length > trained:
            raise PromptError(
                f"the prompt has {length} tokens with its picture, the model was trained on at"
                f" most {trained}; ask in fewer words"
            )


def load(directory: Path, *, dtype: torch.dtype, max_new_tokens: int) -> Checkpoint:
    """Return the model on the CPU, set to choose the most likely token and in no other way.

    Only weights in safetensors are read, no code of the checkpoint is run, nothing is fetched.

    Raises:
        CheckpointError: the directory is not a checkpoint that can be served as it is.
    """
    _check_files(directory)
    _hub.utils.logging.disable_progress_bar()
    _hub.utils.logging.set_verbosity_error()
    try:
        model = complete(_hub.LlavaForConditionalGeneration, directory, dtype)
        processor = _hub.AutoProcessor.from_pretrained(directory, **_LOCAL)
        pixels = normalisation(processor.image_processor, model.config.vision_config.image_size)
        model.generation_config = greedy_config(model, processor.tokenizer, max_new_tokens)
        decode = wording.decoder(processor.tokenizer)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise CheckpointError(directory, str(error)) from error
    return Checkpoint(model, processor, pixels, max_new_tokens, decode)


def _check_files(directory: Path) -> None:
    if not (directory / "config.json").is_file():
        raise CheckpointError(directory, "there is no config.json in it")
    config = json.loads((directory / "config.json").read_text("utf-8"))
    if not {"text_config", "vision_config"} <= config.keys():
        why = "it is not in the form of transformers; convert the original release first"
        raise CheckpointError(directory, why)
    require_safetensors(directory)


def require_safetensors(directory: Path) -> None:
    """Refuse weights in a form that could run code.

    Raises:
        CheckpointError: there are none in safetensors.
    """
    if not any(directory.glob("*.safetensors")):
        raise CheckpointError(
            directory, "there are no *.safetensors in it; other forms can run code"
        )


def complete(kind: Any, directory: Path, dtype: torch.dtype) -> Any:
    """Return the model of this kind, with every weight that it has and no other.

    Raises:
        ValueError: a weight would stay random, or be left out.
    """
    model, report = kind.from_pretrained(
        directory, **_LOCAL, dtype=dtype, use_safetensors=True, output_loading_info=True
    )
    wrong = {kind: sorted(map(str, names)) for kind, names in report.items() if names}
    if wrong:
        raise ValueError(f"its weights do not fit its config.json: {str(wrong)[:500]}")
    return model.eval()


def check_text(tokenizer: Any, text: str) -> None:
    """Refuse words that the model would take for its own controls or for a second picture."""
    controls = {str(token) for token in tokenizer.added_tokens_decoder.values()}
    found = sorted(token for token in controls | set(tokenizer.all_special_tokens) if token in text)
    if found:
        raise PromptError(f"it holds {', '.join(found)}, which controls the model; leave it out")


def _render(processor: Any, prompt: Prompt, template: str | None) -> str:
    if template is not None:
        return TEMPLATES[template].render(prompt.text)
    content = [{"type": "image"}, {"type": "text", "text": prompt.text}]
    turn = [{"role": "user", "content": content}]
    return str(processor.apply_chat_template(turn, add_generation_prompt=True))


def _prompt_ids(processor: Any, rendered: str, side: int) -> torch.Tensor:
    anything = Image.new("RGB", (side, side))
    ids: torch.Tensor = processor(images=anything, text=rendered, return_tensors="pt")["input_ids"]
    return ids[0]


def _check_places(config: Any, ids: torch.Tensor) -> None:
    vision = config.vision_config
    places = int((ids == config.image_token_id).sum())
    patches = (vision.image_size // vision.patch_size) ** 2
    expected = patches + (config.vision_feature_select_strategy == "full")
    if places != expected:
        raise ValueError(f"its prompt has {places} places for the picture, its model {expected}")


def greedy_config(model: Any, tokenizer: Any, max_new_tokens: int) -> Any:
    """Return a fresh configuration: that of a base model may sample, and 5.17 refuses some.

    Raises:
        ValueError: nothing says which token ends a text.
    """
    own = model.generation_config
    ends = own.eos_token_id if own.eos_token_id is not None else tokenizer.eos_token_id
    if ends is None:
        raise ValueError("neither its generation_config.json nor its tokenizer has an end token")
    ends = sorted(ends) if isinstance(ends, list) else [ends]
    return _hub.GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=max_new_tokens,
        eos_token_id=ends,
        pad_token_id=ends[0] if own.pad_token_id is None else own.pad_token_id,
        suppress_tokens=sorted(own.suppress_tokens or []) or None,
    )
