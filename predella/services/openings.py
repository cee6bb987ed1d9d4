"""Openings: which wording was open before whom. Nobody approves what they have not had open."""

from collections.abc import Collection as Ids
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from predella import clock
from predella.models import Account, Opening, Revision


def note(session: Session, *revisions: Revision, account: Account) -> None:
    """Remember that these wordings are open before this account; the first time counts."""
    rows = [
        {
            "revision_id": one.id,
            "account_id": account.id,
            "analysis_id": one.analysis_id,
            "revision_sha256": one.sha256,
            "created_at": clock.now(),
        }
        # In one order: two that note the same never wait for each other in a circle.
        for one in sorted(revisions, key=lambda revision: revision.id)
    ]
    if rows:
        session.execute(insert(Opening).values(rows).on_conflict_do_nothing())


def opened(session: Session, revision_ids: Ids[UUID], *, account: Account) -> set[UUID]:
    """Return which of these wordings this account has had open."""
    return set(
        session.scalars(
            select(Opening.revision_id).where(
                Opening.revision_id.in_(revision_ids), Opening.account_id == account.id
            )
        )
    )
