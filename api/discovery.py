"""What an OpenID provider publishes: its addresses and its keys (OpenID Connect Discovery 1.0)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx2
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from predella import clock
from predella.errors import UnavailableError

log = structlog.get_logger()

_KEY_TYPES = frozenset({"RSA", "EC"})
_TIMEOUT_SECONDS = 5.0
_FRESH = timedelta(hours=1)


class Description:
    """What one provider says of itself."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._said: Mapping[str, Any] = {}
        self._at = clock.now()

    def endpoint(self, name: str) -> httpx2.URL:
        """Return one of the addresses that it names.

        Raises:
            UnavailableError: it names none that may be used.
        """
        try:
            address = httpx2.URL(self.says().get(name, ""))
        except (httpx2.InvalidURL, TypeError) as error:
            raise odd(f"names no {name} that can be read") from error
        # A provider on this machine, as tests have it, speaks plain HTTP.
        if not address.host or address.scheme not in {"https", httpx2.URL(self._issuer).scheme}:
            raise odd(f"names no {name} that is encrypted")
        return address

    def says(self) -> Mapping[str, Any]:
        """Return what the provider says of itself, asked for once an hour.

        Raises:
            UnavailableError: it says nothing, or calls itself otherwise.
        """
        if not self._said or clock.now() - self._at > _FRESH:
            address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            said = told(ask("GET", address))
            if said.get("issuer") != self._issuer:
                raise odd(f"calls itself {said.get('issuer')!r}, not {self._issuer!r}")
            self._said, self._at = said, clock.now()
        return self._said

    def fetched_keys(self) -> KeySet:
        """Return the keys that it signs with now.

        Raises:
            UnavailableError: it publishes none that can be read.
        """
        published = told(ask("GET", self.endpoint("jwks_uri"))).get("keys")
        usable: list[Any] = [
            key
            for key in (published if isinstance(published, list) else ())
            if isinstance(key, dict) and key.get("kty") in _KEY_TYPES and key.get("use") != "enc"
        ]
        try:
            return KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError) as error:
            raise odd("publishes no keys that can be read") from error


def ask(
    method: str,
    address: str | httpx2.URL,
    *,
    data: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx2.Response:
    """Return what an address of the provider answers.

    Raises:
        UnavailableError: it does not, or says that it is broken.
    """
    try:
        answer = httpx2.request(
            method, address, data=data, auth=auth, headers=headers, timeout=_TIMEOUT_SECONDS
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        log.warning("oidc_unavailable", address=str(address), reason=str(error))
        raise UnavailableError(
            "the sign-in provider does not answer; try again in a moment, or sign in in another way"
        ) from error
    if answer.is_server_error:
        raise odd(f"answered {answer.status_code}")
    return answer


def told(answer: httpx2.Response) -> Mapping[str, Any]:
    """Return the JSON object in an answer.

    Raises:
        UnavailableError: there is none.
    """
    try:
        content = answer.json()
    except ValueError as error:
        raise odd("answered with something that is not JSON") from error
    if not isinstance(content, dict):
        raise odd("answered with something else than an object")
    return content


def odd(what: str) -> UnavailableError:
    """Log that the provider does not behave as one, and return the error that says so."""
    log.warning("oidc_odd", what=what)
    return UnavailableError(f"the sign-in provider {what}; tell whoever runs predella for you")
