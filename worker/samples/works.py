"""The works of the sample painter: what each is called, how large it is, how it is painted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from worker.samples import abstracts, things, views
from worker.samples.paint import Floats, Rng, Size, canvas

Form = Literal["JPEG", "PNG", "TIFF, 16 bit grey", "JPEG, CMYK", "JPEG, turned"]
_COARSE = 5 / 8
"""Strokes are laid at this share of the size: paint is never as sharp as a photograph of it."""


@dataclass(frozen=True, slots=True)
class Work:
    """One picture, before it is painted."""

    title: str
    name: str
    """Of its file, without the ending."""
    manner: Callable[[Rng, Size, str], Floats]
    size: Size
    colours: str
    form: Form = "JPEG"


WORKS = (
    Work(
        "Ridges at Dusk",
        "ridges-at-dusk",
        views.strata,
        (1500, 1000),
        "#31456e #8b7fa5 #f3c39a #c9b3b5 #1e2a3a",
    ),
    Work(
        "Green Hills, Morning Haze",
        "green-hills",
        views.strata,
        (1200, 1400),
        "#7fb0c4 #d9e3d8 #f6e7c1 #b7c9bd #20402f",
    ),
    Work(
        "Open Water",
        "open-water",
        views.sea,
        (2400, 1500),
        "#35506b #b9c3c0 #e8e2d4 #1d4350 #f5efdc",
    ),
    Work(
        "月夜の海",
        "moonlit-sea",
        views.sea,
        (1300, 1300),
        "#1a2036 #4c5570 #2c3148 #0d1626 #f0e6c8",
        "PNG",
    ),
    Work(
        "Trunks against the Light",
        "trunks-against-the-light",
        views.wood,
        (1000, 1400),
        "#f8e7a8 #cdbd7c #8a8a3c #2e3a24 #241c18",
        "JPEG, turned",
    ),
    Work(
        "Late October",
        "late-october",
        views.wood,
        (1400, 1100),
        "#f3dfd3 #b9b7bf #b5672d #3c2c3a #2a2026",
    ),
    Work(
        "Nächtlicher Hafen",
        "nächtlicher-hafen",
        views.town,
        (1500, 1050),
        "#0f1730 #3d4468 #4a4650 #10131f #ffc861",
    ),
    Work(
        "Town before Rain",
        "town-before-rain",
        views.town,
        (1200, 1200),
        "#2d2340 #a25a5a #5b3d48 #1a1420 #ffdf9e",
    ),
    Work(
        "Untitled (Red over Plum)",
        "untitled-red-over-plum",
        abstracts.fields,
        (1100, 1400),
        "#3a1512 #8d1f16 #d4552a #2b0f1c",
    ),
    Work(
        "Untitled (Yellow, White, Blue)",
        "untitled-yellow-white-blue",
        abstracts.fields,
        (1200, 1500),
        "#d9c9a3 #e8b23a #f0dcc0 #3f6f8c",
    ),
    Work(
        "Counterweight",
        "counterweight",
        abstracts.planes,
        (1200, 1400),
        "#eee6d4 #c2291f #1c1c22 #e0b12f #27476e",
        "JPEG, CMYK",
    ),
    Work(
        "Lever and Disc",
        "lever-and-disc",
        abstracts.planes,
        (1500, 1100),
        "#e4ddcf #24404f #d8683b #8ea18b #171717",
    ),
    Work(
        "Simultaneous Rings",
        "simultaneous-rings",
        abstracts.rings,
        (1300, 1300),
        "#f1ead8 #d43c2c #f0a93a #2a63a8 #3e8f5c #5b3a86 #e9d24b",
    ),
    Work(
        "Five Targets",
        "five-targets",
        abstracts.rings,
        (1600, 1100),
        "#1d2b45 #e8c9a8 #c56a4d #7fa3a8 #f4efe2 #394f6b",
    ),
    Work(
        "Allegro",
        "allegro",
        abstracts.gestures,
        (1500, 1100),
        "#efe8da #14161a #a3261d #27406b #d9b24c",
    ),
    Work(
        "Knot",
        "knot",
        abstracts.gestures,
        (1100, 1400),
        "#e9dfc9 #20342c #b9502f #e3a13b #6e8f86",
    ),
    Work(
        "Undergrowth, Number 4",
        "undergrowth-4",
        abstracts.woven,
        (1600, 1100),
        "#d8cbb2 #16161a #f3efe4 #8c2f22 #5d6b72",
    ),
    Work(
        "Undergrowth, Number 7",
        "undergrowth-7",
        abstracts.woven,
        (1200, 1200),
        "#20252e #f2ead6 #c7963c #7b3b2e #4d7a86",
    ),
    Work(
        "Still Life with Two Vessels",
        "still-life-two-vessels",
        things.table,
        (1400, 1100),
        "#3a2c22 #b7a687 #6f7f8a #b5532c #d9a63c #8c2a24",
    ),
    Work(
        "Still Life with White Jug",
        "still-life-white-jug",
        things.table,
        (1100, 1300),
        "#223038 #d8cdb8 #d8d2c0 #7c8f3c #d9822f #c1443a",
    ),
    Work(
        "Étude de drapé rouge",
        "étude-de-drapé",
        things.cloth,
        (1100, 1400),
        "#0d0907 #7a1d18 #f0b489",
    ),
    Work(
        "Study of Drapery",
        "study-of-drapery",
        things.cloth,
        (1400, 1100),
        "#080b10 #2f4a63 #e8e4d2",
        "TIFF, 16 bit grey",
    ),
    Work(
        "Arcade, Late Afternoon",
        "arcade-late-afternoon",
        things.arches,
        (1500, 1100),
        "#2f6d63 #e8c46a #d9b98a #c9963f #2a1d22",
    ),
    Work(
        "The Empty Square",
        "the-empty-square",
        things.arches,
        (1200, 1300),
        "#29456f #f0b28a #e4d2b5 #d8a86a #331f33",
    ),
)


def painted(work: Work, number: int, *, seed: int) -> Image.Image:
    """Return the picture; the same number and seed give the same one."""
    rng = np.random.default_rng([seed, number])
    width, height = (round(side * _COARSE) for side in work.size)
    return canvas(rng, work.manner(rng, (width, height), work.colours), work.size)
