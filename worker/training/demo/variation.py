"""Endless variety from a stock of pictures: turned, mirrored, recoloured, relit.

The measured values must fill their whole range, each about as often as the
others, or the model learns to guess the usual one.
"""

import numpy as np

from worker.training.demo.colours import Floats, Pixels
from worker.training.demo.pictures import Rng, happens

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_OPPONENT = np.array([[0.5, -0.419, -0.081], [-0.169, -0.331, 0.5]], dtype=np.float32)
_BACK = np.array([[1.402, -0.714, 0.0], [0.0, -0.344, 1.772]], dtype=np.float32)

_ORANGE, _BLUE = -0.9, 2.24
"""Angles in the plane of opponent colours, where most light and most pigments lie."""

_GREY, _UNCHANGED = 0.1, 0.15
"""Shares of variations without colour, and with the colours of the stock."""


def vary(rng: Rng, picture: Pixels) -> Pixels:
    """A variation of the picture; square pictures may be turned on their side."""
    return recolour(rng, rearrange(rng, picture))


def rearrange(rng: Rng, picture: Pixels) -> Pixels:
    """The picture flipped or turned, and often with matching halves."""
    if picture.shape[0] == picture.shape[1] and happens(rng, 0.5):
        picture = picture.transpose(1, 0, 2)
    picture = picture[:: int(rng.choice([-1, 1])), :: int(rng.choice([-1, 1]))]
    if happens(rng, 0.55):
        return picture
    half = picture.shape[1] // 2
    mirrored = np.concatenate(
        [picture[:, : picture.shape[1] - half], picture[:, :half][:, ::-1]], 1
    )
    part = rng.choice([1.0, 1.0, rng.uniform(0.3, 1)])
    matched: Pixels = (mirrored * part + picture * (1 - part)).astype(np.uint8)
    return matched


def recolour(rng: Rng, picture: Pixels) -> Pixels:
    """The picture in another light and another range of colours."""
    light = picture @ _LUMA
    hues = _recoloured(rng, picture @ _OPPONENT.T)
    relit = _relit(rng, light)
    return (relit[..., None] + hues @ _BACK).clip(0, 255).astype(np.uint8)


def _relit(rng: Rng, light: Floats) -> Floats:
    """Lightness moved to a mean and a deviation drawn from their whole ranges."""
    if happens(rng, 0.15):
        return light
    deviation = rng.choice([rng.uniform(2, 30), rng.uniform(25, 60), rng.uniform(50, 120)])
    centred = (light - light.mean()) * (deviation / (light.std() + 4))
    relit: Floats = centred + rng.uniform(20, 235)
    return relit


def _recoloured(rng: Rng, hues: Floats) -> Floats:
    """Opponent colours turned around the wheel, made stronger or weaker, and cast to one side."""
    lot = rng.random()
    if lot < _GREY:
        return hues * 0
    if lot < _GREY + _UNCHANGED:
        return hues
    turn = rng.uniform(0, 2 * np.pi)
    wheel = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]], np.float32)
    around = rng.choice([rng.uniform(0, 2 * np.pi), *rng.normal([_ORANGE, _ORANGE, _BLUE], 0.45)])
    cast = np.array([np.cos(around), np.sin(around)], np.float32)
    strength = rng.choice([0, rng.uniform(0, 20), *rng.uniform(10, 60, 2)])
    recoloured: Floats = hues @ wheel * rng.choice([0.2, 0.6, 1.0, 1.6]) + cast * strength
    return recoloured
