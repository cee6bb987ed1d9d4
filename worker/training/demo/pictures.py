"""Pictures painted to train on: many manners, so that what is learnt is light and colour itself."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from worker.training.demo.colours import Floats, Pixels

Rng = np.random.Generator
Colour = tuple[int, int, int]


def paint(rng: Rng, width: int, height: int) -> Pixels:
    """One picture in a manner drawn by lot: uint8 [height, width, 3]."""
    manner = MANNERS[int(rng.integers(len(MANNERS)))]
    return np.asarray(manner(rng, width, height).convert("RGB"))


def happens(rng: Rng, chance: float) -> bool:
    """Whether something of this probability happens."""
    return bool(rng.random() < chance)


def clouds(rng: Rng, width: int, height: int, steepness: float) -> Floats:
    """Noise whose amplitude falls with frequency as in photographs: mean 0, deviation 1."""
    down = np.fft.fftfreq(height)[:, None] * height
    across = np.fft.rfftfreq(width)[None, :] * width
    frequency = np.hypot(down, across * rng.uniform(0.5, 2))
    frequency[0, 0] = np.inf
    phase = rng.uniform(0, 2 * math.pi, frequency.shape)
    field = np.fft.irfft2(frequency**-steepness * np.exp(1j * phase), s=(height, width))
    noise: Floats = ((field - field.mean()) / (field.std() + 1e-9)).astype(np.float32)
    return noise


def _palette(rng: Rng, count: int) -> list[Colour]:
    """Colours that belong together: near in hue, with a stranger now and then."""
    hue = rng.choice([rng.uniform(0, 1), rng.normal(0.09, 0.04)])
    spread = rng.choice([0.03, 0.1, 0.5])
    strength, light = rng.uniform(0.05, 1), rng.uniform(0.25, 0.9)
    return [_colour(rng, hue + rng.normal() * spread, strength, light) for _ in range(count)]


def _colour(rng: Rng, hue: float, strength: float, light: float) -> Colour:
    value = np.clip(light + rng.normal() * 0.22, 0.03, 1)
    strength = np.clip(strength + rng.normal() * 0.2, 0, 1)
    turn = (np.array([0.0, 2 / 3, 1 / 3]) + hue) % 1
    channel = np.clip(np.abs(turn * 6 - 3) - 1, 0, 1)
    red, green, blue = (255 * value * (1 - strength + strength * channel)).astype(int)
    return int(red), int(green), int(blue)


def _pick(rng: Rng, colours: list[Colour]) -> Colour:
    return colours[int(rng.integers(len(colours)))]


def _photograph(rng: Rng, width: int, height: int) -> Image.Image:
    """Soft masses of light, and colour that follows them only in part."""
    light = clouds(rng, width, height, rng.uniform(0.9, 2.2))
    base, span = np.array(_palette(rng, 2), dtype=np.float32)
    picture = base + light[..., None] * (span - base) * rng.uniform(0.2, 0.6)
    for channel in range(3):
        picture[..., channel] += clouds(rng, width, height, 1.6) * rng.uniform(0, 25)
    return _image(picture)


def _leaves(rng: Rng, width: int, height: int) -> Image.Image:
    """Shapes over shapes, large ones few and small ones many, as in natural scenes."""
    colours = _palette(rng, int(rng.integers(3, 9)))
    image = Image.new("RGB", (width, height), colours[0])
    draw = ImageDraw.Draw(image)
    shape = (_disc, _block, _wedge)[int(rng.integers(3))]
    for radius in np.sort(0.4 * rng.power(0.6, int(rng.integers(5, 90))))[::-1] + 0.02:
        shape(rng, draw, radius * min(width, height), _pick(rng, colours))
    return image


def _disc(rng: Rng, draw: ImageDraw.ImageDraw, reach: float, fill: Colour) -> None:
    x, y = _anywhere(rng, draw)
    tall = reach * rng.uniform(0.6, 1.6)
    draw.ellipse([x - reach, y - tall, x + reach, y + tall], fill)


def _block(rng: Rng, draw: ImageDraw.ImageDraw, reach: float, fill: Colour) -> None:
    x, y = _anywhere(rng, draw)
    tall = reach * rng.uniform(0.4, 2.5)
    draw.rectangle([x - reach, y - tall, x + reach, y + tall], fill)


def _wedge(rng: Rng, draw: ImageDraw.ImageDraw, reach: float, fill: Colour) -> None:
    x, y = _anywhere(rng, draw)
    turns = np.sort(rng.uniform(0, 2 * math.pi, 4))
    draw.polygon([(x + reach * math.cos(t), y + reach * math.sin(t)) for t in turns], fill)


def _anywhere(rng: Rng, draw: ImageDraw.ImageDraw) -> tuple[float, float]:
    width, height = draw.im.size
    return rng.uniform(0, width), rng.uniform(0, height)


def _strata(rng: Rng, width: int, height: int) -> Image.Image:
    """Bands under a sky, their upper edges rolling."""
    bands = int(rng.integers(2, 7))
    colours = np.array(_palette(rng, bands + 1), dtype=np.float32)
    down = np.arange(height)[:, None] / height
    picture = np.broadcast_to(colours[0], (height, width, 3)).copy()
    for colour, top in zip(colours[1:], np.sort(rng.uniform(0.1, 0.95, bands)), strict=True):
        roll = clouds(rng, width, 2, 1.5)[0] * rng.choice([0, 0.01, 0.05])
        picture = np.where((down > top + roll)[..., None], colour, picture)
    return _image(picture + clouds(rng, width, height, 1.3)[..., None] * rng.uniform(0, 20))


def _strokes(rng: Rng, width: int, height: int) -> Image.Image:
    """Strokes of a brush that keeps to one direction, more or less."""
    colours = _palette(rng, int(rng.integers(3, 8)))
    image = Image.new("RGB", (width, height), colours[0])
    draw = ImageDraw.Draw(image)
    turn = rng.choice([0, math.pi / 4, math.pi / 2, -math.pi / 4]) + rng.normal() * 0.1
    loose, thick = rng.choice([0.03, 0.25, 1.0]), rng.uniform(0.01, 0.06) * min(width, height)
    for _ in range(int(rng.integers(15, 140))):
        angle, reach = turn + rng.normal() * loose, rng.uniform(0.05, 0.5) * max(width, height)
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        across, down = math.cos(angle) * reach, math.sin(angle) * reach
        ends = [x - across, y - down, x + across, y + down]
        draw.line(ends, fill=_pick(rng, colours), width=max(1, int(thick)))
    return image


def _stripes(rng: Rng, width: int, height: int) -> Image.Image:
    """Regular stripes, sometimes crossed into a weave or a board of squares."""
    first, second, third = np.array(_palette(rng, 3), dtype=np.float32)
    turn = rng.choice([0, math.pi / 4, math.pi / 2, -math.pi / 4]) + rng.normal() * 0.05
    down, across = np.mgrid[:height, :width] / max(width, height)
    along = np.sin((across * math.cos(turn) + down * math.sin(turn)) * rng.uniform(10, 70))
    picture = np.where((along > rng.uniform(-0.7, 0.7))[..., None], first, second)
    if happens(rng, 0.3):
        crossed = np.sin((down * math.cos(turn) - across * math.sin(turn)) * rng.uniform(10, 70))
        picture = np.where((crossed > 1 / 3)[..., None], third, picture)
    return _image(picture)


def _figure(rng: Rng, width: int, height: int) -> Image.Image:
    """A lit mass with a smaller one above it, before a ground that may be dark."""
    colours = _palette(rng, 5)
    image = Image.new("RGB", (width, height), colours[0])
    draw = ImageDraw.Draw(image)
    middle = rng.choice([0.5, rng.uniform(0.25, 0.75)]) * width
    reach, head = rng.uniform(0.15, 0.45) * width, rng.uniform(0.08, 0.2) * min(width, height)
    top = rng.uniform(0.35, 0.6) * height
    draw.ellipse([middle - reach, top, middle + reach, top + 1.4 * height], colours[1])
    draw.ellipse([middle - head, top - 2.2 * head, middle + head, top + 0.3 * head], colours[2])
    fall = np.linspace(rng.uniform(0.5, 1.2), rng.uniform(0.5, 1.2), width)[None, :, None]
    return _image(np.asarray(image) * fall + clouds(rng, width, height, 1.4)[..., None] * 8)


def _drawing(rng: Rng, width: int, height: int) -> Image.Image:
    """Thin lines on paper, or chalk on a dark sheet, with a little wash."""
    paper, ink, wash = (np.array(c) for c in _palette(rng, 3))
    pale = rng.uniform(0.5, 1)
    ground = tuple(int(c) for c in (paper * (1 - pale) + np.array([248, 240, 224]) * pale))
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(0, 4))):
        x, y, reach = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.05, 0.3) * width
        draw.ellipse([x - reach, y - reach, x + reach, y + reach], tuple(map(int, wash)))
    for _ in range(int(rng.integers(4, 60))):
        walk = np.cumsum(rng.normal(size=(12, 2)), axis=0) * rng.uniform(0.02, 0.06)
        points = (walk + rng.uniform(0, 1, 2)) * [width, height]
        draw.line([(x, y) for x, y in points], tuple(map(int, ink * 0.5)), max(1, width // 60))
    return Image.eval(image, lambda level: 255 - level) if happens(rng, 0.25) else image


def _mosaic(rng: Rng, width: int, height: int) -> Image.Image:
    """Cells around scattered points, each its own colour."""
    count = int(rng.integers(4, 50))
    colours = np.array(_palette(rng, count), dtype=np.float32)
    points = rng.uniform(0, 1, (count, 2)) * [height, width]
    down, across = np.mgrid[:height, :width].astype(np.float32)
    nearest = np.full((height, width), np.inf)
    picture = np.zeros((height, width, 3), np.float32)
    for (y, x), colour in zip(points, colours, strict=True):
        distance = (down - y) ** 2 + (across - x) ** 2
        picture = np.where((distance < nearest)[..., None], colour, picture)
        nearest = np.minimum(nearest, distance)
    return _image(picture + clouds(rng, width, height, 1)[..., None] * rng.uniform(0, 15))


def _gradient(rng: Rng, width: int, height: int) -> Image.Image:
    """Light falling off across an almost empty field."""
    first, second = np.array(_palette(rng, 2), dtype=np.float32)
    turn = rng.choice([0, math.pi / 2, rng.uniform(0, math.pi)])
    down, across = np.mgrid[:height, :width] / max(width, height) - 0.5
    along = across * math.cos(turn) + down * math.sin(turn)
    if happens(rng, 0.4):
        along = np.hypot(across - rng.choice([0, 0.2]), down - rng.uniform(-0.2, 0.2)) * 1.5 - 0.4
    blend = np.clip(along * rng.uniform(0.6, 2) + 0.5, 0, 1)[..., None]
    return _image(first * (1 - blend) + second * blend + rng.normal(size=blend.shape) * 5)


def _image(picture: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


MANNERS: tuple[Callable[[Rng, int, int], Image.Image], ...] = (
    _photograph,
    _photograph,
    _leaves,
    _leaves,
    _strata,
    _strokes,
    _strokes,
    _strokes,
    _stripes,
    _stripes,
    _figure,
    _drawing,
    _mosaic,
    _gradient,
)
