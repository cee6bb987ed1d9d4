"""JSON documents that stand alone, written the same way every time."""

import json
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False, indent=2)


def encoded(document: dict[str, Any]) -> bytes:
    """Return the document in UTF-8 for people to read; keys that are None or empty are left out."""
    return _ENCODER.encode(filled(document)).encode() + b"\n"


def filled(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without what is not known."""
    return {key: value for key, value in document.items() if value not in (None, [], {})}
