"""What can be measured from the pixels; evidence for or against what a text claims."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.images import palette

_SAMPLE = 336
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_GREY = 0.12
"""Saturation below which a pixel counts as neutral."""
_DARK = 0.12
"""Value below which a pixel's hue is not seen."""
_HUES = {"red": 15, "orange": 45, "yellow": 70, "green": 165, "blue": 260, "violet": 330}
"""Upper ends in degrees; beyond the last it is red again."""
_WARMEST = 30.0
"""Degrees: orange."""


def measured(picture: Image.Image) -> dict[str, object]:
    """Return measurements of an sRGB picture without its padding; shares and levels in 0..1."""
    sample = picture.reduce(max(1, max(picture.size) // (2 * _SAMPLE)))
    sample.thumbnail((_SAMPLE, _SAMPLE), Image.Resampling.BOX)
    rgb = np.asarray(sample, np.float32) / 255
    hsv = np.asarray(sample.convert("HSV"), np.float32) / 255
    luma, saturation = rgb @ _LUMA, hsv[..., 1]
    low, high = np.percentile(luma, (5, 95))
    return {
        "luma_mean": _rounded(luma.mean()),
        "luma_deviation": _rounded(luma.std()),
        "luma_5th": _rounded(low),
        "luma_95th": _rounded(high),
        "saturation_mean": _rounded(saturation.mean()),
        "warmth": _warmth(hsv),
        "hues": _hues(hsv),
        **palette.measured(rgb),
    }


def _warmth(hsv: NDArray[np.floating]) -> float:
    """Return -1 (all blue) to 1 (all orange), every pixel counted by how colourful it is."""
    chroma = hsv[..., 1] * hsv[..., 2]
    total = float(chroma.sum())
    if total == 0:
        return 0.0
    turn = np.cos(2 * np.pi * (hsv[..., 0] - _WARMEST / 360))
    return _rounded(float((turn * chroma).sum()) / total)


def _hues(hsv: NDArray[np.floating]) -> dict[str, float]:
    names = [*_HUES, "neutral"]
    index = np.searchsorted(list(_HUES.values()), hsv[..., 0] * 360) % len(_HUES)
    index[(hsv[..., 1] < _GREY) | (hsv[..., 2] < _DARK)] = len(_HUES)
    shares = np.bincount(index.ravel(), minlength=len(names)) / index.size
    return {name: _rounded(share) for name, share in zip(names, shares, strict=True)}


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 4)
