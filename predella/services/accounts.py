"""Who may do what: accounts, their roles, and the tokens that they show at the door."""

import re
import secrets
from collections.abc import Collection as Names
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from predella import clock, ids
from predella.errors import (
    AuthenticationError,
    InvalidError,
    LastAdminError,
    NameTakenError,
    NotFoundError,
    PermissionDeniedError,
    UnknownNamesError,
)
from predella.ids import AccountId, CollectionId, TokenId
from predella.models import Account, Collection, Membership, Role, Token, WebSession
from predella.services import audits, uses

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
_DECIDING = frozenset(
    {"collections:write", "submissions:write", "reviews:write", "approvals:write"}
)
"""Who may do one of these has to see what is closed: to decide on it, or on its gate."""
_OF_THE_HOUSE = frozenset({"accounts:write", "metrics:read"})
"""About no collection: only a role in the whole house gives them."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,99}")
_TOKEN = re.compile(r"predella_([0-9a-f]{32})_[\w-]{43}", re.ASCII)


@dataclass(frozen=True)
class Principal:
    """Who is asking, and what they may do with the token that they showed, or as signed in."""

    account: Account
    scopes: frozenset[str]
    """What they may do in the whole house."""
    memberships: Mapping[UUID, frozenset[str]]
    """What they may do in single collections, by their ids, whatever they may do elsewhere."""
    session: WebSession | None = None
    """The session of the browser that they use; none for who shows a token."""

    def scopes_in(self, collection_id: UUID) -> frozenset[str]:
        """Return what they may do in this collection."""
        return self.scopes | self.memberships.get(collection_id, frozenset())

    def may(self, scope: str, collection_id: UUID) -> bool:
        """Tell whether they may do this in this collection."""
        return scope in self.scopes_in(collection_id)

    def may_somewhere(self, scope: str) -> bool:
        """Tell whether there is a collection in which they may do this."""
        return scope in self.scopes or any(scope in one for one in self.memberships.values())

    def reach(self, scope: str) -> frozenset[CollectionId] | None:
        """Return in which collections they may do this; None for every one, now and later."""
        if scope in self.scopes:
            return None
        return frozenset(
            CollectionId(id_) for id_, scopes in self.memberships.items() if scope in scopes
        )

    def sees_closed(self, collection_id: UUID) -> bool:
        """Tell whether they see there what the museum has closed, as mere readers do not."""
        return not self.scopes_in(collection_id).isdisjoint(_DECIDING)

    @property
    def closed_reach(self) -> frozenset[CollectionId] | None:
        """Return in which collections they see what is closed; None for every one."""
        if not self.scopes.isdisjoint(_DECIDING):
            return None
        return frozenset(CollectionId(id_) for id_ in self.memberships if self.sees_closed(id_))

    def require(self, scope: str, collection: Collection | None = None) -> None:
        """Go on only if they may do this in this collection, or else in the whole house.

        Raises:
            PermissionDeniedError: they may not; the message names the scope, the roles that
                give it, and where.
        """
        if scope not in (self.scopes_in(collection.id) if collection else self.scopes):
            slug = collection.slug if collection else None
            raise PermissionDeniedError(scope, roles=givers(scope), collection=slug)

    def require_somewhere(self, scope: str) -> None:
        """Go on only if there is a collection in which they may do this.

        Raises:
            PermissionDeniedError: there is none.
        """
        if not self.may_somewhere(scope):
            raise PermissionDeniedError(scope, roles=givers(scope))


def principal(
    account: Account, *, token: Token | None = None, session: WebSession | None = None
) -> Principal:
    """Return what an account, read with its memberships, may do now; with a token, no more."""
    limit = SCOPES if token is None else frozenset(token.scopes)
    memberships = {
        one.collection_id: granted_in_one(one.roles) & limit for one in account.memberships
    }
    return Principal(account, granted(account.roles) & limit, memberships, session)


def granted(roles: Names[str]) -> frozenset[str]:
    """Return every scope that these roles give together."""
    return frozenset[str]().union(*(_GRANTS[Role(role)] for role in roles))


def granted_in_one(roles: Names[str]) -> frozenset[str]:
    """Return every scope that these roles give in a collection when they hold in it alone."""
    return granted(roles) - _OF_THE_HOUSE


def givers(scope: str) -> list[str]:
    """Return the roles that give this scope."""
    return [role.value for role, scopes in _GRANTS.items() if scope in scopes]


def add(session: Session, *, name: str, display_name: str, roles: Names[str]) -> Account:
    """Open an account for a person or a system.

    ``roles`` hold in every collection; without any it may do nothing until it is given one.

    Raises:
        InvalidError: the name is malformed or the display name is empty.
        UnknownNamesError: a role is misspelt.
        NameTakenError: another account signs in with this name.
    """
    if not _NAME.fullmatch(name):
        raise InvalidError(
            f"{name!r} cannot be an account name: use up to 100 of a-z 0-9 . _ @ -, "
            "beginning with a letter or digit"
        )
    account = Account(name=name, display_name=_shown(display_name), roles=known_roles(roles))
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError as error:
        raise NameTakenError("account", name) from error
    return account


def get(session: Session, account_id: AccountId, *, lock: bool = False) -> Account:
    """Return one account; locked, it stays so until the transaction ends.

    Raises:
        NotFoundError: there is none.
    """
    account = session.get(Account, account_id, with_for_update=lock)
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


def rename(session: Session, account: Account, display_name: str) -> Account:
    """Choose the name that stands under what the account decides, the earlier decisions too.

    Raises:
        InvalidError: the name is empty.
    """
    account.display_name = _shown(display_name)
    session.flush()
    return account


def change_roles(session: Session, account: Account, roles: Names[str]) -> Account:
    """Choose all the roles that an account has in every collection; they hold at once.

    What it may do in single collections stays: see `memberships`.

    Raises:
        UnknownNamesError: a role is misspelt.
        LastAdminError: it is the last open account with the role admin, and would lose it.
    """
    chosen = known_roles(roles)
    if Role.ADMIN not in chosen:
        _require_another_admin(session, account)
    account.roles = chosen
    session.flush()
    return account


def disable(session: Session, account: Account) -> Account:
    """Close an account for good: from now on none of its tokens opens anything.

    Raises:
        LastAdminError: it is the last open account with the role admin.
    """
    _require_another_admin(session, account)
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
        scopes=_grantable(session, account, scopes),
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
    uses.note(session, known, Token.last_used_at)
    audits.act_for(session, known.account)
    return principal(known.account, token=known)


def known_roles(roles: Names[str]) -> list[str]:
    """Return these roles, each once.

    Raises:
        UnknownNamesError: one is misspelt.
    """
    if unknown := set(roles) - set(Role):
        raise UnknownNamesError("role", unknown, set(Role))
    return sorted({Role(role).value for role in roles})


def _shown(display_name: str) -> str:
    if not display_name.strip():
        raise InvalidError("say the name that stands under an approved text")
    return display_name.strip()


def _require_another_admin(session: Session, account: Account) -> None:
    """Let one after the other leave: two at once would each see the other stay."""
    get(session, AccountId(account.id), lock=True)
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("predella admins"))))
    admins = session.scalars(
        select(Account.id)
        .where(Account.roles.contains([Role.ADMIN.value]), Account.disabled_at.is_(None))
        .limit(2)
    ).all()
    if list(admins) == [account.id]:
        raise LastAdminError(account.name)


def _find(session: Session, token: str) -> Token | None:
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        return None
    found = select(Token).where(Token.id == UUID(parts[1]))
    with_account = joinedload(Token.account).joinedload(Account.memberships)
    return session.scalars(found.options(with_account)).unique().one_or_none()


def _require_open(token: Token) -> None:
    if token.revoked_at is not None:
        raise AuthenticationError(f"this token was revoked on {token.revoked_at:%Y-%m-%d}")
    if token.expires_at is not None and token.expires_at <= clock.now():
        raise AuthenticationError(f"this token expired on {token.expires_at:%Y-%m-%d}")
    if token.account.disabled_at is not None:
        raise AuthenticationError("the account of this token is disabled")


def _grantable(session: Session, account: Account, scopes: Names[str] | None) -> list[str]:
    here = session.scalars(select(Membership.roles).where(Membership.account_id == account.id))
    allowed = granted(account.roles).union(*map(granted_in_one, here))
    if not allowed:
        raise InvalidError(f"{account.name!r} has no role yet; give it one first")
    if scopes is None:
        return sorted(allowed)
    if not scopes:
        raise InvalidError("name at least one scope")
    if unknown := set(scopes) - SCOPES:
        raise UnknownNamesError("scope", unknown, SCOPES)
    if beyond := set(scopes) - allowed:
        raise InvalidError(f"the roles of {account.name!r} do not give {', '.join(sorted(beyond))}")
    return sorted(set(scopes))
