"""The OpenID provider: where it sends browsers, and for whom it vouches.

The authorization code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9700). Its
tokens are read once and not kept.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any
from unicodedata import category, normalize
from urllib.parse import quote_plus

import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from api.discovery import Description, ask, told
from predella import clock
from predella.errors import AuthenticationError
from predella.services.identities import Person
from predella.services.sign_in_flows import Begun, Returned
from predella.settings import Settings, get_settings

log = structlog.get_logger()

CALLBACK = "/sign-in/oidc/callback"

# Signatures that only the provider can make: never one with a secret that is shared, or none.
_ALGORITHMS = ("RS256", "ES256")
_SKEW_SECONDS = 60
_LONGEST = 255
"""Characters of a subject (OpenID Connect Core 1.0, 2) and of a name."""


class Provider:
    """One OpenID provider, as its own description says it works."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oidc_issuer or ""
        self._client_id = settings.oidc_client_id or ""
        self._settings = settings
        self._description = Description(self._issuer)
        self._keys: KeySet | None = None

    def authorization_address(self, begun: Begun) -> str:
        """Return where a browser is sent.

        Raises:
            UnavailableError: the provider does not answer as one.
        """
        digest = urlsafe_b64encode(sha256(begun.verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._settings.oidc_scopes,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": digest.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return str(self._description.endpoint("authorization_endpoint").copy_merge_params(asked))

    def end_session_address(self) -> str | None:
        """Return where a browser signs out of the provider, if it offers that.

        Raises:
            UnavailableError: the provider does not answer as one.
        """
        if "end_session_endpoint" not in self._description.says():
            return None
        asked = {
            "client_id": self._client_id,
            "post_logout_redirect_uri": f"{self._settings.desk_url}/sign-in",
        }
        return str(self._description.endpoint("end_session_endpoint").copy_merge_params(asked))

    def identify(self, code: str, returned: Returned, *, issuer: str | None) -> Person:
        """Return for whom the provider vouches with this code.

        ``issuer`` is who says that it sent the browser back (RFC 9207).

        Raises:
            AuthenticationError: it vouches for nobody, or somebody else pretends to be it.
            UnavailableError: the provider does not answer as one.
        """
        self._require_own(issuer)
        tokens = self._exchange(code, returned.verifier)
        claims = self._claims(tokens.get("id_token"), nonce=returned.nonce)
        return self._person(self._with_groups(claims, tokens.get("access_token")))

    @property
    def _redirect_uri(self) -> str:
        return f"{self._settings.desk_url}{CALLBACK}"

    def _require_own(self, issuer: str | None) -> None:
        promised = self._description.says().get("authorization_response_iss_parameter_supported")
        if issuer != self._issuer and (issuer is not None or promised):
            raise AuthenticationError(
                "another provider than the one set up here sent you back; begin again"
            )

    def _exchange(self, code: str, verifier: str) -> Mapping[str, Any]:
        """Turn the code into tokens; it works once."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        auth = None
        if (secret := self._settings.oidc_client_secret) is None:
            form["client_id"] = self._client_id
        elif self._takes_basic():
            # RFC 6749, 2.3.1: both are encoded as in a form first.
            auth = (quote_plus(self._client_id), quote_plus(secret.get_secret_value()))
        else:
            form |= {"client_id": self._client_id, "client_secret": secret.get_secret_value()}
        answer = ask("POST", self._description.endpoint("token_endpoint"), data=form, auth=auth)
        tokens = told(answer)
        if answer.is_success:
            return tokens
        log.warning("oidc_code_refused", status=answer.status_code, error=str(tokens.get("error")))
        raise AuthenticationError(
            "the provider does not take the code that you came back with: it was used already or"
            " is too old; begin again"
        )

    def _takes_basic(self) -> bool:
        methods = self._description.says().get("token_endpoint_auth_methods_supported")
        return methods is None or "client_secret_basic" in methods

    def _claims(self, token: object, *, nonce: str) -> dict[str, Any]:
        """Return what the token says, once it is proved to be the provider's answer to us."""
        if not isinstance(token, str):
            raise AuthenticationError("the provider sent no token that says who you are")
        try:
            claims = self._verified(token).claims
            others = isinstance(claims.get("aud"), list) and len(claims["aud"]) > 1
            jwt.JWTClaimsRegistry(
                now=int(clock.now().timestamp()),
                leeway=_SKEW_SECONDS,
                iss={"essential": True, "value": self._issuer},
                sub={"essential": True},
                aud={"essential": True, "value": self._client_id},
                azp={"essential": others, "value": self._client_id},
                nonce={"essential": True, "value": nonce},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(claims)
        except JoseError as error:
            log.warning("oidc_token_refused", reason=str(error))
            raise AuthenticationError(
                "the provider's token does not hold: it is not for predella, not for this"
                " sign-in, or not in time; begin again, and if it happens again, tell whoever runs"
                " predella for you"
            ) from error
        return claims

    def _verified(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._keys or self._fetched_keys(), algorithms=_ALGORITHMS)
        except InvalidKeyIdError:
            # The provider may have changed its keys since we looked.
            return jwt.decode(token, self._fetched_keys(), algorithms=_ALGORITHMS)

    def _fetched_keys(self) -> KeySet:
        self._keys = self._description.fetched_keys()
        return self._keys

    def _with_groups(self, claims: dict[str, Any], access_token: object) -> dict[str, Any]:
        """Ask for the groups where the token lacks them, as some providers have it."""
        asked = "userinfo_endpoint" in self._description.says() and isinstance(access_token, str)
        if self._settings.oidc_groups_claim in claims or not asked:
            return claims
        headers = {"Authorization": f"Bearer {access_token}"}
        address = self._description.endpoint("userinfo_endpoint")
        info = told(ask("GET", address, headers=headers))
        if info.get("sub") != claims["sub"]:
            raise AuthenticationError("the provider tells of somebody else than you; begin again")
        return {**info, **claims}

    def _person(self, claims: Mapping[str, Any]) -> Person:
        settings = self._settings
        name = _words(claims.get(settings.oidc_name_claim))
        if claims["sub"] != _words(claims["sub"]):
            raise AuthenticationError("the provider calls you by something that cannot be kept")
        if not name:
            raise AuthenticationError(
                f"the provider does not say what you are called: it sends no"
                f" {settings.oidc_name_claim!r}; see PREDELLA_OIDC_NAME_CLAIM"
            )
        groups = claims.get(settings.oidc_groups_claim)
        listed = groups if isinstance(groups, list) else [groups]
        return Person(
            issuer=self._issuer,
            subject=claims["sub"],
            name=name,
            display_name=_words(claims.get(settings.oidc_display_claim)),
            groups=frozenset(group for group in listed if isinstance(group, str)),
        )


@cache
def provider() -> Provider | None:
    """Return the provider that people sign in with, if there is one."""
    settings = get_settings()
    return Provider(settings) if settings.oidc_issuer else None


def _words(claim: object) -> str:
    """Return a claim as one line of text; nothing where it is none."""
    if not isinstance(claim, str):
        return ""
    line = " ".join(normalize("NFC", claim).split())
    return "".join(letter for letter in line if category(letter) not in {"Cc", "Cs"})[:_LONGEST]
