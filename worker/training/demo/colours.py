"""Colour as people see it: CIELAB, and the common name a painter would give a colour."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

SWATCHES = {
    "black": "000000 141414 201812 101828",
    "white": "ffffff f4f3ee e9ebee",
    "grey": "3c3c3c 606060 808080 a0a0a0 c8c8c8 8a857c 7c858c b4b0a8 565049",
    "cream": "f7ecd2 e8d8b8 d8c6a0",
    "red": "c81e1e 8c1c1c e04040 b03a48 5a1416",
    "orange": "f08c1e e0662a f2a65a d97b1e",
    "brown": "6e4628 4a2e1a 8c6239 a9825a 7a5c48 3a281c a86a2c",
    "yellow": "f5dc3c ffe97f d4b82e f5e69a b89a20",
    "green": "288c3c 1e5028 6b8e23 808000 556b2f 90c878 b4d4a0 2e8b57 5c6e54 2c3a28 3cc060",
    "blue": "2850b4 0a1450 87ceeb 4682b4 1c3f60 5f7f9f a8c4e0 3c8cf0 188ca0 2e4458",
    "violet": "6e328c 3c1450 9a6cc0 b8a0d0 7a5a80 8040e0",
    "pink": "f0aabe e070a0 f4c8c8 d88a90 c83c8c",
}
"""Each name's typical pigments, sRGB; olive is a green, ochre lies between orange and brown."""

NAMES = tuple(SWATCHES)
CHROMATIC = ("red", "orange", "brown", "yellow", "green", "blue", "violet", "pink")

_SOFTNESS = 7.0
"""CIELAB distance over which one name gives way to the next."""

_STEPS = np.arange(256) / 255
_KNEE = 0.04045
_LINEAR = np.where(_STEPS > _KNEE, ((_STEPS + 0.055) / 1.055) ** 2.4, _STEPS / 12.92).astype(
    np.float32
)
"""Linear light of each step of sRGB."""
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ],
    dtype=np.float32,
)
_WHITE = np.array([0.95047, 1.0, 1.08883], dtype=np.float32)


def lab(pixels: Pixels) -> Floats:
    """CIELAB (D65) of sRGB pixels: float32 [..., 3], L* 0-100.

    Source: CIE 15:2004; IEC 61966-2-1 for sRGB.
    """
    xyz = _LINEAR[pixels] @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (xyz * (24389 / 27) + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    values: Floats = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1).astype(np.float32)
    return values


def chroma(pixels: Pixels) -> Floats:
    """C*ab of sRGB pixels: float32 [...]."""
    values = lab(pixels)
    strength: Floats = np.hypot(values[..., 1], values[..., 2])
    return strength


def memberships(pixels: Pixels) -> Floats:
    """How far each sRGB pixel answers to each name: float32 [..., names], summing to 1.

    Read from a table of 32 steps per channel, which is finer than names are.
    """
    red, green, blue = np.moveaxis(pixels >> 3, -1, 0).astype(np.intp)
    shares: Floats = _table()[(red * 32 + green) * 32 + blue]
    return shares


def name(red: int, green: int, blue: int) -> str:
    """The common name of one sRGB colour."""
    shares = memberships(np.array([[red, green, blue]], dtype=np.uint8))
    return NAMES[int(shares[0].argmax())]


@cache
def _table() -> Floats:
    """The memberships at the middle of each of 32 x 32 x 32 boxes of sRGB."""
    steps = np.arange(4, 256, 8, dtype=np.uint8)
    boxes = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    prototypes, starts = _prototypes()
    squares = ((lab(boxes)[:, None] - prototypes) ** 2).sum(-1)
    nearest = np.minimum.reduceat(squares, starts, axis=1)
    weight = np.exp((nearest.min(1, keepdims=True) - nearest) / (2 * _SOFTNESS**2))
    shares: Floats = (weight / weight.sum(1, keepdims=True)).astype(np.float32)
    return shares


def _prototypes() -> tuple[Floats, NDArray[np.intp]]:
    swatches = [text.split() for text in SWATCHES.values()]
    pixels = np.array([list(bytes.fromhex(one)) for many in swatches for one in many], np.uint8)
    starts = np.cumsum([0] + [len(many) for many in swatches[:-1]])
    return lab(pixels), starts.astype(np.intp)
