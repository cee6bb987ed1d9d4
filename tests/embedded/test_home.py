import socket
import stat
from pathlib import Path

import pytest

from predella.embedded.home import LOOPBACK, Home, first_free


class TestSecret:
    def test_is_generated_once_and_kept(self, tmp_path: Path) -> None:
        first = Home(tmp_path / "home").secret("postgres_password")

        assert len(first) >= 40
        assert Home(tmp_path / "home").secret("postgres_password") == first
        assert Home(tmp_path / "other").secret("postgres_password") != first

    def test_is_for_the_owner_alone(self, tmp_path: Path) -> None:
        home = Home(tmp_path / "home")
        home.secret("postgres_password")

        kept = [path for path in home.path.iterdir() if path.is_file()]

        assert kept
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in kept)
        assert not stat.S_IMODE(home.path.stat().st_mode) & 0o066
        assert stat.S_IMODE(home.folder("logs").stat().st_mode) == 0o700


class TestPort:
    def test_is_the_same_next_time(self, tmp_path: Path) -> None:
        port = Home(tmp_path).port("api")

        assert Home(tmp_path).port("api") == port

    def test_is_another_while_somebody_listens_there(self, tmp_path: Path) -> None:
        port = Home(tmp_path).port("api")
        with socket.socket() as somebody:
            somebody.bind((LOOPBACK, port))
            somebody.listen()

            assert Home(tmp_path).port("api") != port

    def test_prefers_what_it_is_told(self, tmp_path: Path) -> None:
        free = first_free(0)

        assert Home(tmp_path).port("api", preferred=free) == free


class TestFirstFree:
    def test_says_when_nothing_is(self) -> None:
        with socket.socket() as somebody:
            somebody.bind((LOOPBACK, 0))
            somebody.listen()

            with pytest.raises(OSError, match="none of the ports"):
                first_free(somebody.getsockname()[1])
