"""What differs from one family of models to the next, as far as a release must care."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.engine.errors import CheckpointError

LLAVA = "llava"
"""The family that has an engine of its own."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How one family is served; what is not said here, its checkpoint says.

    In every family shorter prompts of a batch are padded on the left.
    """

    name: str
    dtype: str = "bfloat16"
    """On a GPU: what the family was trained in, where float16 overflows."""
    max_pixels: int | None = None
    """The most that a picture keeps, in families that take pictures of any size."""
    stops: tuple[str, ...] = ()
    """Tokens that end a turn, should the checkpoint's own settings have lost them."""
    template: Mapping[str, object] = field(default_factory=lambda: {"enable_thinking": False})
    """Given to the chat template, which takes what it knows."""
    thinking: tuple[str, str] = ("<think>", "</think>")
    """Between which a model thinks aloud; no part of an analysis."""
    processor: str | None = None
    """A class of transformers, where not the family's own."""


GENERAL = Profile("general")
"""For a family that is not listed."""

_QWEN = Profile("qwen", max_pixels=1280 * 32 * 32, stops=("<|im_end|>",))
_IDEFICS = Profile("idefics", stops=("<end_of_utterance>",), processor="Idefics3Processor")
PROFILES: Mapping[str, Profile] = {
    "qwen2_vl": _QWEN,
    "qwen2_5_vl": _QWEN,
    "qwen3_vl": _QWEN,
    "gemma3": Profile("gemma3", stops=("<end_of_turn>",)),
    "idefics3": _IDEFICS,
    # Its own processor needs one more package, to spell out the numbers of video frames.
    "smolvlm": _IDEFICS,
}
"""By the ``model_type`` of a checkpoint's config.json."""


def model_type(directory: Path) -> str:
    """Return the family of a checkpoint, from its config.json.

    Raises:
        CheckpointError: it does not say.
    """
    found = _config(directory).get("model_type")
    if not isinstance(found, str):
        raise CheckpointError(directory, "its config.json has no model_type")
    return found


def _config(directory: Path) -> dict[str, Any]:
    try:
        config = json.loads((directory / "config.json").read_text("utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(directory, "there is no config.json in it") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(directory, f"its config.json cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise CheckpointError(directory, "its config.json holds no JSON object")
    return config
