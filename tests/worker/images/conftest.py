from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.worker.images.files import Pixels
from worker.images import Limits, Prepared, Sandbox

Prepare = Callable[..., Prepared]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as one:
        yield one


@pytest.fixture(scope="session")
def prepare(sandbox: Sandbox) -> Prepare:
    def prepared(path: Path, limits: Limits | None = None, *, exact: bool = False) -> Prepared:
        return sandbox.prepare(path, limits or Limits(), exact=exact)

    return prepared


def model(prepared: Prepared) -> Pixels:
    return np.asarray(Image.open(BytesIO(prepared.model_png)))


def review(prepared: Prepared) -> Image.Image:
    return Image.open(BytesIO(prepared.review_jpeg))
