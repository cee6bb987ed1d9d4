"""What an image would have, without a builder: its lock, its wheel, its account."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_FILES = sorted((_ROOT / "infra" / "docker").glob("*.Dockerfile"))


class TestDockerfiles:
    @pytest.mark.parametrize("file", _FILES, ids=lambda file: file.name)
    def test_has_no_finding(self, file: Path) -> None:
        hadolint = shutil.which("hadolint")
        if hadolint is None:
            pytest.skip("hadolint is not on this machine")

        checked = subprocess.run([hadolint, file], capture_output=True, text=True, check=False)

        assert checked.returncode == 0, checked.stdout

    @pytest.mark.parametrize("file", _FILES, ids=lambda file: file.name)
    def test_every_image_ends_as_an_ordinary_account(self, file: Path) -> None:
        stages = re.split(r"^FROM ", file.read_text(), flags=re.MULTILINE)
        images = [stage for stage in stages if re.search(r"^CMD ", stage, re.MULTILINE)]

        assert images
        for image in images:
            assert re.findall(r"^USER (.*)$", image, re.MULTILINE) == ["10001:10001"]


class TestLocks:
    @pytest.mark.parametrize("name", ["api", "worker", "runtime", "development"])
    def test_pins_with_digests_and_names_no_index(self, name: str) -> None:
        text = (_ROOT / "requirements" / f"{name}.txt").read_text()
        pins = re.findall(r"^[a-z0-9-]+==.*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)

        assert len(pins) > 20
        assert all("--hash=sha256:" in pin for pin in pins)
        assert "://" not in text

    @pytest.mark.parametrize("name", ["api", "worker", "runtime", "development"])
    def test_leaves_torch_to_the_platform(self, name: str) -> None:
        assert not _names(name) & {"torch", "sympy", "networkx"}

    @pytest.mark.parametrize("name", ["api", "worker", "runtime"])
    def test_leaves_triton_to_torch_where_its_interpreter_is_not_tested(self, name: str) -> None:
        assert "triton" not in _names(name)

    def test_keeps_model_code_out_of_the_api(self) -> None:
        assert not _names("api") & {"transformers", "pillow", "numpy", "tokenizers"}

    @pytest.mark.parametrize("name", ["api", "worker", "runtime"])
    def test_agrees_with_what_was_tested(self, name: str) -> None:
        assert _pins(name) <= _pins("development")


def _pins(name: str) -> set[str]:
    text = (_ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([a-z0-9-]+==[^ ]+)", text, re.MULTILINE))


def _names(name: str) -> set[str]:
    return {pin.split("==")[0] for pin in _pins(name)}
