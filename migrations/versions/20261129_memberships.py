"""roles that an account has in one collection only"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "20c9b4a49e3f"
down_revision = "71e5b2c8d0f4"

_AUDIT = """
CREATE FUNCTION predella_audit_membership() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one membership := coalesce(NEW, OLD);
BEGIN
    PERFORM predella_enter_house(
        CASE TG_OP WHEN 'DELETE' THEN 'account.ungranted' ELSE 'account.granted' END,
        'account', one.account_id, one.collection_id, jsonb_build_object('roles', one.roles));
    RETURN NULL;
END $$;
CREATE TRIGGER audit_gift AFTER INSERT OR DELETE ON membership
    FOR EACH ROW EXECUTE FUNCTION predella_audit_membership();
CREATE TRIGGER audit_change AFTER UPDATE ON membership FOR EACH ROW
    WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION predella_audit_membership()
"""


def upgrade() -> None:
    op.create_table(
        "membership",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("roles", ARRAY(sa.String()), nullable=False),
        sa.CheckConstraint("cardinality(roles) > 0", name=op.f("ck_membership_some_role")),
        sa.CheckConstraint(
            "roles <@ ARRAY['digitizer', 'curator', 'approver', 'registrar', 'admin']::varchar[]",
            name=op.f("ck_membership_known_roles"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_membership_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_membership_collection_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "collection_id", name=op.f("pk_membership")),
    )
    op.create_index("ix_membership_collection_id", "membership", ["collection_id"])
    op.execute(_AUDIT)


def downgrade() -> None:
    op.execute("DROP FUNCTION predella_audit_membership CASCADE")
    op.drop_table("membership")
