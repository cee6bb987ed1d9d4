"""The miniature: the architecture of LLaVA, its tokenizer and processor, all small."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from worker.training.demo import attributes, data, words
from worker.training.demo.colours import Pixels

_hub: Any = transformers  # its types do not cover what we call

PATCH = 8
_WAVES = 8
"""Waves that tell places apart along each side; with sine and cosine they fill one head."""

IMAGE_TOKENS = (data.SIDE // PATCH) ** 2

IMAGE = "<image>"
"""Stands for one patch of the picture in the prompt."""

_BEGIN, _END, _PAD = "<s>", "</s>", "<pad>"

NAME = "predella demo model"
NOTICE = (
    "Written by predella's demo model, a miniature trained on painted test pictures: "
    "it speaks of format, light and colour only."
)

PROMPTS = (
    "Please write a paragraph of formal analysis for this painting.",
    "Please compose a coherent paragraph of formal analysis focusing on visual characteristics.",
    "Please construct a formal analysis paragraph that focuses solely on what can be seen.",
    "Write a formal analysis of the painting.",
    "Describe the line, shape, space, colour, light, texture and composition of this picture.",
    "Describe this image.",
)
ASKED = (0.7, *[0.3 / (len(PROMPTS) - 1)] * (len(PROMPTS) - 1))
"""How often each is asked in training; the first is the one of the GalleryGPT paper."""

TEMPLATE = (
    "{% for m in messages %}{% if m['role'] == 'user' %}USER: "
    "{% for c in m['content'] %}{% if c['type'] == 'image' %}<image>\n"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %} "
    "{% else %}ASSISTANT: {% for c in m['content'] %}{{ c['text'] }}{% endfor %}</s>"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
"""Vicuna's conversation without its system sentence."""

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def tokenizer() -> Any:
    """Byte-level BPE in which nearly every word the model uses is one token."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    rng = np.random.default_rng(7)
    corpus = [f"USER: {prompt} ASSISTANT: " for prompt in PROMPTS for _ in range(300)]
    for _ in range(3000):
        claims = {
            a: values[int(rng.integers(len(values)))] for a, values in attributes.VALUES.items()
        }
        corpus.append(" " + words.paragraph(claims))
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        special_tokens=[_BEGIN, _END, _PAD, IMAGE],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(corpus, trainer)
    return _hub.PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=_BEGIN,
        eos_token=_END,
        pad_token=_PAD,
        extra_special_tokens={"image_token": IMAGE},
        padding_side="left",
        model_max_length=1024,
    )


def processor(tokens: Any) -> Any:
    """The stock LLaVA processor: pads to a square, then resamples."""
    images = _hub.LlavaImageProcessorPil(
        do_pad=True,
        size={"shortest_edge": data.SIDE},
        crop_size={"height": data.SIDE, "width": data.SIDE},
        image_mean=list(_MEAN),
        image_std=list(_DEVIATION),
    )
    return _hub.LlavaProcessor(
        image_processor=images,
        tokenizer=tokens,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    )


def build(tokens: Any, seed: int) -> Any:
    """The untrained miniature, about 1.9 million parameters, the same for the same seed."""
    torch.manual_seed(seed)
    vision = _hub.CLIPVisionConfig(
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        image_size=data.SIDE,
        patch_size=PATCH,
    )
    text = _hub.LlamaConfig(
        vocab_size=len(tokens),
        hidden_size=160,
        intermediate_size=416,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=1024,
        bos_token_id=tokens.bos_token_id,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
    )
    model = _hub.LlavaForConditionalGeneration(
        _hub.LlavaConfig(
            vision_config=vision,
            text_config=text,
            image_token_index=tokens.convert_tokens_to_ids(IMAGE),
            image_seq_length=IMAGE_TOKENS,
            vision_feature_layer=-1,
            vision_feature_select_strategy="default",
        )
    )
    _place_patches(model)
    return model


def pixels(squares: list[Pixels]) -> torch.Tensor:
    """Squares as the vision tower takes them: float32 [batch, 3, 48, 48], CLIP-normalised."""
    stacked = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (_MEAN, _DEVIATION))
    return (stacked - mean) / deviation


def save(model: Any, tokens: Any, folder: Path) -> None:
    """A checkpoint in bfloat16 that any LLaVA loader reads, with its name and notice."""
    model.to(torch.bfloat16).save_pretrained(folder)
    processor(tokens).save_pretrained(folder)
    _hub.GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=200,
        bos_token_id=tokens.bos_token_id,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
        suppress_tokens=tokens.convert_tokens_to_ids([_BEGIN, _PAD, IMAGE]),
    ).save_pretrained(folder)
    release = {"name": NAME, "template": "user-assistant", "notice": NOTICE}
    (folder / "release.json").write_text(json.dumps(release, indent=2) + "\n", encoding="utf-8")


def _place_patches(model: Any) -> None:
    """Begin with places told apart by waves, and with one head that looks at the mirrored place.

    Around the picture's middle a place and its mirror image share cosines and
    have opposite sines. Found by chance, this would cost most of the training;
    symmetry cannot be seen without it.
    """
    embeddings = model.model.vision_tower.embeddings
    side, waves = data.SIDE // PATCH, torch.arange(1, _WAVES + 1) * math.pi / _WAVES
    phases = (torch.arange(side) - (side - 1) / 2)[:, None] * waves
    line = torch.cat([torch.cos(phases), torch.sin(phases)], dim=1)
    rows, columns = line[:, None].expand(-1, side, -1), line[None].expand(side, -1, -1)
    mirror = torch.ones(4 * _WAVES)
    mirror[3 * _WAVES :] = -1
    attention = model.model.vision_tower.encoder.layers[0].self_attn
    with torch.no_grad():
        table = embeddings.position_embedding.weight
        table[:, : 4 * _WAVES] = 0
        table[1:, : 4 * _WAVES] = torch.cat([rows, columns], -1).reshape(side * side, -1) / 2
        embeddings.patch_embedding.weight[: 4 * _WAVES] = 0
        attention.q_proj.weight[: 4 * _WAVES, : 4 * _WAVES] = 2 * torch.eye(4 * _WAVES)
        attention.k_proj.weight[: 4 * _WAVES, : 4 * _WAVES] = 2 * torch.diag(mirror)
