"""A small OpenID provider over HTTP, strict about what it is asked and ready to misbehave."""

import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "predella desk", "s/cr+t"
Claims = dict[str, Any]


@cache
def rsa_key(kid: str) -> RSAKey:
    """Return the key of this name; making one takes a while."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


@dataclass
class Issuer:
    """The provider: who is signed in there, and how it answers."""

    url: str = ""
    person: Claims = field(
        default_factory=lambda: {
            "sub": "248289761001",
            "preferred_username": "Zoë.Ōe@museum.example",
            "name": "Zoë Ōe",
            "groups": ["curators", "everybody"],
        }
    )
    described: Claims = field(default_factory=dict)
    """What its description says otherwise."""
    changed: Claims = field(default_factory=dict)
    """What its tokens say otherwise; None leaves a claim out."""
    sign: Callable[["Issuer", Claims], str] | None = None
    """How it signs, if not with its key."""
    error: str | None = None
    """What it sends browsers back with in place of a code."""
    answers: Claims = field(default_factory=dict)
    """Paths that answer with this status and body, whatever is asked."""
    userinfo: Claims = field(default_factory=dict)
    key: RSAKey | ECKey = field(default_factory=lambda: rsa_key("first"))
    asked: list[str] = field(default_factory=list)
    """The paths that were asked for."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser goes: back, with a code."""
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        back = {"state": query["state"], "session_state": "kept", "iss": self.url}
        if self.error:
            back |= {"error": self.error, "error_description": "<b>no</b>"}
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = query
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        """Turn a code into tokens, once, for whoever knows its verifier."""
        name, _, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (unquote_plus(name), unquote_plus(secret)) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form["code"], None)
        digest = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest())
        challenge = digest.rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        assert asked["redirect_uri"] == form["redirect_uri"]
        self.tokens.add(access := secrets.token_urlsafe(16))
        token = self._id_token(asked)
        return 200, {"access_token": access, "token_type": "Bearer", "id_token": token}

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            **self.person,
            "iss": self.url,
            "aud": asked["client_id"],
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            **self.changed,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return (self.sign or signed)(self, claims)

    def description(self) -> Claims:
        """Say how it works."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize?tenant=a",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/end",
            "authorization_response_iss_parameter_supported": True,
            **self.described,
        }


def signed(issuer: Issuer, claims: Claims) -> str:
    """Sign as the provider should."""
    algorithm = "RS256" if issuer.key.key_type == "RSA" else "ES256"
    return jwt.encode({"alg": algorithm, "kid": issuer.key.kid}, claims, issuer.key)


class _Handler(BaseHTTPRequestHandler):
    issuer: ClassVar[Issuer]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.issuer.asked.append(parts.path)
        match parts.path:
            case path if path in self.issuer.answers:
                self._answer(*self.issuer.answers[path])
            case "/.well-known/openid-configuration":
                self._answer(200, self.issuer.description())
            case "/keys":
                self._answer(200, {"keys": [self.issuer.key.as_dict(private=False)]})
            case "/authorize":
                self.send_response(302)
                self.send_header("Location", self.issuer.authorize(query))
                self.end_headers()
            case "/userinfo":
                token = self.headers["Authorization"].removeprefix("Bearer ")
                self._answer(200 if token in self.issuer.tokens else 401, self.issuer.userinfo)
            case _:
                self._answer(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self.issuer.asked.append(self.path)
        if self.path in self.issuer.answers:
            self._answer(*self.issuer.answers[self.path])
            return
        self._answer(*self.issuer.token(form, self.headers.get("Authorization", "")))

    def _answer(self, status: int, body: object) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its base names it)
        """Say nothing."""


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Run a provider on this machine."""
    issuer = Issuer()
    handler = type("Handler", (_Handler,), {"issuer": issuer})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield issuer
        server.shutdown()
        thread.join()
