"""Whether the parts that we stand on answer now."""

from sqlalchemy import select

from predella import db
from predella.settings import get_settings
from predella.storage import Store


def ask_database() -> None:
    """Return if the database answers.

    Raises:
        sqlalchemy.exc.OperationalError: it does not.
    """
    with db.transaction() as session:
        session.execute(select(1))


def ask_store(store: Store) -> None:
    """Return if the object store answers and lets us look into our own bucket.

    Raises:
        PredellaError: it does not, or there is no such bucket.
    """
    next(store.list(get_settings().bucket, "readyz/"), None)
