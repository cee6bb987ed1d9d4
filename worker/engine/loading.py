"""Opening a checkpoint directory: everything that is wrong with it is said here, in words."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image
from safetensors import SafetensorError

from worker.engine.errors import CheckpointError
from worker.engine.pixels import Normalisation, normalisation
from worker.engine.prompts import Prompt

_hub: Any = transformers  # its types do not cover what we call
_LOCAL = {"local_files_only": True, "trust_remote_code": False}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model in memory, and how it wants to be asked."""

    model: Any
    tokenizer: Any
    normalisation: Normalisation
    rendered_prompt: str
    prompt_ids: torch.Tensor
    """int64 [1, tokens], with one place for each part of the picture."""


def load(directory: Path, prompt: Prompt, *, dtype: torch.dtype, max_new_tokens: int) -> Checkpoint:
    """Return the model on the CPU, set to decode greedily and in no other way.

    Only weights in safetensors are read, no code of the checkpoint is run, nothing is fetched.

    Raises:
        CheckpointError: the directory is not a checkpoint that can be served as it is.
    """
    _check_files(directory)
    _hub.utils.logging.disable_progress_bar()
    _hub.utils.logging.set_verbosity_error()
    try:
        model = _model(directory, dtype)
        processor = _hub.AutoProcessor.from_pretrained(directory, **_LOCAL)
        pixels = normalisation(processor.image_processor, model.config.vision_config.image_size)
        rendered = _render(processor, prompt)
        ids = _prompt_ids(processor, rendered, pixels.side)
        _check_prompt(model.config, ids, max_new_tokens)
        model.generation_config = _decoding(model, processor.tokenizer, max_new_tokens)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise CheckpointError(directory, str(error)) from error
    return Checkpoint(model, processor.tokenizer, pixels, rendered, ids)


def _check_files(directory: Path) -> None:
    if not (directory / "config.json").is_file():
        raise CheckpointError(directory, "there is no config.json in it")
    config = json.loads((directory / "config.json").read_text("utf-8"))
    if not {"text_config", "vision_config"} <= config.keys():
        why = "it is not in the form of transformers; convert the original release first"
        raise CheckpointError(directory, why)
    if not any(directory.glob("*.safetensors")):
        raise CheckpointError(
            directory, "there are no *.safetensors in it; other forms can run code"
        )


def _model(directory: Path, dtype: torch.dtype) -> Any:
    model, report = _hub.LlavaForConditionalGeneration.from_pretrained(
        directory, **_LOCAL, dtype=dtype, use_safetensors=True, output_loading_info=True
    )
    wrong = {kind: sorted(map(str, names)) for kind, names in report.items() if names}
    if wrong:
        raise ValueError(f"its weights do not fit its config.json: {str(wrong)[:500]}")
    return model.eval()


def _render(processor: Any, prompt: Prompt) -> str:
    content = [{"type": "image"}, {"type": "text", "text": prompt.text}]
    turn = [{"role": "user", "content": content}]
    return str(processor.apply_chat_template(turn, add_generation_prompt=True))


def _prompt_ids(processor: Any, rendered: str, side: int) -> torch.Tensor:
    anything = Image.new("RGB", (side, side))
    ids: torch.Tensor = processor(images=anything, text=rendered, return_tensors="pt")["input_ids"]
    return ids


def _check_prompt(config: Any, ids: torch.Tensor, max_new_tokens: int) -> None:
    vision = config.vision_config
    places = int((ids == config.image_token_id).sum())
    patches = (vision.image_size // vision.patch_size) ** 2
    expected = patches + (config.vision_feature_select_strategy == "full")
    if places != expected:
        raise ValueError(f"its prompt has {places} places for the picture, its model {expected}")
    room = config.text_config.max_position_embeddings
    if ids.shape[1] + max_new_tokens > room:
        raise ValueError(
            f"a prompt of {ids.shape[1]} tokens and {max_new_tokens} new ones do not fit into"
            f" {room}; lower PREDELLA_MAX_NEW_TOKENS"
        )


def _decoding(model: Any, tokenizer: Any, max_new_tokens: int) -> Any:
    """Return a fresh configuration: that of a base model may sample, and 5.17 refuses some."""
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
