"""Who is in front of us, and whom a proxy brings in."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient
from structlog.typing import EventDict

from api.main import create_app
from predella import db
from predella.models import Role
from predella.services import accounts, passwords
from predella.settings import Settings, get_settings
from tests.api.server import serving

PASSWORD = "a low horizon divides"
PROXY, STRANGER = "10.0.0.5", "10.9.9.9"
HTML = {"Accept": "text/html"}
Behind = Callable[..., TestClient]


@pytest.fixture
def _accounts(settings: Settings) -> None:
    assert settings.proxy_header is None
    with db.transaction() as session:
        for name in ("ines", "zoe"):
            account = accounts.add(session, name=name, display_name="Ōe", roles=[Role.CURATOR])
            passwords.choose(session, account, PASSWORD)


@pytest.fixture
def trusting(_accounts: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PREDELLA_PROXY_HEADER", "X-Remote-User")
    monkeypatch.setenv("PREDELLA_PROXY_ADDRESSES", '["10.0.0.4/31", "fd00::/8"]')
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def behind(trusting: None) -> Behind:
    """A browser of somebody, as it reaches us through this peer."""
    assert trusting is None
    app = create_app(sees_peers=True)

    def client(user: str | None, peer: str = PROXY, **headers: str) -> TestClient:
        said = {} if user is None else {"X-Remote-User": user}
        return TestClient(
            app,
            base_url="http://desk.example",
            headers=said | {"X-Forwarded-Proto": "https"} | headers | HTML,
            client=(peer, 40000),
            follow_redirects=False,
        )

    return client


def go_in(browser: TestClient) -> str:
    """Ask for a page of the desk, sign in as one is told to; return where that leads."""
    first = browser.get("/desk/lots")
    if first.status_code == HTTPStatus.OK:
        return "/desk/lots"
    assert first.headers["Location"] == "/sign-in?next=/desk/lots"
    answer = browser.get(first.headers["Location"])
    for cookie in browser.cookies.jar:
        cookie.secure = False  # to us the proxy speaks plain HTTP
    return answer.headers.get("Location", "")


def who(browser: TestClient) -> str | None:
    answer = browser.get("/v1/me")
    return answer.json()["account"]["name"] if answer.status_code == HTTPStatus.OK else None


class TestVouched:
    @pytest.mark.parametrize("peer", [PROXY, "10.0.0.4", "fd00::1"])
    def test_signs_in_whom_a_proxy_of_ours_names(self, behind: Behind, peer: str) -> None:
        browser = behind("Ines", peer)

        assert go_in(browser) == "/desk/lots"
        assert who(browser) == "ines"
        assert browser.get("/desk/lots").status_code == HTTPStatus.OK

    def test_signs_in_nobody_whom_somebody_else_names(
        self, behind: Behind, log_lines: list[EventDict]
    ) -> None:
        for _ in range(3):
            assert go_in(behind("ines", STRANGER)) == ""

        assert who(behind("ines", STRANGER)) is None
        ignored = [line for line in log_lines if line["event"] == "proxy_header_ignored"]
        assert len(ignored) == 1

    @pytest.mark.parametrize(
        "forwarded", [PROXY, f"{PROXY}:40000", f"{PROXY}, {PROXY}", f"{STRANGER}, {PROXY}"]
    )
    def test_is_not_moved_by_what_a_stranger_forwards(self, behind: Behind, forwarded: str) -> None:
        assert go_in(behind("ines", STRANGER, **{"X-Forwarded-For": forwarded})) == ""

    def test_of_a_peer_without_an_address_is_nobody(self, behind: Behind) -> None:
        assert go_in(behind("ines", "testclient")) == ""

    def test_twice_in_one_request_is_nobody(self, behind: Behind) -> None:
        browser = behind(None)
        twice = [("X-Remote-User", "ines"), ("X-Remote-User", "zoe")]

        assert browser.get("/sign-in", headers=twice).status_code == HTTPStatus.OK

    @pytest.mark.parametrize("name", ["nobody", "two words", "İnes", "ines,zoe"])
    def test_opens_no_account(self, behind: Behind, name: str) -> None:
        shown = behind(None).get("/sign-in", headers=[(b"X-Remote-User", name.encode())])

        assert shown.status_code == HTTPStatus.FORBIDDEN
        with db.transaction() as session:
            assert [one.name for one in accounts.listed(session)] == ["ines", "zoe"]

    def test_that_is_empty_is_nobody(self, behind: Behind) -> None:
        assert behind(" ").get("/sign-in").status_code == HTTPStatus.OK

    def test_leaves_disabled_accounts_out(self, behind: Behind) -> None:
        with db.transaction() as session:
            accounts.disable(session, accounts.by_name(session, "ines"))

        answer = behind("ines").get("/sign-in")

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "no account of this name is open here" in answer.text

    def test_opens_nothing_without_a_session(self, behind: Behind) -> None:
        assert behind("ines").get("/v1/me").status_code == HTTPStatus.UNAUTHORIZED

    def test_never_leads_elsewhere(self, behind: Behind) -> None:
        answer = behind("ines").get("/sign-in?next=https://evil.example/desk")

        assert answer.headers["Location"] == "/desk"

    def test_keeps_the_session_that_other_pages_use(self, behind: Behind) -> None:
        browser = behind("ines")
        go_in(browser)
        before = browser.cookies["__Host-predella"]

        assert browser.get("/sign-in").headers["Location"] == "/desk"
        assert browser.cookies["__Host-predella"] == before
        assert who(browser) == "ines"

    def test_another_name_ends_the_session(self, behind: Behind) -> None:
        browser = behind("ines")
        go_in(browser)
        stolen = browser.cookies["__Host-predella"]
        browser.headers["X-Remote-User"] = "zoe"

        assert who(browser) is None
        assert go_in(browser) == "/desk/lots"
        assert who(browser) == "zoe"
        back = behind("ines", Cookie=f"__Host-predella={stolen}")
        assert who(back) is None

    def test_so_does_no_name_at_all(self, behind: Behind) -> None:
        browser = behind("ines")
        go_in(browser)
        del browser.headers["X-Remote-User"]

        assert who(browser) is None

    def test_a_session_that_began_with_a_password_needs_no_proxy(self, behind: Behind) -> None:
        browser = behind(None)
        answer = browser.post("/sign-in", data={"name": "ines", "password": PASSWORD})
        assert answer.status_code == HTTPStatus.SEE_OTHER
        for cookie in browser.cookies.jar:
            cookie.secure = False

        assert who(browser) == "ines"
        browser.headers["X-Remote-User"] = "zoe"
        assert who(browser) is None

    def test_who_signs_out_is_not_let_in_again_unasked(self, behind: Behind) -> None:
        browser = behind("ines")
        go_in(browser)
        page = browser.get("/desk/me").text
        csrf = page.partition('name="csrf" value="')[2].partition('"')[0]

        answer = browser.post("/sign-out", data={"csrf": csrf})

        shown = browser.get(answer.headers["Location"])
        assert shown.status_code == HTTPStatus.OK
        assert "Sign in as ines" in shown.text
        assert who(browser) is None


class TestForwarded:
    def test_of_a_proxy_of_ours_says_who_is_in_front_of_it(self, behind: Behind) -> None:
        tries = [
            behind(None, **{"X-Forwarded-For": f"{forged}, 192.0.2.7"}).post(
                "/sign-in", data={"name": f"guess{forged}", "password": "wrong"}
            )
            for forged in range(31)
        ]

        assert [one.status_code for one in tries] == [401] * 30 + [429]


class TestServing:
    def test_brings_in_whom_the_real_peer_names(
        self, trusting: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        assert trusting is None
        monkeypatch.setenv("PREDELLA_PROXY_ADDRESSES", '["127.0.0.1"]')
        with serving(tmp_path / "api.log") as address:
            answer = httpx2.get(f"{address}/sign-in", headers={"X-Remote-User": "ines"})
        assert answer.status_code == HTTPStatus.SEE_OTHER

    @pytest.mark.parametrize("forwarded", [PROXY, f"{PROXY}:1"])
    def test_is_not_moved_by_what_this_machine_forwards(
        self, trusting: None, tmp_path: Path, forwarded: str
    ) -> None:
        assert trusting is None
        with serving(tmp_path / "api.log") as address:
            headers = {"X-Remote-User": "ines", "X-Forwarded-For": forwarded}
            answer = httpx2.get(f"{address}/sign-in", headers=headers)
        assert answer.status_code == HTTPStatus.OK

    def test_is_refused_without_addresses(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert settings.proxy_header is None
        monkeypatch.setenv("PREDELLA_PROXY_HEADER", "X-Remote-User")

        assert "PREDELLA_PROXY_ADDRESSES" in _refusal("api")

    def test_is_refused_by_a_server_that_hides_the_peer(self, trusting: None) -> None:
        assert trusting is None

        assert "python -m api" in _refusal("uvicorn", "api.main:create_app", "--factory")


def _refusal(*command: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", *command, "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode not in {0, None}
    return run.stderr
