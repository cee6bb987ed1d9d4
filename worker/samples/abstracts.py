"""Fields, planes, rings and gestures: pictures of nothing but themselves."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from worker.samples.paint import (
    Floats,
    Rng,
    Size,
    blend,
    brushed,
    curve,
    edge,
    floats,
    grid,
    image,
    noise,
    palette,
    relief,
    sweep,
)

_DISCS = (3, 7, 11)


def fields(rng: Rng, size: Size, colours: str) -> Floats:
    """Two or three breathing rectangles stacked on a ground."""
    ground, *others = palette(colours)
    x, y = grid(size)
    picture = ground * (1 + 0.06 * noise(rng, size, 4))[..., None]
    cuts = np.cumsum(rng.uniform(0.5, 1.2, len(others)))
    cuts = np.concatenate([[0], cuts / cuts[-1]]) * (y.max() - 0.14) + 0.07
    for upper, lower, shade in zip(cuts[:-1], cuts[1:], others, strict=True):
        wobble = 0.012 * noise(rng, size, 6) + 0.006 * noise(rng, size, 40, octaves=2)
        beside = np.maximum(0.075 - x, x - x.max() + 0.075)
        outside = np.maximum(beside, np.maximum(upper + 0.02 - y, y - lower + 0.02)) + wobble
        glaze = 1 + 0.11 * noise(rng, size, 3, octaves=6) + 0.05 * noise(rng, size, 60, octaves=2)
        thin = 0.9 - 0.16 * np.clip(noise(rng, size, 5, octaves=5), 0, 1)
        picture = blend(picture, shade * glaze[..., None], edge(outside, 0.009) * thin)
    return picture


def planes(rng: Rng, size: Size, colours: str) -> Floats:
    """Tilted planes, discs and rods in tension on a pale ground."""
    ground, *others = palette(colours)
    sheet = Image.new("RGB", (size[0] * 2, size[1] * 2), _level(ground))
    draw = ImageDraw.Draw(sheet, "RGBA")
    short, lean = min(sheet.size), rng.uniform(-0.7, 0.7)
    middle = np.array(sheet.size) * rng.uniform(0.42, 0.58, 2)
    for step in range(13):
        place = middle + rng.normal(0, 0.2, 2) * short
        long, wide = short * rng.uniform(0.1, 0.62), short * rng.uniform(0.012, 0.16)
        turn = lean + rng.choice([0, math.pi / 2]) + rng.normal(0, 0.04)
        tone = (*_level(others[step % len(others)]), int(rng.uniform(205, 255)))
        if step in _DISCS:
            radius = short * rng.uniform(0.04, 0.17)
            draw.ellipse((*(place - radius), *(place + radius)), fill=tone)
        else:
            draw.polygon(_bar(place, long, wide, turn), fill=tone)
    for _ in range(4):
        turn = lean + rng.choice([0, math.pi / 2]) + rng.normal(0, 0.25)
        draw.polygon(_bar(middle, short * 1.1, short * 0.004, turn), fill=(20, 20, 24, 255))
    picture = floats(sheet.resize(size, Image.Resampling.LANCZOS))
    return picture * (1 + 0.05 * noise(rng, size, 50, octaves=3))[..., None]


def rings(rng: Rng, size: Size, colours: str) -> Floats:
    """Discs cut into quarters, every ring of another colour."""
    tones = palette(colours)
    x, y = grid(size)
    picture = tones[0] * (1 + 0.05 * noise(rng, size, 5))[..., None]
    rough = 1 + 0.1 * noise(rng, size, 24, octaves=3)
    for _ in range(6):
        centre, radius = rng.uniform(0.15, 0.85, 2) * [x.max(), y.max()], rng.uniform(0.16, 0.4)
        across, down = x - centre[0], y - centre[1]
        away = np.hypot(across, down)
        band = np.clip(away / radius * rng.integers(4, 8), 0, 20).astype(int)
        turn = np.floor(np.arctan2(down, across) / (math.pi / 2) + rng.uniform(0, 1)).astype(int)
        shade = np.stack(tones)[(band * 2 + turn * 3 + rng.integers(0, 9)) % len(tones)]
        shade = shade * rough[..., None]
        picture = blend(picture, shade, edge(away - radius, 0.002))
    flow = np.arctan2(y - y.max() / 2, x - x.max() / 2) + math.pi / 2
    return brushed(rng, picture, length=0.02, width=0.006, count=12000, flow=flow)


def gestures(rng: Rng, size: Size, colours: str) -> Floats:
    """A few wide strokes of a dry brush over raw canvas, and what it dripped."""
    ground, *others = palette(colours)
    picture = ground * (1 + 0.05 * noise(rng, size, 30, octaves=3))[..., None]
    picture = blend(picture, others[-1], 0.3 * np.clip(noise(rng, size, 2), 0, 1))
    for step, width in enumerate(np.sort(rng.uniform(0.015, 0.17, 11))[::-1]):
        shade = others[step % len(others)]
        points = curve(rng, size, turns=rng.uniform(0.3, 1.3))
        picture = sweep(rng, picture, points, shade, width=float(width), load=0.9)
    thick = np.asarray(image(picture).convert("L"), np.float32) / 40
    return _splashed(rng, relief(picture, thick, 0.12), others)


def woven(rng: Rng, size: Size, colours: str) -> Floats:
    """A net of thin lines, thrown until no place is the centre."""
    ground, *others = palette(colours)
    picture = ground * (1 + 0.07 * noise(rng, size, 6))[..., None]
    sheet = image(picture)
    draw = ImageDraw.Draw(sheet, "RGBA")
    for step in range(110):
        points = curve(rng, size, turns=rng.uniform(0.6, 2.6), steps=220)
        points += np.cumsum(rng.normal(0, 1.3, points.shape), axis=0)
        tone = (*_level(others[step % len(others)]), 235)
        for start in range(0, len(points) - 10, 10):
            thick = max(1, int(min(size) * 0.0035 * rng.gamma(1.6)))
            part = [tuple(point) for point in points[start : start + 11].tolist()]
            draw.line(part, fill=tone, width=thick, joint="curve")
    done = floats(sheet)
    thick_paint = np.asarray(sheet.convert("L").filter(ImageFilter.GaussianBlur(1)), np.float32)
    return _splashed(rng, relief(done, thick_paint / 25, 0.1), others)


def _splashed(rng: Rng, picture: Floats, tones: list[Floats]) -> Floats:
    sheet = image(picture)
    draw = ImageDraw.Draw(sheet)
    short = min(sheet.size)
    for _ in range(160):
        x, y = rng.uniform(0, sheet.size[0]), rng.uniform(0, sheet.size[1])
        radius = short * 0.0022 * rng.gamma(1.2)
        tone = _level(tones[rng.integers(len(tones))])
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tone)
    return floats(sheet)


def _bar(place: Floats, long: float, wide: float, turn: float) -> list[tuple[float, ...]]:
    along = np.array([math.cos(turn), math.sin(turn)]) * long / 2
    across = np.array([-math.sin(turn), math.cos(turn)]) * wide / 2
    corners = (place + along + across, place + along - across, place - along - across)
    return [tuple(corner.tolist()) for corner in (*corners, place - along + across)]


def _level(tone: Floats) -> tuple[int, int, int]:
    red, green, blue = (np.clip(tone, 0, 1) * 255).astype(int).tolist()
    return red, green, blue
