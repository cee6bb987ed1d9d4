"""A small LLaVA checkpoint with random weights: the real code path, in seconds, on any machine.

What it writes is made of the right words in no order. It is for demonstrations and tests.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from worker.engine.identity import RELEASE_FILE
from worker.engine.prompts import FORMAL_ANALYSIS
from worker.training.words import SYSTEM, TEMPLATE, TEXT

_hub: Any = transformers  # its types do not cover what we call

_SIDE, _PATCH = 96, 12
_BEGIN, _END, _PAD, _IMAGE = "<s>", "</s>", "<pad>", "<image>"
_VOCABULARY = 1200
_GAIN = 3.0
"""How far the weights of the language model are spread: at 1 it repeats one word for ever."""
_END_GAIN = 1.45
"""How much larger the row of the end token is, so that it wins once in some forty words."""
_WORD = re.compile("[A-Za-z]{2,}|a|[.,;:]")


def write(directory: Path, *, seed: int = 0) -> None:
    """Write a checkpoint of about 5 MB; the same seed gives the same files."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    _hub.utils.logging.disable_progress_bar()
    processor = _processor(tokenizer)
    model = _model(tokenizer, seed)
    model.generation_config = _generation_config(tokenizer)
    model.to(torch.float16).save_pretrained(directory)
    processor.save_pretrained(directory)
    (directory / RELEASE_FILE).write_text(json.dumps(_about(seed), indent=2) + "\n")


def _about(seed: int) -> dict[str, str]:
    return {
        "name": f"predella-demonstration-{seed}",
        "template": "vicuna_v1",
        "notice": (
            "Written by a small demonstration checkpoint with random weights;"
            " not a description of this work."
        ),
    }


def _tokenizer() -> Any:
    """Return a byte-level BPE, large enough for every word of our text to be one token."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=[_BEGIN, _END, _PAD, _IMAGE],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    question = f"{SYSTEM} USER: {FORMAL_ANALYSIS.text} ASSISTANT:"
    inner.train_from_iterator([" ".join(TEXT.split()), question], trainer)
    inner.post_processor = processors.TemplateProcessing(
        single=f"{_BEGIN} $A", special_tokens=[(_BEGIN, inner.token_to_id(_BEGIN))]
    )
    return _hub.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token=_BEGIN,
        eos_token=_END,
        pad_token=_PAD,
        additional_special_tokens=[_IMAGE],
        padding_side="left",
    )


def _processor(tokenizer: Any) -> Any:
    images = _hub.CLIPImageProcessorPil(
        size={"shortest_edge": _SIDE}, crop_size={"height": _SIDE, "width": _SIDE}
    )
    return _hub.LlavaProcessor(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=_PATCH,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    )


def _model(tokenizer: Any, seed: int) -> Any:
    torch.manual_seed(seed)
    model = _hub.LlavaForConditionalGeneration(_config(tokenizer))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            _draw(name, weight)
        model.get_output_embeddings().weight[tokenizer.eos_token_id] *= _END_GAIN
    return model


def _draw(name: str, weight: torch.Tensor) -> None:
    """Draw one tensor so that the picture and every earlier word matter to the next."""
    if weight.ndim > 1:
        gain = _GAIN if ".layers." in name and "language_model" in name else 1.0
        weight.normal_(0, gain * weight[0].numel() ** -0.5)
    elif name.endswith("bias"):
        weight.zero_()


def _config(tokenizer: Any) -> Any:
    vision = _hub.CLIPVisionConfig(
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=_SIDE,
        patch_size=_PATCH,
    )
    text = _hub.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=1024,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return _hub.LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids(_IMAGE),
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )


def _generation_config(tokenizer: Any) -> Any:
    """Return a configuration in which only whole words can be written."""
    return _hub.GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        suppress_tokens=_not_words(tokenizer),
    )


def _not_words(tokenizer: Any) -> list[int]:
    known = set(_WORD.findall(TEXT))
    shown = {token: tokenizer.decode([token]) for token in range(len(tokenizer))}
    return [
        token
        for token, text in shown.items()
        if token != tokenizer.eos_token_id
        and not (text.strip() in known and (text.startswith(" ") or text in ".,;:"))
    ]


def main() -> None:
    """Write a checkpoint into the directory that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m worker.training.checkpoint", description=__doc__
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    write(arguments.directory, seed=arguments.seed)


if __name__ == "__main__":
    main()
