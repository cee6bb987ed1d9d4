from collections.abc import Iterator
from pathlib import Path

import pytest

from predella.settings import get_settings


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    get_settings.cache_clear()
    monkeypatch.setenv("PREDELLA_HOME", str(tmp_path))
    (tmp_path / "env").write_text("PREDELLA_BATCH_SIZE=3\nPREDELLA_BUCKET=ours\n")
    yield
    get_settings.cache_clear()


class TestGetSettings:
    def test_finds_what_runs_on_this_machine(self) -> None:
        assert (get_settings().batch_size, get_settings().bucket) == (3, "ours")

    def test_lets_the_environment_win(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PREDELLA_BATCH_SIZE", "5")

        assert get_settings().batch_size == 5

    def test_takes_an_empty_variable_for_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PREDELLA_BATCH_SIZE", "")
        monkeypatch.setenv("PREDELLA_S3_ENDPOINT_URL", "")

        assert get_settings().batch_size == 3
        assert get_settings().s3_endpoint_url is None

    def test_an_empty_home_is_the_default_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PREDELLA_HOME", "")

        assert get_settings().home == Path(".predella")

    def test_shows_no_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PREDELLA_S3_SECRET_ACCESS_KEY", "do-not-tell")
        monkeypatch.setenv("PREDELLA_TOKEN", "do-not-tell")
        monkeypatch.setenv("PREDELLA_DATABASE_URL", "postgresql+psycopg://a:do-not-tell@b/c")

        assert "do-not-tell" not in repr(get_settings())
