"""The description of the API as it was agreed: ``python -m tests.api.snapshot`` renews it."""

import json
from pathlib import Path
from typing import Any

from api.main import create_app

FILE = Path(__file__).with_name("openapi.json")


def described() -> str:
    """Return the description of the API as it is."""
    return json.dumps(create_app().openapi(), indent=1, ensure_ascii=False) + "\n"


def agreed() -> dict[str, Any]:
    """Return the description that programs were promised."""
    description: dict[str, Any] = json.loads(FILE.read_text())
    return description


if __name__ == "__main__":
    FILE.write_text(described())
