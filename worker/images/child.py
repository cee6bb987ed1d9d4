"""The process that decodes: one picture after another, until its parent hangs up."""

import os
import socket
import traceback
from collections.abc import Mapping
from typing import Any, BinaryIO

from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from predella.errors import RefusedImageError
from worker.images import confinement, wire
from worker.images.making import make, zoom_jpeg
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
            _answer(parent, descriptors[0], Limits(**head["limits"]), head)


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


def _answer(
    parent: socket.socket, descriptor: int, limits: Limits, asked: Mapping[str, Any]
) -> None:
    try:
        answer = _answered(descriptor, limits, asked)
    except RefusedImageError as refusal:
        wire.send(parent, {"refused": [refusal.code, str(refusal)]})
    except MemoryError:
        wire.send(parent, {"out_of_memory": True})
    except Exception:  # noqa: BLE001  (the edge of the process: the parent shall know)
        wire.send(parent, {"defect": traceback.format_exc()[-_TRACE:]})
    else:
        wire.send(parent, *answer)


def _answered(
    descriptor: int, limits: Limits, asked: Mapping[str, Any]
) -> tuple[dict[str, Any], *tuple[bytes, ...]]:
    if asked["zoom"]:
        return {}, _enlarge(descriptor, limits)
    return _parts(_prepare(descriptor, limits, exact=asked["exact"]))


def _prepare(descriptor: int, limits: Limits, *, exact: bool) -> Prepared:
    with os.fdopen(descriptor, "rb") as file:
        return make(_granted(file, limits, whole=exact), exact=exact)


def _enlarge(descriptor: int, limits: Limits) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        return zoom_jpeg(_granted(file, limits, whole=True))


def _granted(file: BinaryIO, limits: Limits, *, whole: bool) -> ImageFile:
    """Return the opened picture, with as much memory and time as its size may take."""
    image = opened(file, limits)
    memory = limits.memory(image.width, image.height, whole=whole or image.format == "JPEG2000")
    confinement.grant(memory=memory, cpu_seconds=limits.cpu_seconds)
    return image


def _parts(prepared: Prepared) -> tuple[dict[str, Any], bytes, bytes]:
    head = {
        "format": prepared.format,
        "width": prepared.width,
        "height": prepared.height,
        "facts": prepared.facts,
    }
    return head, prepared.model_png, prepared.review_jpeg


if __name__ == "__main__":
    main()
