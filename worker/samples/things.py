"""Vessels, fruit, cloth and arches: pictures of things in light from one side."""

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

_LIGHT = np.array([-0.62, -0.5, 0.6])
"""From the upper left, towards us."""
_VESSELS = 2


def table(rng: Rng, size: Size, colours: str) -> Floats:
    """Vessels and fruit on a table before a dark wall."""
    wall, cloth, *tones = palette(colours)
    x, y = grid(size)
    line = y.max() * 0.66
    lit = np.clip(1.25 - 0.85 * np.hypot(x - 0.15 * x.max(), y - 0.25 * y.max()), 0.25, 1.3)
    picture = wall * (lit * (1 + 0.14 * noise(rng, size, 4, octaves=5)))[..., None]
    front = cloth * (1.12 - 0.55 * (x / x.max()) + 0.08 * noise(rng, size, 6, stretch=3))[..., None]
    front = blend(front, front * 0.5, np.clip((y - y.max() * 0.9) * 6, 0, 0.8))
    picture = blend(picture, front, edge(line - y, 0.003))
    places = np.linspace(0.2, 0.8, 6) * x.max() + rng.normal(0, 0.02, 6)
    skin = 1 + 0.1 * noise(rng, size, 16, octaves=3)
    for turn, which in enumerate(rng.permutation(6)):
        foot = line + 0.05 + 0.035 * turn + rng.uniform(0, 0.02)
        spot, tone = float(places[which]), tones[turn % len(tones)]
        thing = _vessel if turn < _VESSELS else _fruit
        picture = thing(rng, picture, (spot, float(foot)), tone * skin[..., None])
    return brushed(
        rng, picture, length=0.024, width=0.007, count=12000, flow=0.9 * noise(rng, size, 4) + 0.6
    )


def cloth(rng: Rng, size: Size, colours: str) -> Floats:
    """Folds of one heavy cloth coming out of the dark."""
    dark, middle, bright = palette(colours)
    x, y = grid(size)
    bend = 0.35 * noise(rng, size, 2, octaves=2) + 0.25 * (y - 0.5) * rng.choice([-1, 1])
    depth = np.zeros_like(x)
    for count in (2.6, 5.1, 9.7):
        gather = np.abs(np.sin(math.pi * (count * (x + bend) + rng.uniform(0, 1))))
        depth += (1 - gather**0.7) * 1.5 / count
    depth += 0.02 * noise(rng, size, 7)
    down, across = np.gradient(depth * min(size) * 0.16)
    normal = np.stack([-across, -down, np.ones_like(depth)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    shade = np.clip(normal @ (_LIGHT / np.linalg.norm(_LIGHT)), 0, 1)
    beam = np.exp(-2.6 * np.hypot((x - 0.35 * x.max()) * 1.1, y - 0.4 * y.max()) ** 2)
    picture = ramp([dark, middle, bright], np.clip(shade**1.4 * (0.12 + 1.15 * beam), 0, 1))
    return brushed(
        rng, picture, length=0.03, width=0.006, count=9000, flow=math.pi / 2 + 0.4 * bend
    )


def arches(rng: Rng, size: Size, colours: str) -> Floats:
    """An empty square, an arcade, shadows longer than what throws them."""
    high, low, stone, floor, dark = palette(colours)
    x, y = grid(size)
    line = y.max() * rng.uniform(0.5, 0.6)
    picture = ramp([high, low], np.clip(y / line, 0, 1))
    ground = floor * (1 + 0.05 * noise(rng, size, 5))[..., None]
    picture = blend(picture, ground, edge(line - y, 0.002))
    picture = _thrown(picture, (0.76 * x.max(), line, 0.11), 0.5, dark)
    for number in range(5):
        near = 1 - 0.15 * number
        left, wide = number * 0.19 * (1 - 0.06 * number), 0.175 * near
        picture = _thrown(picture, (left, line + 0.2 * near, wide), 0.3 * near, dark)
    for number in range(5):
        near = 1 - 0.15 * number
        left, wide = number * 0.19 * (1 - 0.06 * number), 0.175 * near
        box = (left, line - 0.44 * near, left + wide, line + 0.2 * near)
        picture = _arch(picture, box, stone * (0.8 + 0.05 * number), dark)
    for half, upper, lower in ((0.055, 0.3, 0.0), (0.042, 0.4, 0.3), (0.03, 0.46, 0.4)):
        picture = _drum(picture, (0.8 * x.max(), line - upper, line - lower), half, stone, dark)
    return brushed(
        rng, picture, length=0.016, width=0.005, count=12000, flow=0.3 * noise(rng, size, 3)
    )


def _thrown(
    picture: Floats, foot: tuple[float, float, float], reach: float, dark: Floats
) -> Floats:
    """Lay a long shadow on the ground; foot: left end, height and width of what throws it."""
    left, level, wide = foot
    x, y = grid((picture.shape[1], picture.shape[0]))
    away = y - level
    beside = np.abs(x - away * 1.7 - left - wide / 2) - wide / 2
    return blend(
        picture, dark, 0.6 * edge(np.maximum(beside, np.maximum(-away, away - reach)), 0.003)
    )


def _arch(
    picture: Floats, box: tuple[float, float, float, float], stone: Floats, dark: Floats
) -> Floats:
    left, top, right, foot = box
    x, y = grid((picture.shape[1], picture.shape[0]))
    middle, radius = (left + right) / 2, (right - left) * 0.3
    outside = np.maximum(np.abs(x - middle) - (right - left) / 2, np.maximum(top - y, y - foot))
    spring = top + (foot - top) * 0.27
    opening = np.maximum(np.abs(x - middle) - radius, np.maximum(spring - y, y - foot))
    hole = np.minimum(np.hypot(x - middle, y - spring) - radius, opening)
    picture = blend(picture, stone, edge(outside, 0.0015))
    return blend(picture, dark, edge(hole, 0.0015))


def _drum(
    picture: Floats, place: tuple[float, float, float], half: float, stone: Floats, dark: Floats
) -> Floats:
    middle, upper, lower = place
    x, y = grid((picture.shape[1], picture.shape[0]))
    outside = np.maximum(np.abs(x - middle) - half, np.maximum(upper - y, y - lower))
    tone = blend(stone, dark, np.clip((x - middle) / half * 0.5 + 0.35, 0, 0.8))
    return blend(picture, tone, edge(outside, 0.0015))


def _vessel(rng: Rng, picture: Floats, place: tuple[float, float], tone: Floats) -> Floats:
    spot, foot = place
    x, y = grid((picture.shape[1], picture.shape[0]))
    tall = rng.uniform(0.36, 0.5)
    up = np.clip((foot - y) / tall, 0, 1)
    belly, neck = rng.uniform(0.09, 0.13), rng.uniform(0.028, 0.042)
    swell = np.clip(np.sin(math.pi * np.clip(up / 0.72, 0, 1)), 0, 1) ** 0.8
    lip = 0.014 * np.clip((up - 0.9) * 10, 0, 1) + 0.02 * edge(up - 0.03, 0.003)
    half = neck + (belly - neck) * swell + lip
    across = (x - spot) / half
    inside = edge(np.abs(across) - 1, 0.02) * edge(foot - tall - y, 0.002) * edge(y - foot, 0.003)
    shadowed = _shadowed(picture, place, belly * 1.2)
    return _lit(shadowed, across, up * 2 - 1, tone, inside)


def _fruit(rng: Rng, picture: Floats, place: tuple[float, float], tone: Floats) -> Floats:
    spot, foot = place
    x, y = grid((picture.shape[1], picture.shape[0]))
    radius = rng.uniform(0.068, 0.094)
    across, up = (x - spot) / radius, (foot - radius * 0.92 - y) / (radius * 0.94)
    picture = _shadowed(picture, place, radius)
    return _lit(picture, across, up, tone, edge(np.hypot(across, up) - 1, 0.02))


def _shadowed(picture: Floats, place: tuple[float, float], half: float) -> Floats:
    spot, foot = place
    x, y = grid((picture.shape[1], picture.shape[0]))
    across, down = (x - spot - half * 1.5) / (half * 2.1), (y - foot + half * 0.12) / (half * 0.42)
    away = np.hypot(across, down)
    return blend(picture, picture * 0.3, 0.85 * edge(away - 1, 0.16))


def _lit(picture: Floats, across: Floats, up: Floats, tone: Floats, inside: Floats) -> Floats:
    """Lay a round thing into the picture: light, turning edge, reflected light, highlight."""
    towards = np.sqrt(np.clip(1 - across**2 - 0.55 * up**2, 0, 1))
    light = np.clip(-across * 0.62 + up * 0.42 + towards * 0.66, 0, 1.3)
    back = 0.16 * np.clip(across, 0, 1) ** 3
    body = tone * (0.1 + 0.95 * light**1.3 + back)[..., None]
    gleam = np.exp(-(((across + 0.42) / 0.17) ** 2) - ((up - 0.42) / 0.2) ** 2)
    return blend(picture, blend(body, np.array([1, 0.97, 0.9]), 0.75 * gleam), inside)
