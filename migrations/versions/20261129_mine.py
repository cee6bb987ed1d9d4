"""whose newest step a standing shows"""

import sqlalchemy as sa
from alembic import op

revision = "28ce3c75e777"
down_revision = "c41e7d0b92a6"

_MOVE = """
CREATE OR REPLACE FUNCTION predella_move_standing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE standing SET {account}
        state = CASE WHEN standing.state = 'withheld' THEN 'withheld'
            WHEN newest.decision = 'reopened' THEN 'needs_review' ELSE newest.decision END
    FROM (
        SELECT DISTINCT ON (analysis_id) analysis_id, decision, account_id FROM decided
        ORDER BY analysis_id, number DESC
    ) newest
    WHERE standing.analysis_id = newest.analysis_id;
    RETURN NULL;
END $$
"""
_ACCOUNT = "account_id = newest.account_id,"

_SIGN = """
CREATE FUNCTION predella_sign_standing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE standing SET account_id = newest.account_id
    FROM (
        SELECT DISTINCT ON (analysis_id) analysis_id, account_id FROM amended
        WHERE account_id IS NOT NULL ORDER BY analysis_id, number DESC
    ) newest
    WHERE standing.analysis_id = newest.analysis_id
        AND standing.account_id IS DISTINCT FROM newest.account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER sign_standing AFTER INSERT ON revision
    REFERENCING NEW TABLE AS amended
    FOR EACH STATEMENT EXECUTE FUNCTION predella_sign_standing()
"""

# Ids tell the time: they are compared across both tables.
_FILL = """
UPDATE standing SET account_id = newest.account_id
FROM (
    SELECT DISTINCT ON (analysis_id) analysis_id, account_id FROM (
        SELECT id, analysis_id, account_id FROM review
        UNION ALL
        SELECT id, analysis_id, account_id FROM revision WHERE account_id IS NOT NULL
    ) step ORDER BY analysis_id, id DESC
) newest
WHERE standing.analysis_id = newest.analysis_id
"""


def upgrade() -> None:
    op.add_column("standing", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.execute(_FILL)
    op.create_foreign_key(
        op.f("fk_standing_account_id"), "standing", "account", ["account_id"], ["id"]
    )
    op.create_index(
        "ix_standing_account",
        "standing",
        ["account_id", "state", "calm", "analysis_id", "collection_id"],
        postgresql_where="account_id IS NOT NULL",
    )
    op.execute(_MOVE.format(account=_ACCOUNT))
    op.execute(_SIGN)
    op.drop_index("ix_revision_account", table_name="revision")


def downgrade() -> None:
    op.create_index(
        "ix_revision_account",
        "revision",
        ["account_id"],
        postgresql_where="account_id IS NOT NULL",
    )
    op.execute("DROP FUNCTION predella_sign_standing CASCADE")
    op.execute(_MOVE.format(account=""))
    op.drop_column("standing", "account_id")
