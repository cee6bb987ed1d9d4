"""Browsers that are away at the OpenID provider: what has to come back with them, once."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete
from sqlalchemy.orm import Session

from predella import clock
from predella.errors import AuthenticationError
from predella.models import SignInFlow

_LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class Begun:
    """What the provider is told when a browser is sent there."""

    state: str
    nonce: str
    verifier: str
    """Only its digest is told (RFC 7636, S256)."""


@dataclass(frozen=True)
class Returned:
    """What was asked of the provider for the browser that has come back."""

    nonce: str
    verifier: str
    back: str


def drawn() -> Begun:
    """Return what nobody can guess, for one browser."""
    return Begun(*(secrets.token_urlsafe(32) for _ in range(3)))


def begin(session: Session, begun: Begun, *, browser: str, back: str) -> None:
    """Send a browser away for at most ten minutes; ``browser`` is a secret that it keeps."""
    now = clock.now()
    session.execute(delete(SignInFlow).where(SignInFlow.expires_at <= now))
    session.add(
        SignInFlow(
            state_sha256=_digest(begun.state),
            browser_sha256=_digest(browser),
            nonce=begun.nonce,
            verifier=begun.verifier,
            back=back,
            expires_at=now + _LIFE,
        )
    )
    session.flush()


def finish(session: Session, state: str, *, browser: str) -> Returned:
    """Take a browser back; the same state brings nobody in a second time.

    Raises:
        AuthenticationError: it was taken back already, was away for too long, or another
            browser was sent.
    """
    found = session.execute(
        delete(SignInFlow)
        .where(
            SignInFlow.state_sha256 == _digest(state),
            SignInFlow.browser_sha256 == _digest(browser),
            SignInFlow.expires_at > clock.now(),
        )
        .returning(SignInFlow.nonce, SignInFlow.verifier, SignInFlow.back)
    ).one_or_none()
    if found is None:
        raise AuthenticationError(
            "this sign-in was begun more than 10 minutes ago, in another browser, or is done"
            " already; begin again"
        )
    return Returned(*found)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode(errors="surrogatepass")).digest()
