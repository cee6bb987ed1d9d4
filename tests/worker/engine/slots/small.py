"""A model so small that hundreds of texts take seconds, and so drawn that every error shows.

With the usual narrow weights a model says the same whatever it sees, and a wrong engine passes.
"""

from functools import cache
from typing import Any

import torch
import transformers

from worker.engine.slots import Painting

hub: Any = transformers

BOS, END, IMAGE, VOCABULARY = 1, 2, 3, 256
SIDE, PATCH = 56, 14
PLACES = (SIDE // PATCH) ** 2
PREFIX, SUFFIX = 9, 6
PROMPT = PREFIX + PLACES + SUFFIX
MOST = 40
GAIN, END_GAIN = 3.0, 1.6


@cache
def model(dtype: torch.dtype = torch.float32, *, kv_heads: int = 4) -> Any:
    torch.manual_seed(0)
    made = hub.LlavaForConditionalGeneration(_config(kv_heads)).eval()
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if weight.ndim > 1:
                gain = GAIN if "language_model.layers" in name else 1.0
                weight.normal_(0, gain * weight[0].numel() ** -0.5)
            elif name.endswith("bias"):
                weight.zero_()
        made.lm_head.weight[END] *= END_GAIN
    made.generation_config = hub.GenerationConfig(
        do_sample=False,
        bos_token_id=BOS,
        eos_token_id=[END],
        pad_token_id=0,
        suppress_tokens=list(range(200, VOCABULARY)),
    )
    return made.to(dtype)


def _config(kv_heads: int) -> Any:
    vision = hub.CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=PATCH,
    )
    text = hub.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=160,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=kv_heads,
        max_position_embeddings=512,
    )
    return hub.LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=IMAGE,
        image_seq_length=PLACES,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )


@cache
def prompt(seed: int = 0, *, suffix: int = SUFFIX) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    words = torch.randint(IMAGE + 1, 200, (PREFIX + suffix,), generator=draw)
    words[0] = BOS
    return torch.cat([words[:PREFIX], torch.full((PLACES,), IMAGE), words[PREFIX:]])


def pixels(number: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1000 + number)
    forms = torch.randn(1, 3, 7, 7, generator=draw)
    return torch.nn.functional.interpolate(forms, size=(SIDE, SIDE), mode="bilinear")[0]


def painting(number: int, *, most: int = MOST, asked: torch.Tensor | None = None) -> Painting:
    return Painting(number, prompt() if asked is None else asked, pixels(number), most, seed=number)


def generated(one: Painting, *, dtype: torch.dtype = torch.float32, kv_heads: int = 4) -> list[int]:
    """What transformers' own `generate` writes about this painting alone."""
    written = model(dtype, kv_heads=kv_heads).generate(
        input_ids=one.prompt_ids[None],
        attention_mask=torch.ones_like(one.prompt_ids)[None],
        pixel_values=one.pixels[None].to(dtype),
        max_new_tokens=one.max_new_tokens,
    )
    tokens: list[int] = written[0, len(one.prompt_ids) :].tolist()
    return tokens


def forward(
    one: Painting, tokens: list[int], *, dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """The scores that the bare model gives before each of these tokens: float32 [tokens, words]."""
    ids = torch.cat([one.prompt_ids, torch.tensor(tokens, dtype=torch.long)])
    with torch.inference_mode():
        scores: torch.Tensor = model(dtype)(
            input_ids=ids[None], pixel_values=one.pixels[None].to(dtype)
        ).logits[0, len(one.prompt_ids) - 1 : -1]
    return scores.float().clone()
