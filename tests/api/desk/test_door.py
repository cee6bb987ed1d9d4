import re
from http import HTTPStatus

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from predella import db
from predella.models import Role
from predella.services import accounts, passwords, sessions
from predella.settings import Settings

PASSWORD = "a low horizon divides"
HTML = {"Accept": "text/html"}


@pytest.fixture
def browser(app: FastAPI, settings: Settings) -> TestClient:
    assert settings.bucket
    with db.transaction() as session:
        account = accounts.add(
            session, name="ines", display_name="Inês Ōe", roles=[Role.CURATOR, Role.APPROVER]
        )
        passwords.choose(session, account, PASSWORD)
    return TestClient(app, base_url="https://desk.example", follow_redirects=False)


def sign_in(browser: TestClient, password: str = PASSWORD, **fields: str) -> Response:
    form = {"name": "ines", "password": password, **fields}
    return browser.post("/sign-in", data=form)


def csrf(browser: TestClient) -> str:
    with db.transaction() as session:
        (secret,) = (cookie.value for cookie in browser.cookies.jar)
        found = sessions.authenticate(session, secret or "").session
        assert found is not None
        return found.csrf


class TestSignIn:
    def test_leads_back_to_the_page_that_was_asked_for(self, browser: TestClient) -> None:
        answer = sign_in(browser, next="/desk/analyses/1?x=2")

        assert answer.status_code == HTTPStatus.SEE_OTHER
        assert answer.headers["Location"] == "/desk/analyses/1?x=2"
        assert browser.get("/v1/me").json()["account"]["name"] == "ines"

    def test_gives_a_cookie_that_no_script_no_other_site_and_no_wire_can_read(
        self, browser: TestClient
    ) -> None:
        cookie = sign_in(browser).headers["Set-Cookie"]

        assert cookie.startswith("__Host-predella=")
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"httponly", "secure", "samesite=lax", "path=/"} <= parts
        assert "domain" not in cookie.lower()

    @pytest.mark.parametrize(
        "elsewhere",
        ["https://evil.example/desk", "//evil.example/desk", "/\\evil.example", "/v1/me"],
    )
    def test_never_leads_elsewhere(self, browser: TestClient, elsewhere: str) -> None:
        assert sign_in(browser, next=elsewhere).headers["Location"] == "/desk"

    def test_says_that_it_did_not_work_and_keeps_the_name(self, browser: TestClient) -> None:
        answer = sign_in(browser, "wrong")

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert 'value="ines"' in answer.text
        assert "wrong" not in answer.headers.get("Set-Cookie", "")

    def test_stops_whoever_guesses(self, browser: TestClient) -> None:
        answers = [sign_in(browser, f"guess {number}").status_code for number in range(11)]

        assert answers == [HTTPStatus.UNAUTHORIZED] * 10 + [HTTPStatus.TOO_MANY_REQUESTS]
        assert sign_in(browser).status_code == HTTPStatus.TOO_MANY_REQUESTS

    def test_is_refused_over_a_wire_that_others_can_read(
        self, browser: TestClient, app: FastAPI
    ) -> None:
        assert browser
        plain = TestClient(app, base_url="http://desk.example", follow_redirects=False)

        answer = sign_in(plain)

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "https" in answer.json()["detail"]

    def test_works_without_encryption_on_this_machine(
        self, browser: TestClient, app: FastAPI
    ) -> None:
        assert browser
        local = TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False)

        assert "secure" not in sign_in(local).headers["Set-Cookie"].lower()
        assert local.get("/v1/me").status_code == HTTPStatus.OK

    def test_is_not_done_by_another_site(self, browser: TestClient) -> None:
        form = {"name": "ines", "password": PASSWORD}
        answer = browser.post("/sign-in", data=form, headers={"Origin": "https://evil.example"})

        assert answer.status_code == HTTPStatus.FORBIDDEN

    def test_is_done_by_a_page_of_ours_that_does_not_name_itself(self, browser: TestClient) -> None:
        form = {"name": "ines", "password": PASSWORD}
        headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}

        assert browser.post("/sign-in", data=form, headers=headers).status_code == 303

    def test_lets_browsers_name_the_page_that_sends_a_form(self, browser: TestClient) -> None:
        assert browser.get("/sign-in").headers["Referrer-Policy"] == "same-origin"

    def test_ends_the_session_that_the_browser_had_before(self, browser: TestClient) -> None:
        sign_in(browser)
        (before,) = (cookie.value for cookie in browser.cookies.jar)
        sign_in(browser)

        browser.cookies.clear()
        stale = browser.get("/v1/me", headers={"Cookie": f"__Host-predella={before}"})
        assert stale.status_code == HTTPStatus.UNAUTHORIZED


class TestSignedIn:
    def test_a_page_of_the_desk_asks_to_sign_in_first(self, browser: TestClient) -> None:
        page = "/desk/pictures/01931f6e-7c9a-7b3e-8c5e-0d5b3c1f2a44/zoom"

        answer = browser.get(f"{page}?a=b", headers=HTML)

        assert answer.status_code == HTTPStatus.SEE_OTHER
        assert answer.headers["Location"] == f"/sign-in?next={page}%3Fa%3Db"

    def test_a_program_is_told_in_its_own_way(self, browser: TestClient) -> None:
        assert browser.get("/v1/me").status_code == HTTPStatus.UNAUTHORIZED

    @pytest.mark.parametrize("sent", [{}, {"csrf": "guessed"}])
    def test_nothing_is_done_without_the_proof_of_a_page_of_ours(
        self, browser: TestClient, sent: dict[str, str]
    ) -> None:
        sign_in(browser)

        assert browser.post("/sign-out", data=sent).status_code == HTTPStatus.FORBIDDEN
        assert browser.get("/v1/me").status_code == HTTPStatus.OK

    @pytest.mark.parametrize(
        "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
    )
    def test_nothing_is_done_for_another_site_even_with_it(
        self, browser: TestClient, headers: dict[str, str]
    ) -> None:
        sign_in(browser)

        answer = browser.post("/sign-out", data={"csrf": csrf(browser)}, headers=headers)

        assert answer.status_code == HTTPStatus.FORBIDDEN

    def test_a_token_needs_no_such_proof(self, curator: TestClient) -> None:
        answer = curator.post("/sign-out", follow_redirects=False)

        assert answer.status_code == HTTPStatus.SEE_OTHER


class TestSignOut:
    def test_the_cookie_opens_nothing_any_more_even_if_somebody_kept_it(
        self, browser: TestClient
    ) -> None:
        sign_in(browser)
        kept = dict(browser.cookies)

        browser.post("/sign-out", data={"csrf": csrf(browser)})

        browser.cookies.update(kept)
        assert browser.get("/v1/me").status_code == HTTPStatus.UNAUTHORIZED

    def test_everywhere_ends_the_other_browser_too(self, browser: TestClient, app: FastAPI) -> None:
        other = TestClient(app, base_url="https://desk.example", follow_redirects=False)
        sign_in(browser)
        sign_in(other)

        browser.post("/sign-out/everywhere", headers={"X-CSRF-Token": csrf(browser)})

        assert other.get("/v1/me").status_code == HTTPStatus.UNAUTHORIZED


class TestLink:
    def test_is_not_used_up_by_looking_at_it(self, browser: TestClient) -> None:
        with db.transaction() as session:
            link = sessions.make_link(session, accounts.by_name(session, "ines"))
        assert browser.get(f"/sign-in/once/{link}").status_code == HTTPStatus.OK

        answer = browser.post(f"/sign-in/once/{link}")

        assert answer.headers["Location"] == "/desk"
        assert browser.get("/v1/me").status_code == HTTPStatus.OK

    def test_says_so_when_it_was_used(self, browser: TestClient) -> None:
        answer = browser.post("/sign-in/once/guessed")

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert re.search(r"used already", answer.text)
