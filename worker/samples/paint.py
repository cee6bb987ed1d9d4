"""Colours, noise, light and brushes: what all manners of the sample painter share."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.floating[Any]]
Rng = np.random.Generator
Size = tuple[int, int]
"""Width and height."""


def colour(name: str) -> Floats:
    """Return ``#rrggbb`` as three levels in 0..1."""
    return np.array([int(name[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255


def palette(names: str) -> list[Floats]:
    """Return the colours of ``#rrggbb #rrggbb ...``."""
    return [colour(name) for name in names.split()]


def grid(size: Size) -> tuple[Floats, Floats]:
    """Return x and y of every pixel, 0..1 along the shorter side."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    short = min(size)
    return x / short, y / short


def noise(rng: Rng, size: Size, cells: float, *, octaves: int = 4, stretch: float = 1) -> Floats:
    """Return soft clouds in -1..1; ``cells`` of them across, wider than high by ``stretch``."""
    width, height = size
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        columns = max(2, round(cells * 2**octave))
        rows = max(2, round(cells * 2**octave * stretch * height / width))
        small = Image.fromarray(rng.standard_normal((rows, columns)).astype(np.float32))
        total += np.asarray(small.resize(size, Image.Resampling.BICUBIC)) * 0.5**octave
    clouds: Floats = np.tanh(total / 1.5)
    return clouds


def blend(below: Floats, above: Floats, cover: Floats | float) -> Floats:
    """Return one colour or picture laid over another; cover: 0..1 for each pixel."""
    share = np.asarray(cover, np.float32)
    return below + (above - below) * (share[..., None] if share.ndim else share)


def ramp(stops: Sequence[Floats], place: Floats) -> Floats:
    """Return the colours met on the way through ``stops``; place: 0..1."""
    where = np.linspace(0, 1, len(stops))
    channels = [np.interp(place, where, [stop[i] for stop in stops]) for i in range(3)]
    return np.stack(channels, -1).astype(np.float32)


def edge(distance: Floats, softness: float) -> Floats:
    """Return 1 inside (below 0), 0 outside, and a soft step between."""
    inside: Floats = 0.5 - 0.5 * np.tanh(distance / (2 * softness))
    return inside


def relief(picture: Floats, height: Floats, strength: float) -> Floats:
    """Return the picture lit from the upper left as if the paint had this thickness."""
    slope = np.zeros_like(height)
    slope[1:, 1:] = height[1:, 1:] - height[:-1, :-1]
    return picture * (1 + strength * np.tanh(slope * 4))[..., None]


def canvas(rng: Rng, picture: Floats, size: Size) -> Image.Image:
    """Return the finished picture: enlarged, woven, varnished unevenly, darker at its edges."""
    x, y = grid((picture.shape[1], picture.shape[0]))
    away = np.hypot(x / x.max() - 0.5, y / y.max() - 0.5)
    light = 1 + 0.025 * noise(rng, (picture.shape[1], picture.shape[0]), 3)
    light -= 0.24 * np.clip(away - 0.35, 0, 1)
    whole = image(picture * light[..., None]).resize(size, Image.Resampling.BICUBIC)
    threads = rng.standard_normal((size[1], size[0]), np.float32)
    threads[1:] += threads[:-1] * 0.6
    threads[:, 1:] += threads[:, :-1] * 0.6
    return image(floats(whole) * (1 + 0.012 * threads)[..., None])


def image(picture: Floats) -> Image.Image:
    """Return levels 0..1 as a picture of 8 bits."""
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))


def floats(picture: Image.Image) -> Floats:
    """Return a picture of 8 bits as levels 0..1."""
    return np.asarray(picture.convert("RGB"), np.float32) / 255


def brushed(
    rng: Rng, picture: Floats, *, length: float, width: float, count: int, flow: Floats
) -> Floats:
    """Return the picture painted over with straight strokes of its own colours.

    ``length`` and ``width`` are shares of the shorter side; flow: the angle at every pixel.
    """
    rows, columns = picture.shape[:2]
    short = min(rows, columns)
    done = image(picture)
    draw = ImageDraw.Draw(done)
    ys, xs = rng.integers(0, rows, count), rng.integers(0, columns, count)
    shades = picture[ys, xs] * (1 + 0.07 * rng.standard_normal((count, 1)))
    levels = (np.clip(shades + 0.015 * rng.standard_normal((count, 3)), 0, 1) * 255).astype(int)
    angles = flow[ys, xs] + 0.25 * rng.standard_normal(count)
    reach = short * length * rng.uniform(0.4, 1, count) / 2
    across = np.maximum(1, short * width * rng.uniform(0.5, 1.2, count)).astype(int)
    ends = np.stack([np.cos(angles) * reach, np.sin(angles) * reach], -1)
    for x, y, (dx, dy), shade, thick in zip(xs, ys, ends, levels, across, strict=True):
        draw.line((x - dx, y - dy, x + dx, y + dy), fill=tuple(shade.tolist()), width=int(thick))
    return floats(done)


def sweep(
    rng: Rng, picture: Floats, points: Floats, shade: Floats, *, width: float, load: float = 1
) -> Floats:
    """Return the picture with one loaded brush drawn along a curve; points: [n, 2] in pixels.

    The brush is a row of bristles, each with its own shade, that run dry towards the end.
    """
    short = min(picture.shape[:2])
    layer = Image.new("RGBA", (picture.shape[1], picture.shape[0]))
    draw = ImageDraw.Draw(layer)
    tangents = np.gradient(points, axis=0)
    normals = np.stack([-tangents[:, 1], tangents[:, 0]], -1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    bristles = max(8, int(short * width / 2.2))
    for place in np.linspace(-0.5, 0.5, bristles):
        stop = len(points) * min(1.0, load * rng.uniform(0.55, 1.15))
        lit = shade * (1 + 0.16 * rng.standard_normal()) + 0.03 * rng.standard_normal(3)
        tone = (*(np.clip(lit, 0, 1) * 255).astype(int).tolist(), int(rng.uniform(150, 255)))
        shift = place * width * short + rng.normal(0, 0.6)
        line = (points + normals * shift)[: max(2, int(stop))]
        draw.line([tuple(point) for point in line.tolist()], fill=tone, width=3, joint="curve")
    soft = np.asarray(layer.filter(ImageFilter.GaussianBlur(0.8)), np.float32) / 255
    return blend(picture, soft[..., :3], soft[..., 3])


def curve(rng: Rng, size: Size, *, turns: float, steps: int = 160) -> Floats:
    """Return a wandering curve across the picture; [steps, 2] in pixels."""
    width, height = size
    t = np.linspace(0, 1, steps)
    start, stop = rng.uniform(0.05, 0.95, 2), rng.uniform(0.05, 0.95, 2)
    phase, bend = rng.uniform(0, math.tau, 2), rng.uniform(0.1, 0.3, 2)
    x = start[0] + (stop[0] - start[0]) * t + bend[0] * np.sin(turns * math.tau * t + phase[0])
    y = start[1] + (stop[1] - start[1]) * t + bend[1] * np.cos(turns * math.tau * t + phase[1])
    return np.stack([x * width, y * height], -1)
