"""Small random checkpoints of several families, with the files that their originals have."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from worker.engine.prompts import FORMAL_ANALYSIS
from worker.training.words import TEXT

hub: Any = transformers

_GAIN = 3.0
"""How far the weights of the language model are spread: at 1 it repeats one word for ever."""


def qwen3_vl(directory: Path) -> None:
    """Write a Qwen3-VL: as many pixels as there are, rotary places in three dimensions."""
    plain = ["<think>", "</think>"]
    vision = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    tokenizer = _tokenizer(
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *vision],
        plain=plain,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    number = tokenizer.convert_tokens_to_ids
    config = hub.Qwen3VLConfig(
        text_config={
            **_text(tokenizer),
            "head_dim": 16,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 5000000.0,
                "mrope_section": [4, 2, 2],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
    )
    image_processor = {
        "image_processor_type": "Qwen2VLImageProcessorFast",
        "processor_class": "Qwen3VLProcessor",
        "size": {"shortest_edge": 65536, "longest_edge": 16777216},
        "patch_size": 16,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    template = (
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
        "{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
        "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    model = _model(hub.Qwen3VLForConditionalGeneration, config)
    _save(directory, model, tokenizer, image_processor, template)


def gemma3(directory: Path) -> None:
    """Write a Gemma 3: a square of fixed size, a sliding window, a beginning in the template."""
    tokenizer = _tokenizer(
        ["<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"],
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        extra_special_tokens={
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
            "image_token": "<image_soft_token>",
        },
    )
    config = hub.Gemma3Config(
        text_config={
            **_text(tokenizer),
            "head_dim": 16,
            "sliding_window": 32,
            "layer_types": ["sliding_attention", "full_attention"],
            "query_pre_attn_scalar": 16,
            "tie_word_embeddings": False,
        },
        vision_config={**_tower(56), "vision_use_head": False},
        tie_word_embeddings=False,
        mm_tokens_per_image=16,
        boi_token_index=tokenizer.boi_token_id,
        eoi_token_index=tokenizer.eoi_token_id,
        image_token_index=tokenizer.image_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    image_processor = {
        "image_processor_type": "Gemma3ImageProcessor",
        "processor_class": "Gemma3Processor",
        "size": {"height": 56, "width": 56},
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    template = (
        "{{ bos_token }}{% for message in messages %}<start_of_turn>{{ message['role'] }}\n"
        "{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<start_of_image>{% else %}{{ part['text'] }}{% endif %}"
        "{% endfor %}<end_of_turn>\n{% endfor %}"
        "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
    )
    model = _model(hub.Gemma3ForConditionalGeneration, config)
    _save(directory, model, tokenizer, image_processor, template, image_seq_length=16)


def smolvlm(directory: Path) -> None:
    """Write a SmolVLM: tiles of a large picture, and the whole of it once more."""
    tiles = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    tokenizer = _tokenizer(
        ["<|im_start|>", "<|im_end|>", "<end_of_utterance>", "<fake_token_around_image>"],
        plain=["<image>", "<global-img>", *tiles],
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        pad_token="<|im_end|>",
    )
    config = hub.SmolVLMConfig(
        text_config={**_text(tokenizer), "model_type": "llama"},
        vision_config=_tower(64),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
    )
    image_processor = {
        "image_processor_type": "SmolVLMImageProcessor",
        "processor_class": "SmolVLMProcessor",
        "size": {"longest_edge": 128},
        "max_image_size": {"longest_edge": 64},
        "do_image_splitting": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    template = (
        "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
        "{% if message['content'][0]['type'] == 'image' %}:{% else %}: {% endif %}"
        "{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
        "{% endfor %}<end_of_utterance>\n{% endfor %}"
        "{% if add_generation_prompt %}Assistant:{% endif %}"
    )
    model = _model(hub.SmolVLMForConditionalGeneration, config)
    _save(directory, model, tokenizer, image_processor, template, image_seq_len=16)


def internvl(directory: Path) -> None:
    """Write an InternVL: a family that no profile knows."""
    tokenizer = _tokenizer(
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens={
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
    )
    config = hub.InternVLConfig(
        text_config={**_text(tokenizer), "model_type": "qwen2"},
        vision_config={**_tower(64), "image_size": [64, 64], "patch_size": [8, 8]},
        image_token_id=tokenizer.context_image_token_id,
        image_seq_length=16,
        tie_word_embeddings=False,
    )
    image_processor = {
        "image_processor_type": "GotOcr2ImageProcessorFast",
        "processor_class": "InternVLProcessor",
        "size": {"height": 64, "width": 64},
        "crop_to_patches": True,
        "max_patches": 4,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    template = (
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
        "{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<IMG_CONTEXT>\n{% else %}{{ part['text'] }}{% endif %}"
        "{% endfor %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    model = _model(hub.InternVLForConditionalGeneration, config)
    _save(directory, model, tokenizer, image_processor, template, image_seq_length=16)


FAMILIES: dict[str, Callable[[Path], None]] = {
    "qwen3_vl": qwen3_vl,
    "gemma3": gemma3,
    "smolvlm": smolvlm,
    "internvl": internvl,
}


def _tokenizer(special: Sequence[str], *, plain: Sequence[str] = (), **names: Any) -> Any:
    """Return a byte-level BPE; ``plain`` tokens are whole, but are shown in a text."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=list(special),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    inner.train_from_iterator([" ".join(TEXT.split()), FORMAL_ANALYSIS.text], trainer)
    inner.add_tokens([AddedToken(token, special=False, normalized=False) for token in plain])
    return hub.PreTrainedTokenizerFast(tokenizer_object=inner, **names)


def _text(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 8192,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def _tower(side: int) -> dict[str, Any]:
    return {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": side,
        "patch_size": 8 if side == 64 else 7,
    }


def _model(kind: Any, config: Any) -> Any:
    torch.manual_seed(0)
    model = kind(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                gain = _GAIN if "language_model.layers" in name else 1.0
                weight.normal_(0, gain * weight[0].numel() ** -0.5)
            elif name.endswith("bias"):
                weight.zero_()
    return model


def _save(
    directory: Path,
    model: Any,
    tokenizer: Any,
    image_processor: dict[str, Any],
    template: str,
    **processor: Any,
) -> None:
    hub.utils.logging.disable_progress_bar()
    model.generation_config = hub.GenerationConfig(
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    (directory / "chat_template.jinja").write_text(template)
    (directory / "preprocessor_config.json").write_text(json.dumps(image_processor))
    said = {"processor_class": image_processor["processor_class"], **processor}
    (directory / "processor_config.json").write_text(json.dumps(said))
