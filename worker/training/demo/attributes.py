"""What can be measured of any picture, and when a statement about it is true.

Every attribute is taken from a thumbnail of 48 pixels on the long side, so
that a photograph of 100 megapixels and a sketch are measured alike.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from worker.training.demo import colours

SIDE = 48
"""Long side of the thumbnail on which everything is measured."""

_EDGES, _MASSES, _HALVES = 24, 12, 6
"""Cells on the long side in which edges, named colours and matching halves are looked for.

A viewer merges fine texture too: these are statements about the large forms.
"""

VALUES: dict[str, tuple[str, ...]] = {
    "format": ("tall", "square", "wide"),
    "key": ("dark", "middle", "light"),
    "contrast": ("low", "moderate", "strong"),
    "temperature": ("cool", "neutral", "warm"),
    "saturation": ("colourless", "muted", "moderate", "vivid"),
    "ground": colours.NAMES,
    "accent": (*colours.CHROMATIC, "none"),
    "symmetry": ("uneven", "mirrored"),
    "direction": ("horizontal", "vertical", "diagonal", "none"),
}

_STEPS: dict[str, tuple[float, ...]] = {
    "format": (-math.log(1.08), math.log(1.08)),
    "key": (40.0, 62.0),
    "contrast": (11.0, 20.0),
    "temperature": (-5.0, 5.0),
    "saturation": (4.5, 14.0, 30.0),
    "symmetry": (0.7,),
}
"""Where one value of an ordered attribute ends and the next begins."""

_MARGINS: dict[str, float] = {
    "format": 0.03,
    "key": 2.0,
    "contrast": 1.5,
    "temperature": 1.5,
    "saturation": 1.5,
    "symmetry": 0.1,
    "ground": 0.08,
    "accent": 0.25,
    "direction": 0.05,
}
"""How far over such a border a statement still counts as true; see docs/demo-model.md."""

_LEADS = 0.18
"""Coherence of the edges from which one direction leads."""

_STANDS_OUT = 0.6
"""Mean chroma over the whole picture that a colour must bring to be its accent."""

_NARROWEST = 3
"""Pixels across which a thumbnail still has edges."""


@dataclass(frozen=True)
class Measured:
    """The numbers behind the words."""

    format: float
    """Natural logarithm of width over height."""
    key: float
    """Mean L*."""
    contrast: float
    """Standard deviation of L*."""
    temperature: float
    """Mean of a* and b* along the axis from blue to orange (hue angle 50 degrees)."""
    saturation: float
    """Mean chroma C*ab."""
    symmetry: float
    """Correlation of the picture with its mirror image, left against right; 1 is a mirror."""
    shares: NDArray[np.float32]
    """Area answering to each of `colours.NAMES`; sums to 1."""
    accents: NDArray[np.float32]
    """Chroma, averaged over the whole picture, that each of `colours.CHROMATIC` brings."""
    edges: tuple[float, float]
    """Coherence of the edges: (upright minus level, rising minus falling), each -1 to 1."""


def as_vector(measured: Measured) -> NDArray[np.float32]:
    """The measurements in one line: float32 [28]."""
    ordered = [getattr(measured, attribute) for attribute in _STEPS]
    return np.array([*ordered, *measured.edges, *measured.shares, *measured.accents], np.float32)


def from_vector(vector: NDArray[np.float32]) -> Measured:
    """The measurements that `as_vector` put in line."""
    ordered = {attribute: float(n) for attribute, n in zip(_STEPS, vector, strict=False)}
    rest = vector[len(_STEPS) :]
    names = len(colours.NAMES)
    return Measured(
        **ordered,
        edges=(float(rest[0]), float(rest[1])),
        shares=rest[2 : 2 + names],
        accents=rest[2 + names :],
    )


def measure(pixels: colours.Pixels) -> Measured:
    """The measurements of one upright sRGB picture, uint8 [height, width, 3], without padding."""
    height, width = pixels.shape[:2]
    return measure_thumbnail(thumbnail(pixels), math.log(width / height))


def measure_thumbnail(small: colours.Pixels, log_ratio: float) -> Measured:
    """The measurements of a thumbnail whose picture had this log of width over height."""
    image = colours.lab(small)
    light, a, b = image[..., 0], image[..., 1], image[..., 2]
    masses = cells(small, _MASSES)
    names = colours.memberships(masses)
    strength = colours.chroma(masses)
    chromatic = [colours.NAMES.index(one) for one in colours.CHROMATIC]
    angle = math.radians(50)
    return Measured(
        format=log_ratio,
        key=float(light.mean()),
        contrast=float(light.std()),
        temperature=float((a * math.cos(angle) + b * math.sin(angle)).mean()),
        saturation=float(np.hypot(a, b).mean()),
        symmetry=_mirror_correlation(colours.lab(cells(small, _HALVES))),
        shares=names.mean((0, 1)),
        accents=(names[..., chromatic] * strength[..., None]).mean((0, 1)),
        edges=_coherence(colours.lab(cells(small, _EDGES))[..., 0]),
    )


def thumbnail(pixels: colours.Pixels) -> colours.Pixels:
    """The picture averaged down to `SIDE` on its long side; a smaller one is left as it is."""
    return cells(pixels, SIDE) if max(pixels.shape) > SIDE else pixels


def classify(measured: Measured) -> dict[str, str]:
    """The one value of each attribute that describes the picture best."""
    values = {
        attribute: VALUES[attribute][int(np.searchsorted(steps, getattr(measured, attribute)))]
        for attribute, steps in _STEPS.items()
    }
    values["ground"] = _ground(measured)
    accents = _candidates(measured, values["ground"])
    values["accent"] = max(accents, key=lambda value: accents[value])
    directions = _directions(measured)
    values["direction"] = max(directions, key=lambda value: directions[value])
    return {attribute: values[attribute] for attribute in VALUES}


def holds(measured: Measured, attribute: str, value: str) -> bool:
    """Whether the statement is true of the picture, within the attribute's margin."""
    return _distance(measured, attribute, value) <= _MARGINS[attribute]


def true_claims(measured: Measured, claims: dict[str, str]) -> set[str]:
    """The attributes of which a text says what is true of the picture.

    Where two colours may pass for the ground, the accent is judged beside the
    one that the text names.
    """
    true = {attribute for attribute, value in claims.items() if holds(measured, attribute, value)}
    if "ground" in true and "accent" in claims:
        accents = _candidates(measured, claims["ground"])
        behind = 1 - accents.get(claims["accent"], 0.0) / max(accents.values())
        true.discard("accent")
        true |= {"accent"} if behind <= _MARGINS["accent"] else set()
    return true


def is_clear(measured: Measured, attribute: str) -> bool:
    """Whether no second value would be true too: the picture lies outside the dead zones."""
    return sum(holds(measured, attribute, value) for value in VALUES[attribute]) == 1


def _distance(measured: Measured, attribute: str, value: str) -> float:
    """How far the picture is from deserving the value; 0 where it does."""
    if attribute in _STEPS:
        ends = (-math.inf, *_STEPS[attribute], math.inf)
        place = VALUES[attribute].index(value)
        number: float = getattr(measured, attribute)
        return max(ends[place] - number, number - ends[place + 1], 0.0)
    if attribute == "ground":
        return float(measured.shares.max() - measured.shares[colours.NAMES.index(value)])
    if attribute == "accent":
        accents = _candidates(measured, _ground(measured))
        return 1 - accents.get(value, 0.0) / max(accents.values())
    directions = _directions(measured)
    return max(directions.values()) - directions[value]


def _ground(measured: Measured) -> str:
    return colours.NAMES[int(measured.shares.argmax())]


def _candidates(measured: Measured, ground: str) -> dict[str, float]:
    """How much each colour besides the ground stands out; "none" is the bar to clear."""
    accents = {
        value: float(chroma)
        for value, chroma in zip(colours.CHROMATIC, measured.accents, strict=True)
        if value != ground
    }
    return accents | {"none": _STANDS_OUT}


def _directions(measured: Measured) -> dict[str, float]:
    """How strongly the edges follow each direction; "none" is the bar to clear."""
    upright, rising = measured.edges
    return {
        "horizontal": -upright,
        "vertical": upright,
        "diagonal": abs(rising),
        "none": _LEADS,
    }


def cells(pixels: colours.Pixels, count: int) -> colours.Pixels:
    """The picture averaged into square cells, this many on its long side."""
    height, width = pixels.shape[:2]
    scale = count / max(height, width)
    rows = _averaging(height, max(1, round(height * scale)))
    columns = _averaging(width, max(1, round(width * scale)))
    narrow = np.einsum("yhc,xh->yxc", pixels.astype(np.float32), columns, optimize=True)
    small = np.einsum("hxc,yh->yxc", narrow, rows, optimize=True)
    levels: colours.Pixels = (small + 0.5).clip(0, 255).astype(np.uint8)
    return levels


def _mirror_correlation(image: colours.Floats) -> float:
    """Correlation of a CIELAB picture with its mirror image; 1 for an even field."""
    spread = image - image.mean((0, 1))
    power = float((spread**2).sum())
    if power < spread.shape[0] * spread.shape[1]:
        return 1.0
    return float((spread * spread[:, ::-1]).sum()) / power


def _coherence(light: colours.Floats) -> tuple[float, float]:
    """Mean doubled angle of the brightness gradients, weighted by their strength."""
    if min(light.shape) < _NARROWEST:
        return 0.0, 0.0
    across = light[1:-1, 2:] - light[1:-1, :-2]
    down = light[2:, 1:-1] - light[:-2, 1:-1]
    strength = np.hypot(across, down) + 1e-6
    total = float(strength.sum()) + strength.size
    upright = float(((across**2 - down**2) / strength).sum()) / total
    rising = float((2 * across * down / strength).sum()) / total
    return upright, rising


@cache
def _averaging(length: int, cells: int) -> colours.Floats:
    """The matrix [cells, length] that averages a line of pixels into equal cells."""
    edges = np.linspace(0, length, cells + 1)
    starts = np.arange(length)
    overlap = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    return (overlap.clip(0) * cells / length).astype(np.float32)
