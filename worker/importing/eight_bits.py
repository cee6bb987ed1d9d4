"""May a release keep what it remembers in 8 bits? Judged by what it then makes of its own words."""

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from predella.errors import RefusedImageError
from worker.engine.errors import CheckpointError
from worker.engine.llava import Llava
from worker.engine.slots import Painting, SlotEngine
from worker.engine.slots.config import FP8
from worker.engine.slots.forcing import Strayed, forced, strayed
from worker.engine.slotted import slot_config
from worker.images import Limits, Sandbox
from worker.samples import write_samples

MOST_NATS, MOST_TURNED = 0.02, 0.002
"""Above these a release should be served without: its texts would change in more than ties."""
_PICTURES = 8
_TOKENS = 128


def eight_bits(directory: Path, *, device: str, dtype: str) -> Strayed:
    """Return how far 8 bits lie from the model's own precision, over texts about our samples.

    Raises:
        CheckpointError: the model cannot be loaded, or what it writes is not finite.
    """
    llava = Llava(directory, device=device, dtype=dtype, max_new_tokens=_TOKENS)
    ids = llava.question(llava.prompt).ids
    config = slot_config(llava, ids, slots=_PICTURES, kv_cache="auto")
    texts = [_painting(llava, picture) for picture in _pictures()]
    _write(SlotEngine(llava.model, config), texts)
    if any(one.is_broken for one in texts):
        raise CheckpointError(directory, "its arithmetic overflows on our sample pictures")
    wanted = forced(llava.model, config, texts)
    found = forced(llava.model, replace(config, cache_dtype=FP8), texts)
    return strayed(found, wanted, [one.tokens for one in texts])


def _write(engine: SlotEngine, paintings: Sequence[Painting]) -> None:
    for one in paintings:
        engine.put(one)
    while not engine.is_idle:
        engine.step()


def _painting(llava: Llava, picture: bytes) -> Painting:
    pixels = torch.from_numpy(llava.checkpoint.normalisation.tensor(picture))
    return Painting(None, llava.question(llava.prompt).ids, pixels, _TOKENS)


def _pictures() -> list[bytes]:
    """Return sample pictures as the model is shown them."""
    found = []
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        write_samples(Path(folder), count=_PICTURES)
        for file in sorted(Path(folder).iterdir()):
            with suppress(RefusedImageError):  # some are meant to fail
                found.append(sandbox.prepare(file, Limits()).model_png)
    return found
