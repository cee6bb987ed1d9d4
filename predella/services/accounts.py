"""Who may do what: accounts, their roles, and the tokens that they show at the door."""

import re
import secrets
from collections.abc import Collection as Names
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from predella import clock, ids
from predella.errors import (
    AuthenticationError,
    InvalidError,
    NameTakenError,
    NotFoundError,
    PermissionDeniedError,
    UnknownNamesError,
)
from predella.ids import AccountId, TokenId
from predella.models import Account, Role, Token, WebSession
from predella.services import audits

_GRANTS: dict[Role, frozenset[str]] = {
    Role.DIGITIZER: frozenset({"collections:read", "submissions:write"}),
    Role.CURATOR: frozenset({"collections:read", "reviews:write"}),
    Role.APPROVER: frozenset({"collections:read", "reviews:write", "approvals:write"}),
    Role.REGISTRAR: frozenset({"collections:read", "exports:write"}),
    # Running the house gives no say over what is published.
    Role.ADMIN: frozenset(
        {
            "collections:read",
            "collections:write",
            "submissions:write",
            "exports:write",
            "accounts:write",
            "metrics:read",
        }
    ),
}
SCOPES = frozenset[str]().union(*_GRANTS.values())

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,99}")
_TOKEN = re.compile(r"predella_([0-9a-f]{32})_[\w-]{43}", re.ASCII)
_NOTE_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Principal:
    """Who is asking, and what they may do with the token that they showed, or as signed in."""

    account: Account
    scopes: frozenset[str]
    session: WebSession | None = None
    """The session of the browser that they use; none for who shows a token."""

    def require(self, scope: str) -> None:
        """Go on only if this scope is among theirs.

        Raises:
            PermissionDeniedError: it is not; the message names it and the roles that give it.
        """
        if scope not in self.scopes:
            raise PermissionDeniedError(scope, roles=givers(scope))


def granted(roles: Names[str]) -> frozenset[str]:
    """Return every scope that these roles give together."""
    return frozenset[str]().union(*(_GRANTS[Role(role)] for role in roles))


def givers(scope: str) -> list[str]:
    """Return the roles that give this scope."""
    return [role.value for role, scopes in _GRANTS.items() if scope in scopes]


def add(session: Session, *, name: str, display_name: str, roles: Names[str]) -> Account:
    """Open an account for a person or a system.

    Raises:
        InvalidError: the name is malformed, the display name is empty, or there is no role.
        UnknownNamesError: a role is misspelt.
        NameTakenError: another account signs in with this name.
    """
    if not _NAME.fullmatch(name):
        raise InvalidError(
            f"{name!r} cannot be an account name: use up to 100 of a-z 0-9 . _ @ -, "
            "beginning with a letter or digit"
        )
    if not display_name.strip():
        raise InvalidError("say the name that stands under an approved text")
    account = Account(
        name=name, display_name=display_name.strip(), roles=_chosen("role", roles, set(Role))
    )
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError as error:
        raise NameTakenError("account", name) from error
    return account


def get(session: Session, account_id: AccountId) -> Account:
    """Return one account.

    Raises:
        NotFoundError: there is none.
    """
    account = session.get(Account, account_id)
    if account is None:
        raise NotFoundError("account", account_id)
    return account


def by_name(session: Session, name: str) -> Account:
    """Return the account that signs in with this name.

    Raises:
        NotFoundError: there is none.
    """
    account = session.scalar(select(Account).where(Account.name == name))
    if account is None:
        raise NotFoundError("account", name)
    return account


def listed(session: Session, *, after: UUID | None = None, limit: int = 200) -> Sequence[Account]:
    """Return accounts, oldest first, the disabled ones among them."""
    page = select(Account).order_by(Account.id).limit(limit)
    if after is not None:
        page = page.where(Account.id > after)
    return session.scalars(page).all()


def change_roles(session: Session, account: Account, roles: Names[str]) -> Account:
    """Choose all the roles that an account has; they hold at once.

    Raises:
        UnknownNamesError: a role is misspelt.
    """
    account.roles = _chosen("role", roles, set(Role)) if roles else []
    session.flush()
    return account


def disable(session: Session, account: Account) -> Account:
    """Close an account for good: from now on none of its tokens opens anything."""
    account.disabled_at = account.disabled_at or clock.now()
    session.flush()
    return account


def issue_token(
    session: Session,
    account: Account,
    *,
    name: str,
    scopes: Names[str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[Token, str]:
    """Make a key to the API, and return it with the secret, which is shown this once.

    Without ``scopes`` it may do what the account's roles allow today; a role given later
    does not widen it, a role taken away narrows it at once.

    Raises:
        InvalidError: it has no name, has expired already, or the account is disabled or
            may not do what is asked for.
        UnknownNamesError: a scope is misspelt.
    """
    if account.disabled_at is not None:
        raise InvalidError(f"the account {account.name!r} is disabled; it gets no tokens")
    if not name.strip():
        raise InvalidError("say what the token is for")
    if expires_at is not None and expires_at <= clock.now():
        raise InvalidError(f"the token would have expired already, on {expires_at:%Y-%m-%d}")
    token_id = ids.new()
    secret = f"predella_{token_id.hex}_{secrets.token_urlsafe(32)}"
    token = Token(
        id=token_id,
        account_id=account.id,
        name=name.strip(),
        sha256=sha256(secret.encode()).digest(),
        scopes=_grantable(account, scopes),
        expires_at=expires_at,
    )
    session.add(token)
    session.flush()
    return token, secret


def tokens(
    session: Session, account: Account, *, after: UUID | None = None, limit: int = 200
) -> Sequence[Token]:
    """Return the account's tokens, oldest first, the expired and revoked ones among them."""
    page = select(Token).where(Token.account_id == account.id).order_by(Token.id).limit(limit)
    if after is not None:
        page = page.where(Token.id > after)
    return session.scalars(page).all()


def revoke_token(session: Session, token_id: TokenId) -> Token:
    """Make a token useless from now on; doing it again changes nothing.

    Raises:
        NotFoundError: there is none.
    """
    token = session.get(Token, token_id)
    if token is None:
        raise NotFoundError("token", token_id)
    token.revoked_at = token.revoked_at or clock.now()
    session.flush()
    return token


def authenticate(session: Session, token: str) -> Principal:
    """Return whose token this is, and what it opens now; the transaction acts for its account.

    Raises:
        AuthenticationError: it is not one of ours, or it has expired, was revoked, or its
            account is disabled; only a caller who knows the secret learns which.
    """
    known = _find(session, token)
    if known is None or not compare_digest(known.sha256, sha256(token.encode()).digest()):
        raise AuthenticationError("this token is not one of ours")
    _require_open(known)
    _note_use(session, known)
    audits.act_for(session, known.account)
    return Principal(known.account, frozenset(known.scopes) & granted(known.account.roles))


def _find(session: Session, token: str) -> Token | None:
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        return None
    return session.scalar(
        select(Token).where(Token.id == UUID(parts[1])).options(joinedload(Token.account))
    )


def _require_open(token: Token) -> None:
    if token.revoked_at is not None:
        raise AuthenticationError(f"this token was revoked on {token.revoked_at:%Y-%m-%d}")
    if token.expires_at is not None and token.expires_at <= clock.now():
        raise AuthenticationError(f"this token expired on {token.expires_at:%Y-%m-%d}")
    if token.account.disabled_at is not None:
        raise AuthenticationError("the account of this token is disabled")


def _note_use(session: Session, token: Token) -> None:
    """Remember the use, at most once a minute, and never wait for another request's note."""
    now = clock.now()
    stale = or_(Token.last_used_at.is_(None), Token.last_used_at < now - _NOTE_USE_EVERY)
    if token.last_used_at is not None and token.last_used_at >= now - _NOTE_USE_EVERY:
        return
    free = select(Token.id).where(Token.id == token.id, stale).with_for_update(skip_locked=True)
    session.execute(update(Token).where(Token.id.in_(free)).values(last_used_at=now))


def _grantable(account: Account, scopes: Names[str] | None) -> list[str]:
    allowed = granted(account.roles)
    if scopes is None:
        return sorted(allowed)
    chosen = _chosen("scope", scopes, SCOPES)
    if beyond := set(chosen) - allowed:
        raise InvalidError(
            f"the roles of {account.name!r} ({', '.join(account.roles)}) do not give "
            f"{', '.join(sorted(beyond))}"
        )
    return chosen


def _chosen(noun: str, names: Names[str], known: Names[str]) -> list[str]:
    if not names:
        raise InvalidError(f"name at least one {noun}")
    if unknown := set(names) - set(known):
        raise UnknownNamesError(noun, unknown, known)
    return sorted(set(names))
