"""The vocabulary of the release, as a tokenizer that splits text exactly as the original did.

transformers 5 reads the same ``tokenizer.model`` into something else: it orders merges by id
where sentencepiece orders them by score, so that two spaces in a row become other tokens, and
under this release's configuration it forgets the space before the first word.
"""

from typing import Any

import transformers
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, processors
from tokenizers.models import BPE

from worker.engine.templates import CHAT_TEMPLATE, IMAGE
from worker.importing.config import CLIP_MEAN, CLIP_STD, Shape
from worker.importing.sentencepiece import Piece

_hub: Any = transformers  # its types do not cover what we call
_SPACE = "\u2581"


def tokenizer(pieces: list[Piece]) -> Tokenizer:
    """Return the exact twin of sentencepiece's BPE, ``<image>`` added.

    The text between two pictures begins with a space of its own, as where the original
    tokenizes each part by itself.
    """
    vocabulary = {piece.text: number for number, piece in enumerate(pieces)}
    model = BPE(
        vocab=vocabulary,
        merges=_merges(pieces, vocabulary),
        unk_token="<unk>",  # noqa: S106  (a token of text)
        fuse_unk=True,
        byte_fallback=True,
    )
    twin = Tokenizer(model)
    twin.normalizer = normalizers.Sequence(
        [normalizers.Prepend(_SPACE), normalizers.Replace(" ", _SPACE)]
    )
    twin.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", vocabulary["<s>"])]
    )
    twin.decoder = decoders.Sequence(
        [
            decoders.Replace(_SPACE, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(content=" ", left=1),
        ]
    )
    special = ["<unk>", "<s>", "</s>", IMAGE]
    twin.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    return twin


def _merges(pieces: list[Piece], vocabulary: dict[str, int]) -> list[tuple[str, str]]:
    """Return all ways to make a piece of two, the best score first."""
    scored = []
    for piece in pieces:
        if not piece.is_normal:
            continue
        halves = (
            (piece.text[:cut], piece.text[cut:])
            for cut in range(1, len(piece.text))
            if piece.text[:cut] in vocabulary and piece.text[cut:] in vocabulary
        )
        for left, right in sorted(
            halves, key=lambda pair: (vocabulary[pair[0]], vocabulary[pair[1]])
        ):
            scored.append((piece.score, len(left), len(right), (left, right)))
    scored.sort(key=lambda one: one[:3], reverse=True)
    return [pair for *_, pair in scored]


def processor(pieces: list[Piece], shape: Shape) -> Any:
    """Return the ``LlavaProcessor`` that prepares text and pictures as the original did.

    The size of a picture's place counts CLIP's first token, which is then left out. Pictures
    are padded to a square before they are resampled; torchvision, which resamples differently,
    is not asked.
    """
    side = shape.config.vision_config.image_size
    return _hub.LlavaProcessor(
        image_processor=_hub.LlavaImageProcessorPil(
            do_pad=True,
            do_resize=True,
            do_center_crop=True,
            do_rescale=True,
            do_normalize=True,
            do_convert_rgb=True,
            size={"shortest_edge": side},
            crop_size={"height": side, "width": side},
            resample=3,
            image_mean=list(CLIP_MEAN),
            image_std=list(CLIP_STD),
        ),
        tokenizer=_hub.PreTrainedTokenizerFast(
            tokenizer_object=tokenizer(pieces),
            bos_token="<s>",  # noqa: S106  (a token of text)
            eos_token="</s>",  # noqa: S106
            unk_token="<unk>",  # noqa: S106
            pad_token="<unk>",  # noqa: S106
            additional_special_tokens=[IMAGE],
            padding_side="left",
            model_max_length=shape.longest,
            clean_up_tokenization_spaces=False,
        ),
        patch_size=shape.config.vision_config.patch_size,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )


def generation_config(shape: Shape) -> Any:
    """Return how to decode, nothing left to a version's defaults; the base's own is not used.

    The rows after the vocabulary are zero: without suppression one of them wins wherever all
    real scores are negative.
    """
    return _hub.GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=512,
        repetition_penalty=1.0,
        use_cache=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        suppress_tokens=list(range(shape.vocabulary, shape.rows)),
    )
