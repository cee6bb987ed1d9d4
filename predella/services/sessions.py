"""Sessions: who is signed in with a browser, from which the account and its roles follow."""

import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from predella import clock
from predella.errors import AuthenticationError, InvalidError
from predella.models import Account, SignInLink, Way, WebSession
from predella.services import accounts, audits, uses
from predella.services.accounts import Principal

_IDLE = timedelta(hours=12)
_LIFE = timedelta(days=7)
_LINK_LIFE = timedelta(minutes=15)
_SHOWN = 200


def begin(
    session: Session, account: Account, *, way: Way = Way.PASSWORD, user_agent: str = ""
) -> str:
    """Sign an account in; return the secret for the cookie, which is nowhere else.

    Raises:
        InvalidError: the account is disabled.
    """
    if account.disabled_at is not None:
        raise InvalidError(f"the account {account.name!r} is disabled")
    secret, now = secrets.token_urlsafe(32), clock.now()
    begun = WebSession(
        account_id=account.id,
        sha256=_digest(secret),
        csrf=secrets.token_urlsafe(32),
        way=way,
        user_agent=user_agent[:_SHOWN],
        last_seen_at=now,
        expires_at=now + _LIFE,
    )
    session.add(begun)
    session.flush()
    _enter(session, "session.begun", begun.id, account, way=way)
    return secret


def authenticate(session: Session, secret: str) -> Principal:
    """Return who is signed in with this cookie, and what the account's roles allow now.

    Raises:
        AuthenticationError: nobody is, or no longer.
    """
    begun = select(WebSession).where(WebSession.sha256 == _digest(secret))
    with_account = joinedload(WebSession.account).joinedload(Account.memberships)
    found = session.scalars(begun.options(with_account)).unique().one_or_none()
    now = clock.now()
    if (
        found is None
        or found.ended_at is not None
        or found.account.disabled_at is not None
        or now >= min(found.expires_at, found.last_seen_at + _IDLE)
    ):
        raise AuthenticationError("you are signed out; sign in again")
    uses.note(session, found, WebSession.last_seen_at)
    audits.act_for(session, found.account)
    return accounts.principal(found.account, session=found)


def end(session: Session, found: WebSession) -> None:
    """Sign out: the cookie opens nothing any more."""
    found.ended_at = clock.now()
    session.flush()
    _enter(session, "session.ended", found.id, found.account)


def end_of(session: Session, secret: str) -> None:
    """Sign out whoever is signed in with this cookie, if anybody is."""
    session.execute(
        update(WebSession)
        .where(WebSession.sha256 == _digest(secret), WebSession.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


def end_all(session: Session, account: Account) -> int:
    """Sign an account out wherever it is signed in; return how often it was."""
    ended = session.scalars(
        update(WebSession)
        .where(WebSession.account_id == account.id, WebSession.ended_at.is_(None))
        .values(ended_at=clock.now())
        .returning(WebSession.id)
    )
    ids = ended.all()
    for id_ in ids:
        _enter(session, "session.ended", id_, account)
    return len(ids)


def make_link(session: Session, account: Account) -> str:
    """Return the secret of an address that signs the account in, once, within 15 minutes.

    Raises:
        InvalidError: the account is disabled.
    """
    if account.disabled_at is not None:
        raise InvalidError(f"the account {account.name!r} is disabled")
    secret = secrets.token_urlsafe(32)
    link = SignInLink(
        account_id=account.id, sha256=_digest(secret), expires_at=clock.now() + _LINK_LIFE
    )
    session.add(link)
    session.flush()
    return secret


def follow_link(session: Session, secret: str) -> Account:
    """Use up such an address; return whose it is.

    Raises:
        AuthenticationError: it was used, is too old, or never was one.
    """
    link = session.scalar(
        select(SignInLink)
        .where(SignInLink.sha256 == _digest(secret))
        .options(joinedload(SignInLink.account))
        .with_for_update(of=SignInLink)
    )
    if link is None or link.used_at is not None or link.expires_at <= clock.now():
        raise AuthenticationError("this link was used already or is older than 15 minutes")
    link.used_at = clock.now()
    session.flush()
    return link.account


def _enter(
    session: Session, action: str, session_id: UUID, account: Account, **details: str
) -> None:
    audits.note(
        session,
        action=action,
        subject_kind="session",
        subject_id=session_id,
        account=account,
        details=details,
    )


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
