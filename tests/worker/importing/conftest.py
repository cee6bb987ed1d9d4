import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.worker import golden
from tests.worker.conftest import bring_in


@dataclass(frozen=True)
class Release:
    """The small release, as copies that a test may spoil."""

    base: Path
    tower: Path
    adapter: Path
    out: Path

    def bring_in(self, dtype: str = "float32") -> Path:
        return bring_in(
            self.out, base=self.base, tower=self.tower, adapter=self.adapter, dtype=dtype
        )


@pytest.fixture
def release(tmp_path: Path) -> Release:
    parts = tmp_path / "downloads"
    return Release(
        base=shutil.copytree(golden.BASE, parts / "base"),
        tower=shutil.copytree(golden.TOWER, parts / "tower"),
        adapter=shutil.copytree(golden.ADAPTER, parts / "adapter"),
        out=tmp_path / "release",
    )
