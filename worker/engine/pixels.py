"""From a model-ready picture to the numbers that a CLIP tower takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LEVEL = 1 / 255
"""In double precision, as the image processors of transformers have it."""


class NotModelReadyError(ValueError):
    """The bytes are not what ``worker.images.prepare`` writes for the model."""


@dataclass(frozen=True, slots=True)
class Normalisation:
    """How one checkpoint wants its pixels."""

    side: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def tensor(self, picture: bytes) -> NDArray[np.float32]:
        """Return float32 [3, side, side], every channel shifted by ``mean``, divided by ``std``.

        The same numbers, bit for bit, as ``CLIPImageProcessor`` gives with Pillow. A checkpoint
        of another input size gets the picture resampled once more.

        Raises:
            NotModelReadyError: this is not a square RGB picture.
        """
        image = _square(picture)
        if image.width != self.side:
            image = image.resize((self.side, self.side), Image.Resampling.BICUBIC)
        levels = (np.asarray(image).astype(np.float64) * _LEVEL).astype(np.float32)
        shifted = levels - np.array(self.mean, np.float32)
        return np.ascontiguousarray((shifted / np.array(self.std, np.float32)).transpose(2, 0, 1))


def normalisation(processor: Any, side: int) -> Normalisation:
    """Return what the checkpoint's own image processor does after cropping.

    Raises:
        ValueError: it does something that we do not; serving it would change its texts.
    """
    wanted = {"do_rescale": True, "do_normalize": True, "resample": Image.Resampling.BICUBIC}
    for name, value in wanted.items():
        if getattr(processor, name, None) != value:
            found = getattr(processor, name, None)
            raise ValueError(f"its image processor has {name}={found!r}; only {value!r} is served")
    if abs(processor.rescale_factor - _LEVEL) > 1e-12:  # noqa: PLR2004  (rounding of 1/255)
        raise ValueError(f"its image processor has rescale_factor={processor.rescale_factor!r}")
    sides = {*_sides(processor.size), *_sides(getattr(processor, "crop_size", None) or {})}
    if sides != {side}:
        made = " or ".join(str(one) for one in sorted(sides))
        raise ValueError(f"its image processor makes {made} pixels, its model takes {side}")
    return Normalisation(side, _triple(processor.image_mean), _triple(processor.image_std))


def _square(picture: bytes) -> Image.Image:
    try:
        image = Image.open(BytesIO(picture), formats=("PNG",))
        image.load()
    except OSError as error:
        raise NotModelReadyError("the prepared picture is not a PNG") from error
    if image.mode != "RGB" or image.width != image.height:
        what = f"{image.mode} {image.width} x {image.height}"
        raise NotModelReadyError(f"the prepared picture is {what}, not square RGB")
    return image


def _sides(size: Any) -> set[int]:
    return {int(value) for value in dict(size).values() if value is not None}


def _triple(values: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = values
    return red, green, blue
