from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.worker.engine.pictures import picture
from worker.engine.llava import Llava
from worker.engine.reference import ReferenceEngine
from worker.training import checkpoint

Open = Callable[..., ReferenceEngine]


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
    def engine(path: Path = directory, *, batch_size: int = 8, most: int = 48) -> ReferenceEngine:
        llava = Llava(path, device="cpu", dtype="float32", max_new_tokens=most)
        return ReferenceEngine(llava, batch_size=batch_size)

    return engine


@pytest.fixture(scope="session")
def engine(opened: Open) -> ReferenceEngine:
    return opened()


@pytest.fixture(scope="session")
def pictures() -> list[bytes]:
    rng = np.random.default_rng(5)
    return [picture(rng) for _ in range(7)]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(9)
