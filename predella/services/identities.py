"""People for whom an OpenID provider vouches: which account is theirs, and its roles.

An account is bound to the provider and to what it calls somebody for ever (``iss`` and ``sub``,
OpenID Connect Core 1.0, 5.7), never to a name or an address, which may pass to somebody else.
"""

import csv
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from unicodedata import combining, normalize

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from predella.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    SignInRefusedError,
    UnknownNamesError,
)
from predella.models import Account, ExternalIdentity, Role
from predella.services import accounts, audits, sessions


@dataclass(frozen=True)
class Person:
    """What a provider says of somebody."""

    issuer: str
    subject: str
    name: str
    display_name: str
    groups: AbstractSet[str]


def roles_of(setting: str) -> dict[str, frozenset[Role]]:
    """Return which roles a group gives, from ``group=role,group=role``.

    A group may stand there several times; it may hold spaces and ``=``. Where it holds a comma the
    pair is put in quotes, as in a CSV file: ``"prints, drawings=role"``.

    Raises:
        InvalidError: a part is no pair, or there is none.
        UnknownNamesError: a role is misspelt.
    """
    found: dict[str, frozenset[Role]] = {}
    for pair in filter(None, (part.strip() for part in _parted(setting))):
        group, _, role = (part.strip() for part in pair.rpartition("="))
        if not group:
            raise InvalidError(f"PREDELLA_OIDC_ROLES: {pair!r} is not written as group=role")
        if role not in set(Role):
            raise UnknownNamesError("role in PREDELLA_OIDC_ROLES", {role}, set(Role))
        found[group] = found.get(group, frozenset()) | {Role(role)}
    if not found:
        raise InvalidError("PREDELLA_OIDC_ROLES names no group; write group=role,group=role")
    return found


def _parted(setting: str) -> list[str]:
    try:
        rows = list(csv.reader(setting.splitlines(), skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise InvalidError(
            f"PREDELLA_OIDC_ROLES: {error}; quotes go around a whole pair,"
            ' as in "prints, drawings=curator"'
        ) from error
    return [pair for row in rows for pair in row]


def sign_in(
    session: Session, person: Person, *, mapping: Mapping[str, AbstractSet[Role]]
) -> Account:
    """Return the account of somebody, opened if it is their first time; its roles follow.

    What a refusal changed stands: somebody who is in no group any more has lost their roles.

    Raises:
        SignInRefusedError: none of their groups gives a role, the account is disabled, or the
            name that a new account would have is taken or cannot be one.
        ConflictError: the roles must not be taken away.
    """
    roles = frozenset[Role]().union(*(mapping[group] for group in person.groups & mapping.keys()))
    account = _account(session, person)
    if account is None and roles:
        account = _open(session, person, roles)
    if account is not None:
        _follow(session, account, roles)
    if account is None or not roles:
        raise _refused(
            session,
            person,
            f"you are in none of the groups that give a role here ({', '.join(sorted(mapping))});"
            " ask whoever keeps your groups",
        )
    return account


def link(session: Session, account: Account, *, issuer: str, subject: str) -> ExternalIdentity:
    """Let somebody for whom a provider vouches sign in to this account.

    Raises:
        InvalidError: the issuer or the subject is empty.
        ConflictError: they sign in to an account already.
    """
    if not issuer.strip() or not subject.strip():
        raise InvalidError("name the provider (issuer) and what it calls the person (subject)")
    identity = ExternalIdentity(account=account, issuer=issuer, subject=subject)
    try:
        with session.begin_nested():
            session.add(identity)
    except IntegrityError as error:
        raise ConflictError(
            f"{subject!r} of {issuer} signs in to an account already; unlink it there first"
        ) from error
    return identity


def unlink(session: Session, account: Account, *, issuer: str, subject: str) -> None:
    """Let them in no longer, and sign the account out everywhere.

    Raises:
        NotFoundError: they do not sign in to this account.
    """
    identity = _identity(session, issuer, subject)
    if identity is None or identity.account_id != account.id:
        raise NotFoundError(f"identity of {account.name!r}:", f"{subject!r} of {issuer}")
    session.delete(identity)
    sessions.end_all(session, account)
    session.flush()


def listed(session: Session, account: Account) -> Sequence[ExternalIdentity]:
    """Return who signs in to this account through a provider, oldest first."""
    return session.scalars(
        select(ExternalIdentity)
        .where(ExternalIdentity.account_id == account.id)
        .order_by(ExternalIdentity.id)
    ).all()


def _account(session: Session, person: Person) -> Account | None:
    identity = _identity(session, person.issuer, person.subject)
    if identity is None:
        return None
    if identity.account.disabled_at is not None:
        raise _refused(
            session, person, "your account is disabled; ask whoever runs predella for you"
        )
    return identity.account


def _identity(session: Session, issuer: str, subject: str) -> ExternalIdentity | None:
    return session.scalar(
        select(ExternalIdentity)
        .where(ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject)
        .options(joinedload(ExternalIdentity.account))
    )


def _open(session: Session, person: Person, roles: AbstractSet[Role]) -> Account:
    name = _plain(person.name)
    try:
        with session.begin_nested():
            account = accounts.add(
                session, name=name, display_name=person.display_name or person.name, roles=roles
            )
            link(session, account, issuer=person.issuer, subject=person.subject)
    except ConflictError:
        # Two first sign-ins at once: the other one has opened it.
        if (opened := _account(session, person)) is not None:
            return opened
        raise _refused(session, person, _taken(person, name)) from None
    except InvalidError as error:
        raise _refused(session, person, str(error)) from error
    return account


def _follow(session: Session, account: Account, roles: AbstractSet[Role]) -> None:
    if set(account.roles) != roles:
        accounts.change_roles(session, account, roles)
    if not roles:
        sessions.end_all(session, account)


def _plain(name: str) -> str:
    """Return a name as accounts have them: in small letters, without accents."""
    parts = normalize("NFKD", name.strip()).casefold()
    return "".join(letter for letter in parts if not combining(letter))


def _taken(person: Person, name: str) -> str:
    return (
        f"there is an account {name!r} already, and it is not linked to you; if it is yours, have"
        f" whoever runs predella link it: predella account link {name}"
        f" --issuer {person.issuer} --subject {person.subject}"
    )


def _refused(session: Session, person: Person, why: str) -> SignInRefusedError:
    """Enter the refusal, and return it."""
    audits.note(
        session,
        action="sign_in.refused",
        subject_kind="identity",
        subject_id=person.subject,
        details={"issuer": person.issuer, "name": person.name, "why": why},
    )
    return SignInRefusedError(why)
