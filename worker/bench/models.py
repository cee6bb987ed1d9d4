"""Models of any size with random weights: time does not depend on what they were trained on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import transformers

_hub: Any = transformers  # its types do not cover what we call

BOS, EOS, IMAGE = 1, 2, 3
"""Ids of tokens."""
PREFIX, PATCHES, SUFFIX = 36, 576, 24
"""Tokens of a prompt: the conversation up to the picture, the picture, and the question."""
PROMPT = PREFIX + PATCHES + SUFFIX
SIDE = 336
"""Pixels."""
_GAIN = 3.0
"""Narrower weights write the same token over whatever they are shown."""
_PICTURES = 1_000_000
"""Pictures of one seed."""
_COARSE = 12
"""Pictures have large forms, as paintings have: so many a side."""


@dataclass(frozen=True, slots=True)
class Size:
    """What tells one LLaVA-1.5 from another."""

    vision_width: int
    vision_layers: int
    width: int
    inner: int
    layers: int
    heads: int
    vocabulary: int


SIZES = {
    "xs": Size(64, 2, 128, 344, 2, 4, 512),
    "s": Size(96, 4, 320, 864, 6, 5, 4096),
    "m": Size(128, 4, 512, 1376, 10, 8, 8192),
    "7b": Size(1024, 24, 4096, 11008, 32, 32, 32064),
}


def build(size: Size, *, device: str, dtype: torch.dtype, seed: int) -> Any:
    """Return a LlavaForConditionalGeneration, made where it is to run, that never wants to end.

    Its text depends on the picture and on every token before, so that a wrong slot, position or
    mask changes it.
    """
    torch.manual_seed(seed)
    with torch.device(device), _default(dtype):
        model = _hub.LlavaForConditionalGeneration(_config(size)).eval()
    for name, weight in model.named_parameters():
        _draw(name, weight)
    model.generation_config = _hub.GenerationConfig(
        do_sample=False,
        bos_token_id=BOS,
        eos_token_id=[EOS],
        pad_token_id=0,
        suppress_tokens=[EOS],
    )
    return model


@contextmanager
def _default(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _config(size: Size) -> Any:
    return _hub.LlavaConfig(
        vision_config={
            "model_type": "clip_vision_model",
            "hidden_size": size.vision_width,
            "intermediate_size": 4 * size.vision_width,
            "num_hidden_layers": size.vision_layers,
            "num_attention_heads": size.vision_width // 64 or 1,
            "image_size": SIDE,
            "patch_size": 14,
            "projection_dim": 768,
        },
        text_config={
            "model_type": "llama",
            "hidden_size": size.width,
            "intermediate_size": size.inner,
            "num_hidden_layers": size.layers,
            "num_attention_heads": size.heads,
            "num_key_value_heads": size.heads,
            "vocab_size": size.vocabulary,
            "max_position_embeddings": 4096,
            "rms_norm_eps": 1e-5,
        },
        image_token_index=IMAGE,
        image_seq_length=PATCHES,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )


@torch.no_grad()
def _draw(name: str, weight: torch.Tensor) -> None:
    if name.endswith("bias"):
        weight.zero_()
    elif weight.ndim > 1:
        gain = _GAIN if "language_model.layers" in name else 1.0
        weight.normal_(0, gain * weight[0].numel() ** -0.5)


def prompt_ids(vocabulary: int, seed: int) -> torch.Tensor:
    """Return int64 [tokens]: random words around the places of a picture."""
    draw = torch.Generator().manual_seed(seed)
    words = torch.randint(IMAGE + 1, vocabulary, (PREFIX + SUFFIX,), generator=draw)
    words[0] = BOS
    return torch.cat([words[:PREFIX], torch.full((PATCHES,), IMAGE), words[PREFIX:]])


def picture(number: int, seed: int) -> torch.Tensor:
    """Return float32 [3, side, side], normalised."""
    draw = torch.Generator().manual_seed(seed * _PICTURES + number)
    forms = torch.randn(1, 3, _COARSE, _COARSE, generator=draw)
    large = torch.nn.functional.interpolate(forms, size=(SIDE, SIDE), mode="bilinear")[0]
    return large + 0.1 * torch.randn(large.shape, generator=draw)
