"""How often the model's statements are true: of held-out painted pictures, and of any others.

Pictures go the way they go in production: through the sandbox that prepares
them and the engine that writes. What is true is measured on the prepared
review image, which is the whole picture, upright and in sRGB.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from predella.errors import RefusedImageError
from worker.engine.protocol import Engine, EngineFailure, Generation
from worker.images import Limits, Prepared, prepare
from worker.training.demo import attributes, data, pictures, variation, words

_HELD_OUT = 10**6
"""Part of the seed of held-out pictures; no shard of training pictures has this number."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class Judged:
    """One text and the picture it is about."""

    picture: str
    text: str
    claims: words.Claims
    measured: attributes.Measured

    def is_true(self, attribute: str) -> bool:
        """Whether the text states the attribute, and truly, within its margin."""
        return attribute in attributes.true_claims(self.measured, self.claims)

    def is_exact(self, attribute: str) -> bool:
        """Whether the text states the one value that fits best, without any margin."""
        return self.claims.get(attribute) == attributes.classify(self.measured)[attribute]


def judge(engine: Engine, files: Sequence[Path]) -> list[Judged]:
    """What the engine writes about each picture, beside what was measured on it.

    Files that are refused are left out: there is nothing to say about them.
    """
    ready = dict(_prepared(files))
    written = engine.generate([prepared.model_png for prepared in ready.values()])
    return [
        _judged(file.name, one, prepared)
        for one, (file, prepared) in zip(written, ready.items(), strict=True)
    ]


def _prepared(files: Sequence[Path]) -> Iterator[tuple[Path, Prepared]]:
    for file in files:
        with suppress(RefusedImageError):
            yield file, prepare(file, limits=Limits())


def _judged(picture: str, written: Generation | EngineFailure, prepared: Prepared) -> Judged:
    text = "" if isinstance(written, EngineFailure) else written.text
    with Image.open(BytesIO(prepared.review_jpeg)) as image:
        measured = attributes.measure(np.asarray(image.convert("RGB")))
    return Judged(picture, text, words.parse(text), measured)


def paint(folder: Path, *, seed: int, count: int) -> list[Path]:
    """Held-out pictures painted as the training pictures were, but at full size, as PNG files."""
    files = [folder / f"painted-{number:04}.png" for number in range(count)]
    for number, file in enumerate(files):
        rng = np.random.default_rng([seed, _HELD_OUT, number])
        long = int(rng.integers(240, 640))
        sides = [long, round(long * math.exp(-data.lengthening(rng)))]
        width, height = (int(side) for side in rng.permutation(sides))
        picture = variation.vary(rng, pictures.paint(rng, width, height))
        Image.fromarray(picture).save(file)
    return files


def find(places: Iterable[Path]) -> Iterator[Path]:
    """The pictures among files and, in order of name, in folders."""
    for place in places:
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        yield from (file for file in inside if file.suffix.lower() in SUFFIXES)


def table(judged: Sequence[Judged]) -> str:
    """Markdown: accuracy by attribute, and how far it falls when texts change pictures."""
    swapped = [
        Judged(one.picture, one.text, one.claims, other.measured)
        for one, other in zip(judged, [*judged[1:], *judged[:1]], strict=True)
    ]
    lines = [
        "| attribute | true | exactly | of another picture |",
        "|---|---|---|---|",
    ]
    rows = [
        (
            attribute,
            _share(one.is_true(attribute) for one in judged),
            _share(one.is_exact(attribute) for one in judged),
            _share(one.is_true(attribute) for one in swapped),
        )
        for attribute in attributes.VALUES
    ]
    means = ("**mean**", *(float(np.mean([row[n] for row in rows])) for n in (1, 2, 3)))
    lines += [f"| {name} | {a:.3f} | {b:.3f} | {c:.3f} |" for name, a, b, c in [*rows, means]]
    return "\n".join(lines)


def accuracy(judged: Sequence[Judged]) -> dict[str, float]:
    """Share of pictures of which each attribute is stated truly."""
    return {a: _share(one.is_true(a) for one in judged) for a in attributes.VALUES}


def _share(truths: Iterable[bool]) -> float:
    return float(np.mean(list(truths)))
