"""Small pictures that all differ, and the manifest that names them."""

import csv
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO, StringIO

import numpy as np
from PIL import Image as Pillow

from predella.storage import Location, Store

_SIDE = (240, 180)
_THREADS = 8
_PUBLIC_DOMAIN = "http://creativecommons.org/publicdomain/mark/1.0/"


def upload(store: Store, prefix: str, numbers: range) -> None:
    """Put the pictures of these numbers, and their manifest, under a prefix."""
    place = Location.parse(prefix)
    store.make_bucket(place.bucket)

    def put(number: int) -> None:
        key = place.key + _name(number)
        store.put(place.bucket, key, _picture(number), media_type="image/jpeg")

    with ThreadPoolExecutor(_THREADS) as pool:
        deque(pool.map(put, numbers), maxlen=0)
    manifest = _manifest(numbers)
    store.put(place.bucket, f"{place.key}manifest.csv", manifest, media_type="text/csv")


def _name(number: int) -> str:
    return f"{number // 1000:03}/{number:07}.jpg"


def _picture(number: int) -> bytes:
    """Return a gradient with the number's own bits in its corner."""
    width, height = _SIDE
    rows = np.linspace(0, 255, height)[:, None] * np.ones(width)
    columns = np.ones(height)[:, None] * np.linspace(0, 255, width)
    pixels = np.stack([rows, columns, np.full_like(rows, number * 7 % 256)], axis=2).astype("uint8")
    for bit in range(24):
        pixels[:16, bit * 8 : bit * 8 + 8] = 255 * (number >> bit & 1)
    out = BytesIO()
    Pillow.fromarray(pixels).save(out, "JPEG", quality=85)
    return out.getvalue()


def _manifest(numbers: range) -> bytes:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(["object_number", "filename", "title", "artist", "rights_work"])
    for number in numbers:
        title = f"Gradient no. {number}"
        writer.writerow([f"B-{number:07}", _name(number), title, "predella bench", _PUBLIC_DOMAIN])
    return text.getvalue().encode()
