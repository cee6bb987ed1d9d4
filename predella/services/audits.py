"""The audit log: who did what, in a chain that shows when a link was changed.

Triggers enter what is decided, handed in, exported and changed in the house, so that nothing of
it can happen without an entry. Entries are sealed into the chain once their transaction has
committed: deciding never waits for somebody else's deciding.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, text
from sqlalchemy.orm import Session

from predella.models import Account, AuditEntry

_AT_ONCE = 5_000

# Spelt out here, not asked from the function that seals: who can change entries can change that.
_LINKS = text("""
    SELECT number, seq, previous_hash, hash, sha256(coalesce(previous_hash, ''::bytea)
        || convert_to(jsonb_build_array(number, seq, extract(epoch FROM at), account_id,
            account_name, action, subject_kind, subject_id, collection_id, details)::text,
            'UTF8')) AS computed
    FROM audit_entry WHERE number > :after ORDER BY number LIMIT :at_once
""")

# A head that an export remembers and the chain lacks: the chain was cut, or written anew.
_LOST_HEADS = text("""
    SELECT id, audit_head FROM export WHERE audit_head IS NOT NULL
        AND NOT EXISTS (SELECT FROM audit_entry WHERE hash = audit_head)
    ORDER BY id LIMIT 1
""")


@dataclass(frozen=True)
class Break:
    """The first place where the chain does not hold."""

    number: int | None
    """The entry's place in the chain; None where an export remembers a head that is gone."""
    what: str


@dataclass(frozen=True)
class Verdict:
    """What verifying the whole log found."""

    sealed: int
    """Entries that hold, from the first one on."""
    unsealed: int
    """Entries so new that no seal protects them yet."""
    head: bytes | None
    """The newest hash that holds."""
    broken: Break | None


def act_for(session: Session, account: Account) -> None:
    """Enter what this transaction changes in the house under this account."""
    session.execute(select(func.set_config("predella.actor", str(account.id), True)))  # noqa: FBT003  (SQL takes it by place)


def note(
    session: Session,
    *,
    action: str,
    subject_kind: str,
    subject_id: UUID | str,
    account: Account | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Enter what leaves no row of its own, such as a sign-in: ``session.opened``.

    What the database enters by itself cannot be noted: it refuses to be told of decisions.
    """
    session.execute(
        insert(AuditEntry)
        .inline()
        .values(
            account_id=account.id if account else None,
            account_name=account.name if account else None,
            action=action,
            subject_kind=subject_kind,
            subject_id=str(subject_id),
            details=dict(details or {}),
        )
    )


def seal(session: Session) -> bytes | None:
    """Chain every entry whose transaction has committed; return the newest hash of the chain."""
    head: bytes | None = session.scalar(text("SELECT predella_seal_audit()"))
    return head


def listed(session: Session, *, after: int = 0, limit: int = 50) -> Sequence[AuditEntry]:
    """Return entries, the oldest first; ``after`` is the ``seq`` of one."""
    page = select(AuditEntry).where(AuditEntry.seq > after).order_by(AuditEntry.seq).limit(limit)
    return session.scalars(page).all()


def verify(session: Session) -> Verdict:
    """Compute every hash anew, and look up every head that an export remembers."""
    sealed, head, broken = 0, None, None
    for link in _links(session):
        broken = _fault(link, number=sealed + 1, previous=head)
        if broken is not None:
            break
        sealed, head = link.number, link.hash
    unsealed = select(func.count()).where(AuditEntry.hash.is_(None))
    return Verdict(
        sealed=sealed,
        unsealed=session.scalar(unsealed) or 0,
        head=head,
        broken=broken or _lost_head(session),
    )


def _links(session: Session) -> Iterator[Row[Any]]:
    after = 0
    while links := session.execute(_LINKS, {"after": after, "at_once": _AT_ONCE}).all():
        yield from links
        after = links[-1].number


def _fault(link: Row[Any], *, number: int, previous: bytes | None) -> Break | None:
    if link.number != number:
        return Break(number, "the entry is gone")
    if link.previous_hash != previous:
        return Break(number, "it does not follow the entry before it")
    if link.hash != link.computed:
        return Break(number, f"what it says was changed (seq {link.seq})")
    return None


def _lost_head(session: Session) -> Break | None:
    lost = session.execute(_LOST_HEADS).one_or_none()
    if lost is None:
        return None
    return Break(
        None, f"export {lost.id} was written at head {lost.audit_head.hex()}, which is gone"
    )
