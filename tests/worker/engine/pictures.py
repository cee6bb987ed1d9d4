from io import BytesIO

import numpy as np
from PIL import Image

from worker.images.prepared import MODEL_SIDE


def picture(rng: np.random.Generator, *, side: int = MODEL_SIDE, mode: str = "RGB") -> bytes:
    """Return soft colour fields as a model-ready PNG."""
    fields = Image.fromarray(rng.integers(0, 255, (5, 6, 3), dtype=np.uint8))
    out = BytesIO()
    fields.resize((side, side), Image.Resampling.BICUBIC).convert(mode).save(out, "PNG")
    return out.getvalue()
