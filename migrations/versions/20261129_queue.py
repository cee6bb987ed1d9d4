"""an order at random that an index knows, the query of a lot, and an end of selections"""

import sqlalchemy as sa
from alembic import op

revision = "4b7e1d90c6f3"
down_revision = "775c7c95e166"

_KEPT = "selection", "selection_member"
_FOREIGN_KEY = "fk_selection_member_selection_id"

# A selection goes with its members once its time is over, and only then; one that was decided
# on is held by the foreign key of its reviews. Members go in no other way: see `_WRITTEN`.
_KEEP_UNTIL_IT_EXPIRES = """
CREATE TRIGGER keep_until_it_expires BEFORE DELETE ON selection
    FOR EACH ROW WHEN (OLD.expires_at > now()) EXECUTE FUNCTION predella_refuse_change()
"""


def _keep(table: str, what: str) -> None:
    op.execute(f"DROP TRIGGER keep ON {table}")
    op.execute(
        f"CREATE TRIGGER keep BEFORE {what} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION predella_refuse_change()"
    )


def _refer(ondelete: str | None) -> None:
    op.drop_constraint(_FOREIGN_KEY, "selection_member")
    op.create_foreign_key(
        _FOREIGN_KEY, "selection_member", "selection", ["selection_id"], ["id"], ondelete=ondelete
    )


def upgrade() -> None:
    op.create_index(
        "ix_standing_collection_shuffled",
        "standing",
        ["collection_id", "state", sa.text("md5(CAST(analysis_id AS text))"), "analysis_id"],
    )
    op.create_index(
        "ix_revision_account",
        "revision",
        ["account_id"],
        postgresql_where="account_id IS NOT NULL",
    )
    op.create_index("ix_selection_expires_at", "selection", ["expires_at"])
    op.add_column("lot", sa.Column("query", sa.String(), nullable=False, server_default=""))
    op.alter_column("lot", "query", server_default=None)
    for table in _KEPT:
        _keep(table, "UPDATE OR TRUNCATE")
    op.execute(_KEEP_UNTIL_IT_EXPIRES)
    _refer("CASCADE")


def downgrade() -> None:
    _refer(None)
    op.execute("DROP TRIGGER keep_until_it_expires ON selection")
    for table in _KEPT:
        _keep(table, "UPDATE OR DELETE OR TRUNCATE")
    op.drop_column("lot", "query")
    op.drop_index("ix_selection_expires_at", table_name="selection")
    op.drop_index("ix_revision_account", table_name="revision")
    op.drop_index("ix_standing_collection_shuffled", table_name="standing")
