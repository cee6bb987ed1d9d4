"""Which tensor of the release becomes which tensor of a LLaVA of transformers.

Names are the classic ones, which transformers 5.17 to 5.23 translate when they load.
"""

import re
from typing import Any

_LAYER = re.compile(r"model\.layers\.\d+\.\S+\.weight")
_TOP = frozenset({"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"})
PROJECTOR = {
    f"model.mm_projector.{old}.{kind}": f"multi_modal_projector.linear_{new}.{kind}"
    for old, new in ((0, 1), (2, 2))
    for kind in ("weight", "bias")
}
"""The bridge from the vision tower to the language model, by its old names."""
VOCABULARY = frozenset(
    {"language_model.model.embed_tokens.weight", "language_model.lm_head.weight"}
)
"""Tensors with one row for each token."""


def is_left_out(name: str) -> bool:
    """Say whether a tensor is recomputed, or overridden by the separate vision tower."""
    return name.endswith((".rotary_emb.inv_freq", "position_ids")) or name.startswith(
        "model.vision_tower."
    )


def of_language_model(name: str) -> str | None:
    """Return the new name of a tensor of the base, or None where it is unknown."""
    if name in PROJECTOR:
        return PROJECTOR[name]
    return f"language_model.{name}" if name in _TOP or _LAYER.fullmatch(name) else None


def of_vision_tower(name: str) -> str | None:
    """Return the new name of a tensor of the vision tower, or None where it is unknown."""
    return f"vision_tower.{name}" if name.startswith("vision_model.") else None


def of_trained_projector(names: frozenset[str]) -> dict[str, str]:
    """Return the new names of what was trained beside the adapter, as the original renames it.

    First ``base_model.`` goes; then, if anything still begins with ``model.model.``, one
    ``model.`` goes from every name (``llava/model/builder.py``).
    """
    short = {name: name.removeprefix("base_model.") for name in names}
    if any(name.startswith("model.model.") for name in short.values()):
        short = {name: one.removeprefix("model.") for name, one in short.items()}
    return {name: PROJECTOR.get(one, "") for name, one in short.items()}


def shapes(config: Any) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every tensor of a LLaVA of this configuration, in order."""
    text, vision = config.text_config, config.vision_config
    found = _language_model(text)
    for part, inner in (("1", vision.hidden_size), ("2", text.hidden_size)):
        found[f"multi_modal_projector.linear_{part}.weight"] = (text.hidden_size, inner)
        found[f"multi_modal_projector.linear_{part}.bias"] = (text.hidden_size,)
    return found | _vision_tower(vision)


def _language_model(text: Any) -> dict[str, tuple[int, ...]]:
    width, inner = text.hidden_size, text.intermediate_size
    narrow = width // text.num_attention_heads * text.num_key_value_heads
    found: dict[str, tuple[int, ...]] = {
        "language_model.model.embed_tokens.weight": (text.vocab_size, width)
    }
    for number in range(text.num_hidden_layers):
        found |= {
            f"language_model.model.layers.{number}.{part}.weight": shape
            for part, shape in {
                "input_layernorm": (width,),
                "self_attn.q_proj": (width, width),
                "self_attn.k_proj": (narrow, width),
                "self_attn.v_proj": (narrow, width),
                "self_attn.o_proj": (width, width),
                "post_attention_layernorm": (width,),
                "mlp.gate_proj": (inner, width),
                "mlp.up_proj": (inner, width),
                "mlp.down_proj": (width, inner),
            }.items()
        }
    found["language_model.model.norm.weight"] = (width,)
    found["language_model.lm_head.weight"] = (text.vocab_size, width)
    return found


def _vision_tower(vision: Any) -> dict[str, tuple[int, ...]]:
    width, inner, patch = vision.hidden_size, vision.intermediate_size, vision.patch_size
    places = (vision.image_size // patch) ** 2 + 1
    found: dict[str, tuple[int, ...]] = {
        "embeddings.class_embedding": (width,),
        "embeddings.patch_embedding.weight": (width, vision.num_channels, patch, patch),
        "embeddings.position_embedding.weight": (places, width),
        **_affine("pre_layrnorm", width),
    }
    for number in range(vision.num_hidden_layers):
        layer = f"encoder.layers.{number}"
        found |= _affine(f"{layer}.layer_norm1", width)
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            found |= _affine(f"{layer}.self_attn.{part}", width, width)
        found |= _affine(f"{layer}.layer_norm2", width)
        found |= _affine(f"{layer}.mlp.fc1", inner, width)
        found |= _affine(f"{layer}.mlp.fc2", width, inner)
    found |= _affine("post_layernorm", width)
    return {f"vision_tower.vision_model.{name}": shape for name, shape in found.items()}


def _affine(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
