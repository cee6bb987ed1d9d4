"""Is a directory still what was imported, and does it write?"""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image

from worker.engine.errors import CheckpointError
from worker.engine.identity import RELEASE_FILE, sha256
from worker.engine.llava import Llava
from worker.engine.protocol import EngineFailure, Generation
from worker.engine.slotted import SlottedEngine
from worker.images.prepared import MODEL_SIDE
from worker.importing import record

_TOKENS = 8


def files(directory: Path) -> dict[str, int]:
    """Return name and size of every file that was imported.

    Raises:
        CheckpointError: the directory does not say what should lie in it.
    """
    if not (directory / RELEASE_FILE).is_file():
        raise CheckpointError(directory, f"there is no {RELEASE_FILE} in it")
    try:
        return {
            name: int(one["bytes"]) for name, one in record.recorded(directory)["files"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"its {RELEASE_FILE} holds no digests; `predella-model import` writes them"
        raise CheckpointError(directory, why) from error


def differences(directory: Path, advance: Callable[[int], None]) -> list[str]:
    """Return in words what is not as it was imported; every file is read whole."""
    wanted = record.recorded(directory)["files"]
    there = {
        file.relative_to(directory).as_posix() for file in directory.rglob("*") if file.is_file()
    }
    found = [f"{name} is missing" for name in sorted(wanted.keys() - there)]
    for name in sorted(wanted.keys() & there):
        if sha256(directory / name) != wanted[name]["sha256"]:
            found.append(f"{name} is not the file that was imported")
        advance(int(wanted[name]["bytes"]))
    extra = sorted(there - wanted.keys() - {RELEASE_FILE})
    return found + [f"{name} was not imported with the rest" for name in extra]


def self_test(directory: Path, *, device: str, dtype: str) -> Generation:
    """Load the model as a worker does, and have it write a few words about a gradient.

    Raises:
        CheckpointError: it cannot be loaded, or what it writes is not finite.
    """
    llava = Llava(directory, device=device, dtype=dtype, max_new_tokens=_TOKENS)
    engine = SlottedEngine(llava, slots=1)
    (answer,) = engine.generate([_gradient()])
    if isinstance(answer, EngineFailure):
        raise CheckpointError(directory, answer.sentence)
    return answer


def _gradient() -> bytes:
    square = Image.linear_gradient("L").resize((MODEL_SIDE, MODEL_SIDE))
    out = BytesIO()
    Image.merge("RGB", (square, square.rotate(90), square.rotate(180))).save(out, "PNG")
    return out.getvalue()
