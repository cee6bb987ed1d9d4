"""What the checks say of the texts that the bundled model writes."""

import random

import numpy as np
import pytest
from PIL import Image

from predella import checks
from predella.checks import Context, Picture, Record, Severity, Wording
from worker.images import facts
from worker.training.demo import attributes, pictures, words

_PROMPT = "USER: <image>\nPlease write a paragraph of formal analysis for this painting. ASSISTANT:"
_RECORD = Record("Rembrandt van Rijn", "Portrait of Saskia", dimensions="90 x 120 cm")


@pytest.mark.parametrize("seed", range(5))
def test_none_of_its_paragraphs_is_blocked(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  (texts to try, no secrets)
    every = words.PHRASES.items()
    texts = [
        words.paragraph({one: rng.choice(list(values)) for one, values in every})
        for _ in range(200)
    ]
    around = Context(finish_reason="stop", prompt=_PROMPT, records=(_RECORD,))

    found = [finding for text in texts for finding in checks.run(Wording(text), around)]

    assert [one for one in found if one.severity is not Severity.INFO] == []


def test_what_is_true_of_a_picture_is_hardly_ever_flagged() -> None:
    told = [_flagged(number, number) for number in range(40)]

    assert sum(map(len, told)) <= 1


def test_what_is_true_of_another_picture_often_is() -> None:
    told = [_flagged(number, number + 1) for number in range(40)]

    assert sum(map(bool, told)) >= 20


def _flagged(of: int, about: int) -> list[str]:
    """Return what is said of one picture's true paragraph when it stands beside another."""
    told = attributes.classify(attributes.measure(_painted(about)))
    text, pixels = words.paragraph(told), _painted(of)
    measured = facts.measured(Image.fromarray(pixels))
    picture = Picture(pixels.shape[1], pixels.shape[0], measured)
    found = checks.run(Wording(text), Context(picture=picture))
    return [text[slice(*one.span)] for one in found if one.span]


def _painted(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    rng = np.random.default_rng([11, number])
    width, height = (int(side) for side in rng.integers(160, 320, 2))
    return pictures.paint(rng, width, height)
