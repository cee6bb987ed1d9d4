"""Spoiling files on purpose."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

Table = dict[str, Any]


def edit(file: Path, **fields: object) -> None:
    content = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(content | fields), "utf-8")


def repickle(file: Path, change: Callable[[Table], object]) -> None:
    """Change the tensors in a ``.bin``."""
    table = torch.load(file, weights_only=True)
    change(table)
    torch.save(table, file)


def cut(file: Path, share: float = 0.7) -> None:
    with file.open("r+b") as opened:
        opened.truncate(int(file.stat().st_size * share))


class RunsCode:
    """What a hostile pickle does when it is opened carelessly."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)
