"""A model worker whose engine takes its time, dies of a magenta picture and breaks at a cyan one.

``celery --app tests.faults.gpu worker``
"""

import os
import signal
import time
from collections.abc import Sequence
from io import BytesIO
from unittest import mock

from PIL import Image as Pillow

from worker import resources
from worker.app import app
from worker.engine.protocol import Answer, Request
from worker.engine.trivial import TrivialEngine

__all__ = ["app"]

POISON = (255, 0, 255)
BREAKS = (0, 255, 255)
SECONDS_EACH = 0.05

# The processes of the pool are fresh interpreters: they import what is named here.
app.conf.include = [*app.conf.include, __name__]


class SlowEngine(TrivialEngine):
    def _answers(self, batch: Sequence[Request]) -> list[Answer]:
        for one in batch:
            time.sleep(SECONDS_EACH)
            if _centre(one.picture) == POISON:
                os.kill(os.getpid(), signal.SIGKILL)
            if _centre(one.picture) == BREAKS:
                raise RuntimeError("CUDA error: device-side assert triggered")
        return super()._answers(batch)


def _centre(png: bytes) -> object:
    with Pillow.open(BytesIO(png)) as image:
        return image.getpixel((image.width // 2, image.height // 2))


mock.patch.object(resources, "engine", return_value=SlowEngine(batch_size=4)).start()
