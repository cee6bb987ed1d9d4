from pathlib import Path

import pytest

from tests.worker import golden


def no_progress(_done: int) -> None:
    pass


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small release, in float32."""
    return bring_in(tmp_path_factory.mktemp("imported") / "release", dtype="float32")


def bring_in(
    out: Path,
    *,
    base: Path = golden.BASE,
    tower: Path = golden.TOWER,
    adapter: Path = golden.ADAPTER,
    dtype: str = "float32",
) -> Path:
    from worker import importing

    importing.write(importing.check(base, tower, adapter, dtype=dtype), out, no_progress)
    return out
