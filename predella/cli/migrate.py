"""``predella migrate``: the schema, and the rights of the service's role."""

from sqlalchemy import create_engine

from predella import migrate as schema
from predella.cli.output import err
from predella.settings import get_settings


def migrate() -> None:
    """Bring the database to the newest schema; needs the role that owns it.

    The service's own role (PREDELLA_DATABASE_URL) is made if it is not there, and gets just
    the rights that it needs.
    """
    settings = get_settings()
    owner = settings.owner_database_url or settings.database_url
    engine = create_engine(owner.get_secret_value())
    schema.make_ready(engine, settings)
    engine.dispose()
    err.print("the database is ready")
