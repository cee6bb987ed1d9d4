import pytest

from tests.worker.engine.slots import small
from tests.worker.engine.slots.running import paintings


@pytest.fixture(scope="package")
def alone() -> dict[int, list[int]]:
    """What transformers' own `generate` writes about each painting by itself."""
    return {number: small.generated(one) for number, one in enumerate(paintings())}
