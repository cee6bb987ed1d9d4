"""What the release says of its own shape, said again in the words of transformers.

Nothing is opened by its ``model_type``: ``llava`` means something else there, and its defaults
fit a 7B model well enough to go unnoticed (an epsilon ten times too small, half the room).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers

from worker.images.prepared import MODEL_SIDE
from worker.importing import documents
from worker.importing.errors import ReleaseFileError

_hub: Any = transformers  # its types do not cover what we call

_MULTIPLE = 64
"""The rows of a vocabulary are padded to this, for the GPU's sake."""
_NUMBERS = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "max_position_embeddings",
)
_VISION_NUMBERS = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "image_size",
    "patch_size",
)
_LANGUAGE = {
    "hidden_act": "silu",
    "rope_scaling": None,
    "tie_word_embeddings": False,
    "attention_bias": False,
    "mlp_bias": False,
    "mm_projector_type": "mlp2x_gelu",
    "mm_vision_select_feature": "patch",
    "mm_patch_merge_type": "flat",
    "image_aspect_ratio": "pad",
    "mm_use_im_start_end": False,
    "mm_use_im_patch_token": False,
    "tune_vision_tower": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_VISION = {"hidden_act": "quick_gelu", "num_channels": 3}
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
_PIXELS = {
    "image_mean": list(CLIP_MEAN),
    "image_std": list(CLIP_STD),
    "do_normalize": True,
    "resample": 3,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The model that is written, and the vocabulary that it was trained with."""

    config: Any
    """A ``LlavaConfig``."""
    vocabulary: int
    """Tokens of the release; the next one is the place of the picture."""
    longest: int
    """Tokens, with the picture, of the longest prompt in training."""
    files: dict[str, tuple[Path, ...]]

    @property
    def rows(self) -> int:
        """The vocabulary with ``<image>`` and what pads it."""
        return int(self.config.text_config.vocab_size)


def shape(base: Path, tower: Path, adapter: Path, *, dtype: str) -> Shape:
    """Return the model that these three directories describe; the adapter has the last word.

    Raises:
        ReleaseFileError: something is missing, or is not as GalleryGPT has it.
    """
    base_file, adapter_file, tower_file = (part / "config.json" for part in (base, adapter, tower))
    said = documents.read(base_file)
    _require_original(base_file, said)
    if adapter_file.is_file():
        said |= documents.read(adapter_file)
    else:
        adapter_file = base_file
    documents.require(adapter_file, said, _LANGUAGE)
    vision = _vision(tower_file, documents.read(tower_file))
    if said.get("mm_hidden_size", vision.hidden_size) != vision.hidden_size:
        raise ReleaseFileError(
            tower_file,
            f"has hidden_size {vision.hidden_size}, the base expects {said['mm_hidden_size']}",
            "this is another vision tower: download the one that docs/models.md names",
        )
    vocabulary = documents.number(adapter_file, said, "vocab_size")
    pixels = _check_pixels(tower / "preprocessor_config.json", vision)
    return Shape(
        config=_llava(_language(adapter_file, said), vision, adapter_file, said, dtype),
        vocabulary=vocabulary,
        longest=int(said.get("tokenizer_model_max_length", 2048)),
        files={
            "base": (base_file,),
            "vision_tower": (tower_file, *pixels),
            "adapter": (adapter_file,) if adapter_file != base_file else (),
        },
    )


def _require_original(file: Path, said: dict[str, Any]) -> None:
    if "text_config" in said:
        raise ReleaseFileError(
            file,
            "is already in the form of transformers",
            "--base wants ShareGPT4V-7B as its authors published it",
        )


def _llava(language: Any, vision: Any, file: Path, said: dict[str, Any], dtype: str) -> Any:
    return _hub.LlavaConfig(
        text_config=language,
        vision_config=vision,
        image_token_index=said["vocab_size"],
        image_seq_length=(vision.image_size // vision.patch_size) ** 2,
        projector_hidden_act="gelu",
        vision_feature_select_strategy="default",
        vision_feature_layer=documents.number(file, said, "mm_vision_select_layer"),
        tie_word_embeddings=False,
        dtype=dtype,
        architectures=["LlavaForConditionalGeneration"],
    )


def _language(file: Path, said: dict[str, Any]) -> Any:
    numbers = {name: documents.number(file, said, name) for name in _NUMBERS}
    numbers["vocab_size"] = -(-(numbers["vocab_size"] + 1) // _MULTIPLE) * _MULTIPLE
    return _hub.LlamaConfig(
        **numbers,
        num_key_value_heads=said.get("num_key_value_heads", numbers["num_attention_heads"]),
        hidden_act="silu",
        rms_norm_eps=_epsilon(file, said, "rms_norm_eps"),
        rope_parameters={"rope_type": "default", "rope_theta": said.get("rope_theta", 10000.0)},
        tie_word_embeddings=False,
        attention_bias=False,
        mlp_bias=False,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        use_cache=True,
    )


def _vision(file: Path, said: dict[str, Any]) -> Any:
    said = said.get("vision_config", said)
    documents.require(file, said, _VISION)
    numbers = {name: documents.number(file, said, name) for name in _VISION_NUMBERS}
    if numbers["image_size"] != MODEL_SIDE:
        raise ReleaseFileError(
            file,
            f"takes pictures of {numbers['image_size']} pixels, not {MODEL_SIDE}",
            "this is another vision tower: download the one that docs/models.md names",
        )
    return _hub.CLIPVisionConfig(
        **numbers,
        projection_dim=said.get("projection_dim", 768),
        hidden_act="quick_gelu",
        layer_norm_eps=_epsilon(file, said, "layer_norm_eps"),
    )


def _epsilon(file: Path, said: dict[str, Any], name: str) -> float:
    value = said.get(name)
    if not isinstance(value, float):
        raise ReleaseFileError(file, f"{name} is {value!r}, not a number", "download it again")
    return value


def _check_pixels(file: Path, vision: Any) -> tuple[Path, ...]:
    """Compare how the tower wants its pixels with how it will get them."""
    if not file.is_file():
        return ()
    said = documents.read(file)
    documents.require(file, said, _PIXELS)
    for name in ("size", "crop_size"):
        sides = said.get(name)
        sides = sides.values() if isinstance(sides, dict) else [sides or vision.image_size]
        if set(sides) != {vision.image_size}:
            raise ReleaseFileError(
                file, f"{name} is {said[name]}, not {vision.image_size}", "download it again"
            )
    return (file,)
