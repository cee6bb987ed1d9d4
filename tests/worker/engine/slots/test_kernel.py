import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.worker.engine.slots import attending
from tests.worker.engine.slots.attending import CASES, LENGTHS, Asked

pytest.importorskip("triton", reason="Triton has no build for this platform")
with_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


def said_by(module: str, home: Path, interpret: str) -> dict[str, Any]:
    command = [sys.executable, "-m", f"tests.worker.engine.slots.{module}"]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TRITON_CACHE_DIR", str(home))
        environment.setenv("TRITON_INTERPRET", interpret)
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    return said_by("attending", tmp_path_factory.mktemp("interpreted"), "1")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return said_by("compiling", tmp_path_factory.mktemp("compiled"), "0")


@pytest.fixture
def one() -> Asked:
    return attending.asked(CASES["float32"], "cuda")


@pytest.mark.parametrize("name", CASES)
class TestDecodeAttention:
    def test_agrees_with_torch_in_the_interpreter(
        self, interpreted: dict[str, float], name: str
    ) -> None:
        assert interpreted[name] < CASES[name].bound

    def test_compiles_for_a_gpu_that_is_not_here(self, compiled: dict[str, str], name: str) -> None:
        assert ".target sm_90" in compiled[name]

    def test_loads_sixteen_bytes_at_a_time(self, compiled: dict[str, str], name: str) -> None:
        assert "ld.global.v4.b32" in compiled[name]

    @with_gpu
    def test_agrees_with_torch_on_a_gpu(self, name: str) -> None:
        assert attending.difference(CASES[name], "cuda") < CASES[name].bound


class TestGraph:
    @with_gpu
    def test_replays_for_other_lengths_than_it_was_captured_with(self, one: Asked) -> None:
        wanted = attending.expected(one)
        one.lengths.fill_(1)
        attending.attended(one)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            got = attending.attended(one)

        one.lengths.copy_(torch.tensor(LENGTHS, dtype=torch.int32))
        graph.replay()

        assert torch.allclose(got.cpu(), wanted, atol=1e-5)
