from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.worker.engine.pictures import picture
from worker.engine.llava import LlavaEngine
from worker.training import checkpoint

Open = Callable[..., LlavaEngine]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "small"
    checkpoint.write(path)
    return path


@pytest.fixture(scope="session")
def opened(directory: Path) -> Open:
    def engine(path: Path = directory, *, batch_size: int = 8, most: int = 48) -> LlavaEngine:
        return LlavaEngine(
            path, device="cpu", dtype="float32", batch_size=batch_size, max_new_tokens=most
        )

    return engine


@pytest.fixture(scope="session")
def engine(opened: Open) -> LlavaEngine:
    return opened()


@pytest.fixture(scope="session")
def pictures() -> list[bytes]:
    rng = np.random.default_rng(5)
    return [picture(rng) for _ in range(7)]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(9)
