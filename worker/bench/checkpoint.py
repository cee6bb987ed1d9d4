"""Checkpoints of any size with random weights, to be served as a real one is."""

import json
import shutil
import zlib
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import transformers

import worker
from worker.bench import models
from worker.bench.models import SIDE, SIZES
from worker.engine.llava import Asked
from worker.engine.slots import Painting
from worker.engine.slotted import SlottedEngine

_hub: Any = transformers  # its types do not cover what we call

DEMO = Path(worker.__path__[0]) / "demo_model"
"""The bundled checkpoint; those made here have its words and its way to ask."""
_PATCH = 14
_KEPT = ("chat_template.jinja", "release.json", "tokenizer.json", "tokenizer_config.json")


def write(directory: Path, shape: str, *, device: str, dtype: torch.dtype, seed: int) -> None:
    """Write a checkpoint of this shape that never ends a text by itself."""
    said = _hub.GenerationConfig.from_pretrained(DEMO)
    said.suppress_tokens = [*said.suppress_tokens, said.eos_token_id]
    vocabulary = _hub.AutoConfig.from_pretrained(DEMO).text_config.vocab_size
    size = replace(SIZES[shape], vocabulary=vocabulary)
    model = models.build(size, device=device, dtype=dtype, seed=seed)
    model.generation_config = said
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(model.config.text_config, name, getattr(said, name))
    model.save_pretrained(directory)
    for name in _KEPT:
        shutil.copy(DEMO / name, directory)
    _write_processor(directory)


def _write_processor(directory: Path) -> None:
    name = "processor_config.json"
    processor = json.loads((DEMO / name).read_text())
    processor["patch_size"] = _PATCH
    processor["image_processor"] |= {
        "crop_size": {"height": SIDE, "width": SIDE},
        "size": {"shortest_edge": SIDE},
    }
    (directory / name).write_text(json.dumps(processor))


class MeasuredLengths(SlottedEngine):
    """Ends each text where it is told to; the same picture always at the same length."""

    lengths: Sequence[int] = ()

    def _painting(self, key: Hashable, asked: Asked) -> Painting:
        painting = super()._painting(key, asked)
        chosen = zlib.crc32(asked.pixels.tobytes()) % len(self.lengths)
        painting.max_new_tokens = self.lengths[chosen]
        return painting
