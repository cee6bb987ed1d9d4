"""``python -m worker.bench.once WAY FORMS FILE OUT``: one file prepared, and what that took.

In a process of its own, since memory at its peak is that of a process.
"""

import json
import sys
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

from worker.images import making
from worker.images.opening import opened
from worker.images.prepared import MODEL_SIDE, REVIEW_SIDE, Limits

_CLIP_MEAN = (122, 116, 104)
_KILOBYTE = 1024


def whole(path: Path, *, review: bool) -> bytes:
    """Return the model-ready picture as it is usually made: decoded whole, padded, resampled."""
    image = _decoded(path)
    if review:
        smaller = image.copy()
        smaller.thumbnail((REVIEW_SIDE, REVIEW_SIDE), Image.Resampling.BICUBIC, reducing_gap=None)
        smaller.save(BytesIO(), "JPEG", quality=90, subsampling=0)
    edge, out = max(image.size), BytesIO()
    square = Image.new("RGB", (edge, edge), _CLIP_MEAN)
    square.paste(image, ((edge - image.width) // 2, (edge - image.height) // 2))
    square.resize((MODEL_SIDE, MODEL_SIDE), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


def _decoded(path: Path) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(path) as file:
        return file.convert("RGB")


def ours(path: Path, *, review: bool, exact: bool = False) -> bytes:
    """Return the model-ready picture as the service makes it."""
    with path.open("rb") as file:
        image = opened(file, Limits())
        if review:
            return making.make(image, exact=exact).model_png
        return making.model_png(making.see(image, exact=exact))


def main(way: str, forms: str, path: str, out: str) -> None:
    """Prepare one file; print the cost as JSON, and leave the model-ready picture."""
    Image.init()  # what the first picture would load, a process that prepares many has loaded
    review = forms == "both"
    cpu, wall = time.process_time(), time.perf_counter()
    if way == "whole":
        png = whole(Path(path), review=review)
    else:
        png = ours(Path(path), review=review, exact=way == "exact")
    spent = {
        "cpu_seconds": time.process_time() - cpu,
        "wall_seconds": time.perf_counter() - wall,
        "peak_bytes": _peak(),
    }
    Path(out).write_bytes(png)
    print(json.dumps(spent))  # noqa: T201  (its parent reads it)


def _peak() -> int:
    """Return the resident memory at its highest; getrusage counts that of the parent, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * _KILOBYTE


if __name__ == "__main__":
    main(*sys.argv[1:])
