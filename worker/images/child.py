"""The process that decodes: one picture after another, until its parent hangs up."""

import os
import socket
import traceback
from typing import Any

from PIL import Image, ImageCms

from predella.errors import RefusedImageError
from worker.images import confinement, wire
from worker.images.making import make
from worker.images.opening import opened
from worker.images.prepared import MIN_SIDE, Limits, Prepared

_KINDS = {"JPEG": "CMYK", "JPEG2000": "RGB", "PNG": "RGBA", "TIFF": "RGB", "WEBP": "RGB"}
_TRACE = 4000
"""Characters of a traceback that are worth telling."""


def main() -> None:
    """Serve the socket that is our standard input."""
    _rehearse()
    confinement.confine()
    with socket.socket(fileno=0) as parent:
        while True:
            try:
                head, _ = wire.receive(parent)
                _, descriptors, _, _ = socket.recv_fds(parent, 1, 1)
            except wire.BrokenWireError:
                return
            _answer(parent, descriptors[0], Limits(**head["limits"]), exact=head["exact"])


def _rehearse() -> None:
    """Prepare one small picture of each kind, so that nothing is left to be loaded later.

    After the confinement no file can be opened, modules of libraries among them.
    """
    Image.init()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind, mode in _KINDS.items():
        with os.fdopen(os.memfd_create(kind), "w+b") as file:
            Image.new(mode, (MIN_SIDE, MIN_SIDE)).save(file, kind, icc_profile=profile)
            file.flush()
            make(opened(file, Limits()))


def _answer(parent: socket.socket, descriptor: int, limits: Limits, *, exact: bool) -> None:
    try:
        prepared = _prepare(descriptor, limits, exact=exact)
    except RefusedImageError as refusal:
        wire.send(parent, {"refused": [refusal.code, str(refusal)]})
    except MemoryError:
        wire.send(parent, {"out_of_memory": True})
    except Exception:  # noqa: BLE001  (the edge of the process: the parent shall know)
        wire.send(parent, {"defect": traceback.format_exc()[-_TRACE:]})
    else:
        wire.send(parent, _head(prepared), prepared.model_png, prepared.review_jpeg)


def _prepare(descriptor: int, limits: Limits, *, exact: bool) -> Prepared:
    with os.fdopen(descriptor, "rb") as file:
        image = opened(file, limits)
        whole = exact or image.format == "JPEG2000"
        memory = limits.memory(image.width, image.height, whole=whole)
        confinement.grant(memory=memory, cpu_seconds=limits.cpu_seconds)
        return make(image, exact=exact)


def _head(prepared: Prepared) -> dict[str, Any]:
    return {
        "format": prepared.format,
        "width": prepared.width,
        "height": prepared.height,
        "facts": prepared.facts,
    }


if __name__ == "__main__":
    main()
