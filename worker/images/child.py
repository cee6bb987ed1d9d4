"""The process that decodes: one picture after another, until its parent hangs up."""

import os
from typing import Any, BinaryIO

from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from predella.confined import confinement
from predella.confined.serving import Answer, serve
from predella.formats.headers.limits import MIN_SIDE
from worker.images.making import make, zoom_jpeg
from worker.images.opening import opened
from worker.images.prepared import Limits, Prepared

_KINDS = {"JPEG": "CMYK", "JPEG2000": "RGB", "PNG": "RGBA", "TIFF": "RGB", "WEBP": "RGB"}


def main() -> None:
    """Serve the socket that is our standard input."""
    _rehearse()
    serve(_answered)


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


def _answered(asked: dict[str, Any], _parts: list[bytes], files: list[int]) -> Answer:
    (descriptor,), limits = files, Limits(**asked["limits"])
    if asked["zoom"]:
        return {}, [_enlarge(descriptor, limits)]
    return _told(_prepare(descriptor, limits, exact=asked["exact"]))


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


def _told(prepared: Prepared) -> Answer:
    head = {
        "format": prepared.format,
        "width": prepared.width,
        "height": prepared.height,
        "facts": prepared.facts,
    }
    return head, [prepared.model_png, prepared.review_jpeg]


if __name__ == "__main__":
    main()
