import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from predella.embedded.home import Home


@pytest.fixture
def own_home() -> Iterator[Home]:
    """A home of this test's own, where the account that runs Postgres may pass."""
    with tempfile.TemporaryDirectory(prefix="predella-home-") as folder:
        Path(folder).chmod(0o711)
        yield Home(Path(folder) / "home")
