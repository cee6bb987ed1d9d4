"""Alembic's entry point."""

from alembic import context

from predella import db
from predella.models import Base

engine = context.config.attributes.get("engine") or db.engine()
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        # Two processes that start together migrate one after the other.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('predella.migrate'))")
        context.run_migrations()
