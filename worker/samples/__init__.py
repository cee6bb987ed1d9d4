"""Pictures to try predella with: painted here, free of rights, as untidy as a real hand-in."""

import csv
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from worker.samples.works import WORKS, Form, Work, painted

__all__ = ["write_samples"]

_FREE = "http://creativecommons.org/publicdomain/zero/1.0/"
_ENDINGS: dict[Form, str] = {"PNG": ".png", "TIFF, 16 bit grey": ".tif"}
_ORIENTATION, _TURN_RIGHT = 274, 6
_RESTRICTED = "five-targets"
_SEED = 7


def write_samples(directory: Path, *, count: int = 24, seed: int = _SEED) -> Path:
    """Paint ``count`` pictures into the directory and return the manifest that lists them.

    Among them are a PNG, a 16 bit grey TIFF, a CMYK file, a sideways one and one that no text
    may be written about. Two further rows are meant to fail: one file was copied by half, one
    was forgotten. More than 24 are further versions of the same works.
    """
    directory.mkdir(parents=True, exist_ok=True)
    rows = [_one(directory, number, seed) for number in range(count)]
    rows += [_copied_by_half(directory, rows[0]), _forgotten()]
    manifest = directory / "manifest.csv"
    with manifest.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _row().keys())
        writer.writeheader()
        writer.writerows({**row, "object_number": f"S.{n}"} for n, row in enumerate(rows, 1))
    return manifest


def _one(directory: Path, number: int, seed: int) -> dict[str, str]:
    work = WORKS[number % len(WORKS)]
    version = number // len(WORKS) + 1
    mark = f"-{version}" if version > 1 else ""
    path = directory / f"{work.name}{mark}{_ENDINGS.get(work.form, '.jpg')}"
    _save(painted(work, number, seed=seed), work.form, path)
    return _row(
        filename=path.name,
        title=f"{work.title} (version {version})" if version > 1 else work.title,
        medium=f"Procedural painting ({work.form})",
        dimensions=_dimensions(work),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        sensitivity="restricted" if work.name == _RESTRICTED else "none",
    )


def _dimensions(work: Work) -> str:
    width, height = work.size
    return f"{height} x {width} px"


def _save(picture: Image.Image, form: Form, path: Path) -> None:
    match form:
        case "JPEG":
            picture.save(path, quality=92)
        case "PNG":
            picture.save(path, compress_level=4)
        case "JPEG, CMYK":
            picture.convert("CMYK").save(path, quality=92)
        case "JPEG, turned":
            exif = Image.Exif()
            exif[_ORIENTATION] = _TURN_RIGHT
            picture.transpose(Image.Transpose.ROTATE_90).save(path, quality=92, exif=exif)
        case "TIFF, 16 bit grey":
            levels = np.asarray(picture.convert("L")).astype(np.uint16) * 257
            Image.fromarray(levels).save(path, compression="tiff_lzw")


def _copied_by_half(directory: Path, whole: dict[str, str]) -> dict[str, str]:
    content = (directory / whole["filename"]).read_bytes()
    (directory / "copied-by-half.jpg").write_bytes(content[: len(content) // 2])
    return _row(filename="copied-by-half.jpg", title="Copied by Half")


def _forgotten() -> dict[str, str]:
    return _row(filename="forgotten.jpg", title="Forgotten on Another Disk")


def _row(**known: str) -> dict[str, str]:
    """Return a row of the manifest; ``scanner`` is a column that predella has no meaning for."""
    return {
        "object_number": "",
        "filename": "",
        "title": "",
        "artist": "predella sample painter",
        "date": "2026",
        "medium": "",
        "dimensions": "",
        "view": "front",
        "sha256": "",
        "rights_work": _FREE,
        "sensitivity": "none",
        "credit_line": "Sample collection, predella",
        "scanner": "none; computed",
        **known,
    }
