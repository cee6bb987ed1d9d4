"""The production description says the same as the code, and an own compose reads it."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from predella.queue import make_celery
from predella.settings import Settings

_ROOT = Path(__file__).parents[2]
_FILE = _ROOT / "docker-compose.yml"
_PASSWORDS = {
    "POSTGRES_PASSWORD": "p",
    "SERVICE_PASSWORD": "s",
    "REDIS_PASSWORD": "r",
    "PATH": "/usr/bin:/bin",
}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load(_FILE.read_text())["services"])


def _ours(services: dict[str, Any]) -> dict[str, Any]:
    return {name: service for name, service in services.items() if "build" in service}


class TestCompose:
    def test_is_read_by_compose(self) -> None:
        compose = shutil.which("docker-compose")
        if compose is None:
            pytest.skip("docker-compose is not on this machine")

        read = subprocess.run(
            [compose, "--file", _FILE, "config", "--quiet"],
            env=_PASSWORDS,
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

        assert read.returncode == 0, read.stderr

    def test_demands_passwords_instead_of_having_some(self) -> None:
        text = _FILE.read_text()

        assert text.count("${POSTGRES_PASSWORD") == text.count("${POSTGRES_PASSWORD:?")
        assert text.count("${REDIS_PASSWORD") == text.count("${REDIS_PASSWORD:?")

    def test_names_only_settings_that_exist(self, services: dict[str, Any]) -> None:
        known = {f"PREDELLA_{name.upper()}" for name in Settings.model_fields}

        for service in _ours(services).values():
            assert set(service["environment"]) <= known

    def test_closes_every_container(self, services: dict[str, Any]) -> None:
        for name, service in services.items():
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
            assert "no-new-privileges:true" in service["security_opt"], name
        assert services["api"]["ports"] == ["127.0.0.1:${PREDELLA_API_PORT:-8000}:8000"]

    def test_gives_workers_longer_than_they_take_to_stop(self, services: dict[str, Any]) -> None:
        longest = make_celery(Settings()).conf.worker_soft_shutdown_timeout

        graces = {"90s": 90, "3m": 180}
        for name in ("cpu-worker", "gpu-worker", "model-worker"):
            assert graces[services[name]["stop_grace_period"]] > longest

    def test_builds_from_files_that_are_there(self, services: dict[str, Any]) -> None:
        for service in _ours(services).values():
            text = (_ROOT / service["build"]["dockerfile"]).read_text()

            assert f" AS {service['build'].get('target', '')}".rstrip() in text
            for line in text.splitlines():
                if line.startswith("COPY ") and "--from" not in line:
                    assert all((_ROOT / path).exists() for path in line.split()[1:-1]), line
