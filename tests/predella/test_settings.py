from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

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


class TestProxies:
    def test_that_say_who_somebody_is_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PREDELLA_PROXY_HEADER", "X-Remote-User")

        with pytest.raises(ValidationError, match="PREDELLA_PROXY_ADDRESSES"):
            get_settings()

    @pytest.mark.parametrize("addresses", ["[]", '["proxy.example"]', '["10.0.0.1/8"]', "10.0.0.5"])
    def test_are_networks(self, monkeypatch: pytest.MonkeyPatch, addresses: str) -> None:
        monkeypatch.setenv("PREDELLA_PROXY_HEADER", "X-Remote-User")
        monkeypatch.setenv("PREDELLA_PROXY_ADDRESSES", addresses)

        with pytest.raises((ValidationError, SettingsError)):
            get_settings()


class TestProvider:
    @pytest.fixture(autouse=True)
    def _complete(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PREDELLA_OIDC_ISSUER", "https://id.example/realms/museum")
        monkeypatch.setenv("PREDELLA_OIDC_CLIENT_ID", "predella")
        monkeypatch.setenv("PREDELLA_OIDC_ROLES", "curators=curator")

    def test_needs_no_secret(self) -> None:
        assert get_settings().oidc_client_secret is None

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("OIDC_CLIENT_ID", "", "PREDELLA_OIDC_CLIENT_ID"),
            ("OIDC_ROLES", "", "PREDELLA_OIDC_ROLES"),
            ("OIDC_ISSUER", "http://id.example", "https"),
            ("OIDC_SCOPES", "profile", "openid"),
        ],
    )
    def test_is_set_up_wholly_or_not_at_all(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
    ) -> None:
        monkeypatch.setenv(f"PREDELLA_{name}", value)

        with pytest.raises(ValidationError, match=said):
            get_settings()


def test_somebody_can_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDELLA_PASSWORDS", "no")

    with pytest.raises(ValidationError, match="PREDELLA_OIDC_ISSUER"):
        get_settings()


def test_harvesters_need_the_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDELLA_OAI_EMAIL", "registrar@museum.example")
    with pytest.raises(ValidationError, match="PREDELLA_PUBLIC_URL"):
        get_settings()

    monkeypatch.setenv("PREDELLA_PUBLIC_URL", "https://predella.museum.example")

    assert get_settings().oai_email == "registrar@museum.example"
