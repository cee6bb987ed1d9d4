"""Passwords: kept as argon2id, and tried at most so often."""

from datetime import timedelta
from functools import cache
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from predella import clock
from predella.errors import InvalidError, TooManyError
from predella.models import Account, SignInFailure
from predella.services import sessions

LEAST, MOST = 12, 1_000
"""Characters of a password."""
_WINDOW = timedelta(minutes=15)
_TRIES_OF_NAME, _TRIES_OF_ADDRESS = 10, 30
_SHOWN = 100
# One comparison takes 64 MiB; a burst of them must not take the memory of the house.
_few = BoundedSemaphore(4)
_COMMON = frozenset(
    {
        *("123456789012", "1234567890123", "passwordpassword", "password1234", "qwertyuiop12"),
        *("qwertyuiopas", "111111111111", "000000000000", "abcdefghijkl", "administrator"),
        *("letmeinletmein", "iloveyouiloveyou", "welcomewelcome", "changemechangeme"),
    }
)


def choose(session: Session, account: Account, password: str) -> None:
    """Let an account sign in with this password from now on, and sign it out everywhere.

    Length is what counts (NIST SP 800-63B, 5.1.1.2): nobody is made to use signs or figures.

    Raises:
        InvalidError: it is too short, too long, among the commonest, or the account's name.
    """
    if not LEAST <= len(password) <= MOST:
        raise InvalidError(f"a password has {LEAST} to {MOST:,} characters; several words are fine")
    plain = password.casefold()
    if plain in _COMMON or len(set(plain)) < LEAST // 3 or account.name in plain:
        raise InvalidError("this password is easily guessed; take several words")
    with _few:
        account.password_hash = _hasher().hash(password)
    sessions.end_all(session, account)
    session.flush()


def verify(session: Session, name: str, password: str, *, address: str) -> Account | None:
    """Return the account that signs in with this name and password, or note that none does.

    It takes as long for a name that nobody has.

    Raises:
        TooManyError: this name, or this address, has failed too often of late.
    """
    name = name[:_SHOWN].replace("\0", "")
    _take_turns(session, name, address)
    _require_patience(session, name, address)
    account = session.scalar(select(Account).where(Account.name == name))
    kept = account.password_hash if account else None
    with _few:
        fits = _hasher().verify(password[: MOST + 1], kept or _nobodys())
    if account is not None and kept is not None and fits and account.disabled_at is None:
        return account
    session.add(SignInFailure(name=name, address=address))
    session.flush()
    return None


def _take_turns(session: Session, name: str, address: str) -> None:
    """Wait for whoever tries this name, then for whoever tries from this address.

    Tries at once would each see the failures before them, and none of one another.
    """
    for held in (f"name {name}", f"address {address}"):
        key = func.hashtextextended(f"predella.sign-in {held}", 0)
        session.execute(select(func.pg_advisory_xact_lock(key)))


def _require_patience(session: Session, name: str, address: str) -> None:
    """Count failures since the window began, under this name and from this address."""
    since = clock.now() - _WINDOW
    of_name, of_address, first = session.execute(
        select(
            func.count().filter(SignInFailure.name == name),
            func.count().filter(SignInFailure.address == address),
            func.min(SignInFailure.created_at),
        ).where(
            SignInFailure.created_at > since,
            or_(SignInFailure.name == name, SignInFailure.address == address),
        )
    ).one()
    if of_name >= _TRIES_OF_NAME or of_address >= _TRIES_OF_ADDRESS:
        raise TooManyError("too many tries to sign in", wait=(first - since).total_seconds())


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys() -> str:
    return _hasher().hash("the password of nobody at all")
