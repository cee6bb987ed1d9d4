"""Which colours a picture could be said to have, so that what is plainly absent shows."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ],
    np.float32,
)
_WHITE = np.array([0.95047, 1.0, 1.08883], np.float32)
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27
_REGIONS = {
    "red": (14, (340, 55), (5, 85)),
    "orange": (18, (35, 85), (20, 90)),
    "yellow": (14, (65, 125), (35, 100)),
    "green": (3, (82, 210), (5, 98)),
    "blue": (4, (180, 315), (3, 98)),
    "purple": (4, (270, 5), (3, 95)),
    "pink": (6, (315, 65), (45, 97)),
    "brown": (4, (10, 105), (5, 72)),
}
"""Least chroma, hue in degrees from-to, lightness from-to. They overlap on purpose: only what lies
outside of a region can nobody call by its name. Beside orange even a grey is seen as blue."""


def measured(rgb: Floats) -> dict[str, object]:
    """Return the share of each colour, and how strong colour is; rgb: [..., 3] in 0..1.

    Source: CIE 15:2004; IEC 61966-2-1 for sRGB.
    """
    light, a, b = np.moveaxis(_lab(rgb), -1, 0)
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    shares = {
        name: (chroma >= least)
        & _between(hue, *hues)
        & (lightness[0] <= light)
        & (light <= lightness[1])
        for name, (least, hues, lightness) in _REGIONS.items()
    }
    return {
        "colours": {name: round(float(share.mean()), 4) for name, share in shares.items()},
        "chroma_95th": round(float(np.percentile(chroma, 95)), 2),
    }


def _between(hue: Floats, start: float, end: float) -> NDArray[np.bool_]:
    if start < end:
        return (start <= hue) & (hue <= end)
    return (start <= hue) | (hue <= end)


def _lab(rgb: Floats) -> Floats:
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)  # noqa: PLR2004  (the knee of sRGB)
    xyz = linear.astype(np.float32) @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > _EPSILON, np.cbrt(xyz), (xyz * _KAPPA + 16) / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    lab: Floats = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1).astype(np.float32)
    return lab
