"""What the original code of GalleryGPT gave for a small release of exactly its form.

``tests/fixtures/golden/README.md`` tells how these were made.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden"
BASE = GOLDEN / "checkpoint" / "base"
TOWER = GOLDEN / "checkpoint" / "vision_tower"
ADAPTER = GOLDEN / "checkpoint" / "llava-lora-model"
ADAPTER_BIN = GOLDEN / "checkpoint" / "llava-lora-model-bin"
PLACE = -200
"""The original's id for the place of the picture."""
TOKENS = 1024
_UNREADABLE = ("08_tiny_3x2.png", "09_1x1.png")
_DOCUMENT = json.loads((GOLDEN / "golden.json").read_text("utf-8"))

META: dict[str, Any] = _DOCUMENT["meta"]
ALL_CASES: dict[str, dict[str, Any]] = _DOCUMENT["cases"]
CASES = {name: case for name, case in ALL_CASES.items() if case["image"] not in _UNREADABLE}
QUESTIONS: dict[str, str] = META["queries"]
FUZZ: list[tuple[str, list[int], str]] = json.loads(
    (GOLDEN / "tokenizer_fuzz.json").read_text("utf-8")
)
IMAGES = sorted({case["image"] for case in CASES.values()})


def image(name: str) -> Path:
    return GOLDEN / "images" / name


@cache
def arrays() -> dict[str, NDArray[np.float32]]:
    with np.load(GOLDEN / "golden.npz") as stored:
        return dict(stored)
