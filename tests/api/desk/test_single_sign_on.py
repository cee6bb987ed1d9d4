import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import select

from predella import clock, db
from predella.models import Account, AuditEntry, Role, WebSession
from predella.services import accounts, identities, passwords, sessions
from predella.settings import Settings, get_settings
from tests.issuer import CLIENT_ID, CLIENT_SECRET, Claims, Issuer, issuing, rsa_key, signed

DESK = "https://desk.example"
ROLES = "curators=curator,heads of department=approver,heads of department=curator"


@pytest.fixture
def issuer(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    assert settings.oidc_issuer is None
    with issuing() as made:
        for name, value in {
            "PUBLIC_URL": DESK,
            "OIDC_ISSUER": made.url,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "OIDC_ROLES": ROLES,
            "OIDC_LABEL": "Museum account",
        }.items():
            monkeypatch.setenv(f"PREDELLA_{name}", value)
        get_settings.cache_clear()
        yield made


@pytest.fixture
def browser(app: FastAPI, issuer: Issuer) -> TestClient:
    assert issuer.url
    return TestClient(app, base_url=DESK, follow_redirects=False)


def leave(browser: TestClient, back: str = "/desk/lots?x=2") -> str:
    """Return where the browser is sent."""
    answer = browser.get("/sign-in/oidc", params={"next": back})
    assert answer.status_code == HTTPStatus.SEE_OTHER
    return answer.headers["Location"]


def come_back(browser: TestClient, **changed: str) -> Response:
    """Go to the provider and back, with these parameters changed."""
    return browser.get("/sign-in/oidc/callback", params=returned(browser) | changed)


def returned(browser: TestClient) -> dict[str, str]:
    back = httpx2.get(leave(browser)).headers["Location"]
    assert back.startswith(f"{DESK}/sign-in/oidc/callback?")
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


def is_out(browser: TestClient) -> bool:
    return browser.get("/v1/me").status_code == HTTPStatus.UNAUTHORIZED


def me(browser: TestClient) -> dict[str, object]:
    account: dict[str, object] = browser.get("/v1/me").json()["account"]
    return account


def roles_now(name: str = "zoe.oe@museum.example") -> list[str]:
    with db.transaction() as session:
        return list(accounts.by_name(session, name).roles)


class TestSignIn:
    def test_opens_an_account_with_the_roles_of_the_groups(self, browser: TestClient) -> None:
        answer = come_back(browser)

        assert answer.status_code == HTTPStatus.SEE_OTHER
        assert answer.headers["Location"] == "/desk/lots?x=2"
        assert me(browser)["name"] == "zoe.oe@museum.example"
        assert me(browser)["display_name"] == "Zoë Ōe"
        assert roles_now() == ["curator"]

    def test_leaves_only_the_cookie_of_the_session(self, browser: TestClient) -> None:
        leave(browser)
        (away,) = browser.cookies.jar
        assert away.name == "__Host-predella-away"
        assert away.secure

        come_back(browser)

        assert [cookie.name for cookie in browser.cookies.jar] == ["__Host-predella"]

    def test_finds_the_account_again_whatever_it_is_called_by_now(
        self, browser: TestClient, issuer: Issuer
    ) -> None:
        come_back(browser)
        first = me(browser)["id"]
        issuer.person["preferred_username"] = "somebody.else"

        come_back(browser)

        assert me(browser)["id"] == first

    def test_ends_the_session_that_the_browser_had_before(self, browser: TestClient) -> None:
        come_back(browser)
        before = browser.cookies["__Host-predella"]
        come_back(browser)

        browser.cookies.clear()
        stale = browser.get("/v1/me", headers={"Cookie": f"__Host-predella={before}"})
        assert stale.status_code == HTTPStatus.UNAUTHORIZED

    def test_two_pages_may_be_away_at_once(self, browser: TestClient) -> None:
        first, second = returned(browser), returned(browser)
        away = browser.cookies["__Host-predella-away"]

        assert browser.get("/sign-in/oidc/callback", params=second).status_code == 303
        browser.cookies["__Host-predella-away"] = away
        assert browser.get("/sign-in/oidc/callback", params=first).status_code == 303

    @pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/desk", "/v1/me"])
    def test_never_leads_elsewhere(self, browser: TestClient, back: str) -> None:
        query = httpx2.get(leave(browser, back)).headers["Location"].partition("?")[2]

        answer = browser.get(f"/sign-in/oidc/callback?{query}")

        assert answer.headers["Location"] == "/desk"

    def test_is_entered_into_the_log_with_its_way(self, browser: TestClient) -> None:
        come_back(browser)

        with db.transaction() as session:
            entries = session.scalars(select(AuditEntry).order_by(AuditEntry.seq)).all()
            found = [(entry.action, entry.account_name) for entry in entries]
            assert found == [
                ("account.opened", None),
                ("account.linked", None),
                ("session.begun", "zoe.oe@museum.example"),
            ]
            assert entries[-1].details == {"way": "oidc"}
            assert entries[1].details["subject"] == "248289761001"

    def test_keeps_no_token_of_the_provider(self, browser: TestClient, issuer: Issuer) -> None:
        come_back(browser)

        with db.transaction() as session:
            kept = session.scalars(select(WebSession)).all()
            assert not [token for token in issuer.tokens for one in kept if token in str(vars(one))]

    def test_asks_for_the_groups_where_the_token_lacks_them(
        self, browser: TestClient, issuer: Issuer
    ) -> None:
        issuer.described["userinfo_endpoint"] = f"{issuer.url}/userinfo"
        issuer.userinfo = {**issuer.person, "groups": ["heads of department"]}
        issuer.changed["groups"] = None

        come_back(browser)

        assert roles_now() == ["approver", "curator"]

    def test_does_not_take_the_groups_of_somebody_else(
        self, browser: TestClient, issuer: Issuer
    ) -> None:
        issuer.described["userinfo_endpoint"] = f"{issuer.url}/userinfo"
        issuer.userinfo = {**issuer.person, "sub": "another"}
        issuer.changed["groups"] = None

        assert come_back(browser).status_code == HTTPStatus.UNAUTHORIZED
        assert is_out(browser)

    def test_follows_a_provider_that_changes_its_keys(
        self, browser: TestClient, issuer: Issuer
    ) -> None:
        come_back(browser)
        come_back(browser)
        assert issuer.asked.count("/keys") == 1
        issuer.key = rsa_key("second")

        assert come_back(browser).status_code == HTTPStatus.SEE_OTHER
        assert issuer.asked.count("/keys") == 2

    def test_takes_keys_on_a_curve(self, browser: TestClient, issuer: Issuer) -> None:
        issuer.key = ECKey.generate_key("P-256", {"kid": "curve"})

        assert come_back(browser).status_code == HTTPStatus.SEE_OTHER


class TestRoles:
    def test_follow_the_groups_at_every_sign_in(self, browser: TestClient, issuer: Issuer) -> None:
        come_back(browser)
        issuer.person["groups"] = ["heads of department"]

        come_back(browser)

        assert roles_now() == ["approver", "curator"]

    def test_are_lost_with_the_groups_and_every_session_with_them(
        self, browser: TestClient, issuer: Issuer, app: FastAPI
    ) -> None:
        come_back(browser)
        issuer.person["groups"] = ["everybody"]
        elsewhere = TestClient(app, base_url=DESK, follow_redirects=False)

        answer = come_back(elsewhere)

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "curators, heads of department" in answer.text
        assert roles_now() == []
        assert is_out(browser)
        assert is_out(elsewhere)

    @pytest.mark.parametrize("groups", [[], ["everybody"], None, {"curators": 1}, [None]])
    def test_nobody_without_a_group_gets_an_account(
        self, browser: TestClient, issuer: Issuer, groups: object
    ) -> None:
        issuer.person["groups"] = groups

        assert come_back(browser).status_code == HTTPStatus.FORBIDDEN
        with db.transaction() as session:
            assert session.scalars(select(Account)).all() == []
            (refused,) = session.scalars(select(AuditEntry))
            assert (refused.action, refused.subject_id) == ("sign_in.refused", "248289761001")


class TestRefused:
    def test_does_not_take_over_an_account_of_the_same_name(self, browser: TestClient) -> None:
        with db.transaction() as session:
            accounts.add(
                session, name="zoe.oe@museum.example", display_name="Z", roles=[Role.ADMIN]
            )

        answer = come_back(browser)

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "predella account link zoe.oe@museum.example --issuer" in answer.text
        assert is_out(browser)
        assert roles_now() == ["admin"]

    def test_lets_in_whom_an_admin_has_linked(self, browser: TestClient, issuer: Issuer) -> None:
        with db.transaction() as session:
            ines = accounts.add(session, name="ines", display_name="Inês", roles=[Role.REGISTRAR])
            identities.link(session, ines, issuer=issuer.url, subject="248289761001")

        come_back(browser)

        assert me(browser)["name"] == "ines"
        assert roles_now("ines") == ["curator"]

    def test_leaves_disabled_accounts_out(self, browser: TestClient) -> None:
        come_back(browser)
        with db.transaction() as session:
            accounts.disable(session, accounts.by_name(session, "zoe.oe@museum.example"))

        answer = come_back(browser)

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "disabled" in answer.text
        assert is_out(browser)

    @pytest.mark.parametrize("name", [None, "", "   ", 7, "two words", "\x00", "x" * 300])
    def test_says_so_when_the_name_cannot_be_one(
        self, browser: TestClient, issuer: Issuer, name: object
    ) -> None:
        issuer.person["preferred_username"] = name

        answer = come_back(browser)

        assert answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        assert is_out(browser)


class TestState:
    def test_a_guessed_one_opens_nothing(self, browser: TestClient) -> None:
        assert come_back(browser, state="guessed").status_code == HTTPStatus.UNAUTHORIZED
        assert is_out(browser)

    @pytest.mark.parametrize("query", ["", "code=x", "state=%00&code=x", "state=%ff&code=%ff"])
    def test_nonsense_gets_a_page(self, browser: TestClient, query: str) -> None:
        answer = browser.get(f"/sign-in/oidc/callback?{query}")

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert "Begin again" in answer.text

    def test_of_another_browser_opens_nothing(self, browser: TestClient, app: FastAPI) -> None:
        victim = TestClient(app, base_url=DESK, follow_redirects=False)
        leave(victim)

        answer = victim.get("/sign-in/oidc/callback", params=returned(browser))

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert is_out(victim)

    def test_works_once(self, browser: TestClient) -> None:
        back = returned(browser)
        cookies = dict(browser.cookies)
        assert browser.get("/sign-in/oidc/callback", params=back).status_code == 303
        browser.cookies.clear()
        browser.cookies.update(cookies)

        answer = browser.get("/sign-in/oidc/callback", params=back)

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert is_out(browser)

    def test_is_used_up_by_a_try_that_failed(self, browser: TestClient, issuer: Issuer) -> None:
        back = returned(browser)
        issuer.answers["/token"] = (503, {})
        assert browser.get("/sign-in/oidc/callback", params=back).status_code == 503
        issuer.answers.clear()

        assert browser.get("/sign-in/oidc/callback", params=back).status_code == 401

    def test_is_too_old_after_ten_minutes(
        self, browser: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        back = returned(browser)
        later = clock.now() + timedelta(minutes=10, seconds=1)
        monkeypatch.setattr(clock, "now", lambda: later)

        answer = browser.get("/sign-in/oidc/callback", params=back)

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert "10 minutes" in answer.text

    def test_a_code_that_was_used_opens_nothing(self, browser: TestClient) -> None:
        stolen = returned(browser)
        browser.get("/sign-in/oidc/callback", params=stolen)
        browser.cookies.clear()

        answer = come_back(browser, code=stolen["code"])

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert "used already" in answer.text
        assert is_out(browser)

    def test_a_code_of_another_flow_opens_nothing(self, browser: TestClient) -> None:
        stolen = returned(browser)["code"]

        assert come_back(browser, code=stolen).status_code == HTTPStatus.UNAUTHORIZED

    def test_another_provider_cannot_send_anybody_back(
        self, browser: TestClient, issuer: Issuer
    ) -> None:
        answer = come_back(browser, iss="https://evil.example")

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert "Another provider" in answer.text
        assert "/token" not in issuer.asked

    def test_nor_can_one_that_does_not_name_itself(
        self, browser: TestClient, issuer: Issuer
    ) -> None:
        back = returned(browser)
        del back["iss"]

        assert browser.get("/sign-in/oidc/callback", params=back).status_code == 401
        assert "/token" not in issuer.asked


def _part(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _with_public_key_as_secret(issuer: Issuer, claims: Claims) -> str:
    header = {"alg": "HS256", "kid": issuer.key.kid}
    signed_part = ".".join(_part(json.dumps(part).encode()) for part in (header, claims))
    secret = issuer.key.as_pem(private=False)
    return f"{signed_part}.{_part(hmac.digest(secret, signed_part.encode(), 'sha256'))}"


def _with_client_secret(_issuer: Issuer, claims: Claims) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET * 6))


def _unsigned(_issuer: Issuer, claims: Claims) -> str:
    return ".".join(_part(json.dumps(part).encode()) for part in ({"alg": "none"}, claims)) + "."


def _by_another_key(_issuer: Issuer, claims: Claims) -> str:
    return jwt.encode({"alg": "RS256", "kid": "first"}, claims, RSAKey.generate_key(2048))


def _by_a_key_it_brings(_issuer: Issuer, claims: Claims) -> str:
    key = rsa_key("brought")
    header = {"alg": "RS256", "kid": "brought", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, claims, key)


def _changed_afterwards(issuer: Issuer, claims: Claims) -> str:
    header, _, signature = signed(issuer, claims).split(".")
    body = json.dumps(claims | {"groups": ["heads of department"]}).encode()
    return f"{header}.{_part(body)}.{signature}"


def _with_other_algorithm(issuer: Issuer, claims: Claims) -> str:
    return jwt.encode({"alg": "RS512", "kid": "first"}, claims, issuer.key, algorithms=["RS512"])


class TestToken:
    @pytest.mark.parametrize(
        "changed",
        [
            {"nonce": "another"},
            {"nonce": None},
            {"nonce": ""},
            {"aud": "another client"},
            {"aud": None},
            {"aud": [CLIENT_ID, "another client"]},
            {"aud": [CLIENT_ID, "another client"], "azp": "another client"},
            {"azp": "another client"},
            {"iss": "https://evil.example"},
            {"iss": None},
            {"exp": 1_700_000_000},
            {"exp": None},
            {"exp": "tomorrow"},
            {"exp": float("inf")},
            {"exp": [4_000_000_000]},
            {"aud": 7},
            {"aud": {}},
            {"azp": {}},
            {"iat": 4_000_000_000},
            {"iat": None},
            {"nbf": 4_000_000_000},
            {"sub": None},
            {"sub": ""},
            {"sub": 7},
            {"sub": "a\u0000b"},
            {"sub": "s" * 256},
        ],
        ids=str,
    )
    def test_that_is_not_for_this_sign_in_opens_nothing(
        self, browser: TestClient, issuer: Issuer, changed: Claims
    ) -> None:
        issuer.changed = changed

        assert come_back(browser).status_code == HTTPStatus.UNAUTHORIZED
        assert is_out(browser)

    @pytest.mark.parametrize(
        "sign",
        [
            _with_public_key_as_secret,
            _with_client_secret,
            _unsigned,
            _by_another_key,
            _by_a_key_it_brings,
            _changed_afterwards,
            _with_other_algorithm,
            lambda _issuer, _claims: "no token at all",
            lambda _issuer, _claims: None,
        ],
    )
    @pytest.mark.filterwarnings("default::joserfc.errors.SecurityWarning")
    def test_that_the_provider_has_not_signed_opens_nothing(
        self, browser: TestClient, issuer: Issuer, sign: Callable[[Issuer, Claims], str]
    ) -> None:
        issuer.sign = sign

        assert come_back(browser).status_code == HTTPStatus.UNAUTHORIZED
        assert is_out(browser)

    def test_for_several_of_whom_we_are_the_one_that_asked_is_good(
        self, browser: TestClient, issuer: Issuer
    ) -> None:
        issuer.changed = {"aud": [CLIENT_ID, "another client"], "azp": CLIENT_ID}

        assert come_back(browser).status_code == HTTPStatus.SEE_OTHER


class TestProvider:
    @pytest.mark.parametrize(
        ("error", "status"),
        [("access_denied", 403), ("temporarily_unavailable", 503), ("<b>", 401)],
    )
    def test_that_sends_back_an_error_gets_a_page_that_says_what_to_do(
        self, browser: TestClient, issuer: Issuer, error: str, status: int
    ) -> None:
        issuer.error = error

        answer = come_back(browser)

        assert answer.status_code == status
        assert "Begin again" in answer.text
        assert "<b>" not in answer.text

    @pytest.mark.parametrize(
        ("path", "answer"),
        [
            ("/.well-known/openid-configuration", (500, {})),
            ("/.well-known/openid-configuration", (200, b"<html>")),
            ("/.well-known/openid-configuration", (200, [])),
            ("/.well-known/openid-configuration", (200, {"issuer": "https://evil.example"})),
        ],
    )
    def test_that_does_not_describe_itself_is_away(
        self, browser: TestClient, issuer: Issuer, path: str, answer: tuple[int, object]
    ) -> None:
        issuer.answers[path] = answer

        shown = browser.get("/sign-in/oidc")

        assert shown.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "Begin again" in shown.text

    @pytest.mark.parametrize(
        "address", ["http://a:port", "http://", 7, None, "", "javascript:alert(1)", "/here"]
    )
    def test_whose_addresses_lead_nowhere_is_away(
        self, browser: TestClient, issuer: Issuer, address: object
    ) -> None:
        issuer.described["authorization_endpoint"] = address

        assert browser.get("/sign-in/oidc").status_code == HTTPStatus.SERVICE_UNAVAILABLE

    @pytest.mark.parametrize(
        ("path", "answer"),
        [
            ("/token", (500, b"oops")),
            ("/token", (200, b"")),
            ("/token", (302, {})),
            ("/keys", (200, {})),
            ("/keys", (200, {"keys": [7, {"kty": "oct", "k": "AA"}, {"kty": "RSA"}]})),
            ("/keys", (200, {"keys": [{"kty": "RSA", "n": "%", "e": "AQAB"}]})),
        ],
    )
    def test_that_answers_oddly_gets_a_page(
        self, browser: TestClient, issuer: Issuer, path: str, answer: tuple[int, object]
    ) -> None:
        issuer.answers[path] = answer

        shown = come_back(browser)

        assert shown.status_code in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.UNAUTHORIZED}
        assert "Begin again" in shown.text

    def test_that_is_down_gets_a_page(
        self, browser: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PREDELLA_OIDC_ISSUER", "http://127.0.0.1:9")
        get_settings.cache_clear()

        answer = browser.get("/sign-in/oidc")

        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "does not answer" in answer.text

    def test_that_is_asked_too_often_is_spared(self, browser: TestClient) -> None:
        answers = [browser.get("/sign-in/oidc").status_code for _ in range(61)]

        assert answers == [HTTPStatus.SEE_OTHER] * 60 + [HTTPStatus.TOO_MANY_REQUESTS]

    def test_that_is_not_there_is_not_found(self, app: FastAPI, settings: Settings) -> None:
        assert settings.oidc_issuer is None
        browser = TestClient(app, base_url=DESK, follow_redirects=False)

        assert browser.get("/sign-in/oidc").status_code == HTTPStatus.NOT_FOUND
        assert browser.get("/sign-in/oidc/callback").status_code == HTTPStatus.NOT_FOUND
        assert "/sign-in/oidc" not in browser.get("/sign-in").text


class TestDoor:
    def test_shows_the_button_with_its_text(self, browser: TestClient) -> None:
        shown = browser.get("/sign-in?next=/desk/lots")

        assert "Museum account" in shown.text
        assert 'href="/sign-in/oidc?next=/desk/lots"' in shown.text

    def test_offers_to_sign_out_of_the_provider_too(self, browser: TestClient) -> None:
        come_back(browser)
        with db.transaction() as session:
            found = sessions.authenticate(session, browser.cookies["__Host-predella"]).session
            assert found is not None
            csrf = found.csrf

        answer = browser.post("/sign-out", data={"csrf": csrf})

        assert answer.headers["Location"] == "/sign-in?by_hand=true"
        shown = browser.get(answer.headers["Location"])
        assert "/end?client_id=predella" in shown.text
        assert "post_logout_redirect_uri=https%3A%2F%2Fdesk.example%2Fsign-in" in shown.text
        assert is_out(browser)

    def test_asks_for_no_password_where_none_counts(
        self, browser: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PREDELLA_PASSWORDS", "no")
        get_settings.cache_clear()
        with db.transaction() as session:
            ines = accounts.add(session, name="ines", display_name="I", roles=[Role.CURATOR])
            passwords.choose(session, ines, "a low horizon divides")

        form = {"name": "ines", "password": "a low horizon divides"}
        assert "password" not in browser.get("/sign-in").text
        assert browser.post("/sign-in", data=form).status_code == HTTPStatus.FORBIDDEN
        assert is_out(browser)
