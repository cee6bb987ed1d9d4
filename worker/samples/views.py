"""Landscapes, seas, woods and a town: pictures with an horizon."""

import math

import numpy as np

from worker.samples.paint import (
    Floats,
    Rng,
    Size,
    blend,
    brushed,
    edge,
    grid,
    noise,
    palette,
    ramp,
)

_AWAKE = 0.42
"""Share of the windows that are lit."""


def strata(rng: Rng, size: Size, colours: str) -> Floats:
    """Ridge behind ridge under a low sun, paler with distance."""
    sky, far, near = palette(colours)[:3], palette(colours)[3], palette(colours)[4]
    x, y = grid(size)
    top = y.max()
    sun = np.hypot(x - x.max() * rng.uniform(0.25, 0.75), y - top * 0.3)
    picture = ramp(sky, np.clip(y / top * 1.6 + 0.05 * noise(rng, size, 3, stretch=3), 0, 1))
    picture = blend(picture, np.clip(sky[2] * 1.25, 0, 1), 0.6 * np.exp(-sun * 5))
    picture = blend(picture, np.array([1, 0.96, 0.86]), edge(sun - 0.07, 0.004))
    rough = 1 + 0.1 * noise(rng, size, 8, stretch=4)
    for step in range(7):
        share = step / 6
        line = top * (0.42 + 0.5 * share**1.2) + _ridge(rng, x, 0.16 - 0.09 * share)
        tone = far + (near - far) * share
        mist = np.clip((y - line) / (0.28 * top), 0, 1)
        hill = blend(tone * np.roll(rough, 97 * step, 1)[..., None], far, 0.35 * mist)
        picture = blend(picture, hill, edge(line - y, 0.0025))
    return brushed(
        rng, picture, length=0.05, width=0.009, count=9000, flow=0.5 * noise(rng, size, 4)
    )


def sea(rng: Rng, size: Size, colours: str) -> Floats:
    """Open water under moving clouds, with one light on it."""
    high, low, cloud, deep, foam = palette(colours)
    x, y = grid(size)
    top = y.max()
    horizon = top * rng.uniform(0.42, 0.58)
    clouds = np.clip(noise(rng, size, 3, octaves=6, stretch=2.2) * 1.3 + 0.15, 0, 1)
    picture = ramp([high, low], np.clip(y / horizon, 0, 1))
    picture = blend(picture, cloud, clouds * 0.85)
    depth = np.clip((y - horizon) / (top - horizon), 0, 1)
    waves = np.sin(
        np.clip(y - horizon, 0, None) ** 0.55 * 95 + 3.5 * noise(rng, size, 5, stretch=6) + x * 2
    )
    water = ramp([low * 0.8, deep, deep * 0.6], depth)
    crest = np.clip(waves - 0.45, 0, 1) * (0.25 + depth)
    water = blend(water, foam, np.clip(crest * (0.5 + noise(rng, size, 9, stretch=3)), 0, 0.8))
    middle = x.max() * rng.uniform(0.3, 0.7)
    glitter = np.exp(-(((x - middle) / (0.05 + 0.22 * depth)) ** 2))
    water = blend(water, foam, np.clip(glitter * (waves * 0.5 + 0.35), 0, 0.9))
    picture = blend(picture, water, edge(horizon - y, 0.0015))
    light = np.hypot(x - middle, y - horizon * 0.45)
    picture = blend(picture, foam, 0.75 * np.exp(-light * 7) * (y < horizon))
    return brushed(
        rng, picture, length=0.045, width=0.008, count=11000, flow=0.35 * noise(rng, size, 6)
    )


def wood(rng: Rng, size: Size, colours: str) -> Floats:
    """Trunks against the light, a floor of leaves."""
    light, haze, leaf, shade, bark = palette(colours)
    x, y = grid(size)
    top = y.max()
    glow = np.exp(-2.4 * np.hypot((x - x.max() * 0.55) * 0.8, y - top * 0.4))
    picture = blend(ramp([shade, haze, leaf], y / top), light, glow)
    leaves = noise(rng, size, 14, octaves=4)
    picture = blend(picture, leaf, 0.5 * np.clip(leaves, 0, 1) * (1 - glow))
    floor = top * 0.74 + 0.02 * noise(rng, size, 3, stretch=0.3)
    ground = ramp([leaf, leaf * 0.75, shade], np.clip((y - floor) / (top - floor), 0, 1))
    picture = blend(picture, ground * (1 + 0.25 * leaves)[..., None], edge(floor - y, 0.01))
    picture = brushed(
        rng, picture, length=0.03, width=0.012, count=9000, flow=1.2 * noise(rng, size, 5)
    )
    rough = 1 + 0.3 * noise(rng, size, 50, octaves=2, stretch=0.25)
    for share in np.sort(rng.uniform(0, 1, 15)):
        tone = (haze + (bark - haze) * (0.25 + 0.75 * share)) * rough[..., None]
        picture = _trunk(rng, picture, float(share), tone, light)
    return picture


def town(rng: Rng, size: Size, colours: str) -> Floats:
    """Roofs at night above still water that doubles their windows."""
    high, low, wall, dark, lamp = palette(colours)
    x, y = grid(size)
    shore = y.max() * 0.62
    picture = ramp([high, low], np.clip(y / shore, 0, 1))
    picture = blend(picture, low * 1.2, 0.35 * np.clip(noise(rng, size, 4, stretch=3), 0, 1))
    left = -0.05
    while left < x.max():
        wide, tall = rng.uniform(0.07, 0.16), rng.uniform(0.12, 0.42) * y.max()
        face = dark + (wall - dark) * rng.uniform(0, 0.7)
        picture = _house(rng, picture, (left, shore - tall, wide, tall), face, lamp)
        left += wide * rng.uniform(0.8, 1.02)
    mirrored = 2 * shore - y + 0.012 * np.sin(y * 130) * noise(rng, size, 5, stretch=5)
    rows = np.clip(mirrored * min(size), 0, shore * min(size) - 1).astype(int)
    columns = np.clip(x * min(size) + 5 * noise(rng, size, 30, stretch=4), 0, size[0] - 1)
    water = picture[rows, columns.astype(int)] * 0.72 + dark * 0.2
    picture = blend(picture, water, (y > shore).astype(np.float32))
    return brushed(
        rng, picture, length=0.022, width=0.006, count=14000, flow=0.25 * noise(rng, size, 8)
    )


def _ridge(rng: Rng, x: Floats, height: float) -> Floats:
    """Return a mountain line: waves that grow finer, each half as high."""
    waves = (
        math.pow(0.55, n) * np.sin(x * 2.3 * 1.9**n + rng.uniform(0, math.tau)) for n in range(7)
    )
    return height * sum(waves, np.zeros_like(x))


def _trunk(rng: Rng, picture: Floats, near: float, tone: Floats, light: Floats) -> Floats:
    height, width = picture.shape[:2]
    x, y = grid((width, height))
    half = 0.006 + 0.026 * near
    centre = (
        rng.uniform(0, x.max())
        + rng.normal(0, 0.02) * y
        + 0.012 * np.sin(y * rng.uniform(3, 7) + rng.uniform(0, 6))
    )
    foot = y.max() * (0.74 + 0.2 * near)
    across = (x - centre) / (half * (1 + 0.35 * (y / y.max()) ** 4))
    lit = blend(tone, light, 0.45 * np.clip(across, 0, 1))
    cover = edge(np.abs(across) - 1, 0.06) * edge(y - foot, 0.006)
    return blend(picture, lit, cover)


def _house(
    rng: Rng, picture: Floats, box: tuple[float, float, float, float], face: Floats, lamp: Floats
) -> Floats:
    left, top, wide, tall = box
    short = min(picture.shape[:2])
    x, y = grid((picture.shape[1], picture.shape[0]))
    gable = top - 0.045 + 0.09 * np.abs(x - left - wide / 2) / wide * rng.integers(0, 2)
    inside = (x > left) & (x < left + wide) & (y > gable) & (y < top + tall)
    picture = blend(picture, face, inside.astype(np.float32))
    for row in np.arange(top + 0.025, top + tall - 0.03, 0.034):
        for column in np.arange(left + 0.014, left + wide - 0.014, 0.026):
            if rng.random() < _AWAKE:
                window = (
                    slice(int(row * short), int((row + 0.017) * short)),
                    slice(max(0, int(column * short)), max(0, int((column + 0.011) * short))),
                )
                picture[window] = lamp * rng.uniform(0.6, 1.05)
    return picture
