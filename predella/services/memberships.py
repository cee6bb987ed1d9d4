"""Memberships: the roles that an account has in one collection only."""

from collections.abc import Collection as Names
from collections.abc import Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from predella.ids import CollectionId
from predella.models import Account, Collection, Membership
from predella.services import accounts


def of(session: Session, account: Account) -> Sequence[Membership]:
    """Return what an account may do in single collections, with these, by their slugs."""
    return session.scalars(
        select(Membership)
        .join(Collection, Collection.id == Membership.collection_id)
        .where(Membership.account_id == account.id)
        .order_by(Collection.slug)
        .options(joinedload(Membership.collection))
        .execution_options(populate_existing=True)
    ).all()


def change(
    session: Session, account: Account, collection: Collection, roles: Names[str]
) -> list[str]:
    """Choose all the roles that an account has in this collection alone; they hold at once.

    Those that it has in every collection stay. Without any it is a stranger here again, as far
    as those do not say otherwise. Said twice it is said once.

    Raises:
        UnknownNamesError: a role is misspelt.
    """
    chosen = accounts.known_roles(roles)
    here = {"account_id": account.id, "collection_id": collection.id}
    if chosen:
        kept = insert(Membership).values(**here, roles=chosen)
        session.execute(
            kept.on_conflict_do_update(index_elements=list(here), set_={"roles": chosen})
        )
    else:
        session.execute(delete(Membership).filter_by(**here))
    session.expire(account, ["memberships"])
    return chosen


def may(session: Session, account: Account, scope: str, collection: Collection) -> bool:
    """Tell whether the roles of an account, here or everywhere, let it do this here."""
    here = session.get(Membership, (account.id, collection.id), populate_existing=True)
    roles = here.roles if here else ()
    return scope in accounts.granted(account.roles) | accounts.granted_in_one(roles)


def reviewers(session: Session, collection_id: CollectionId) -> Sequence[Account]:
    """Return the open accounts that may review in this collection, oldest first."""
    able = accounts.givers("reviews:write")
    here = select(Membership.account_id).where(
        Membership.collection_id == collection_id, Membership.roles.overlap(able)
    )
    return session.scalars(
        select(Account)
        .where(
            Account.disabled_at.is_(None), or_(Account.roles.overlap(able), Account.id.in_(here))
        )
        .order_by(Account.id)
    ).all()
