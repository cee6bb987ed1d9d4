"""who signs in with an OpenID provider, and how a session was begun"""

import sqlalchemy as sa
from alembic import op

revision = "775c7c95e166"
down_revision = "20c9b4a49e3f"

# The subject is the account: who may get in through it is what is decided here.
_AUDIT = """
CREATE FUNCTION predella_audit_external_identity() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one external_identity := coalesce(NEW, OLD);
BEGIN
    PERFORM predella_enter_house(
        CASE TG_OP WHEN 'INSERT' THEN 'account.linked' ELSE 'account.unlinked' END,
        'account', one.account_id, NULL,
        jsonb_build_object('issuer', one.issuer, 'subject', one.subject));
    RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER INSERT OR DELETE ON external_identity
    FOR EACH ROW EXECUTE FUNCTION predella_audit_external_identity()
"""


def _record(*columns: sa.schema.SchemaItem) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *columns,
    )


def upgrade() -> None:
    op.create_table(
        "external_identity",
        *_record(
            sa.Column("issuer", sa.String(), nullable=False),
            sa.Column("subject", sa.String(), nullable=False),
            sa.Column("account_id", sa.Uuid(), nullable=False),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_external_identity_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_external_identity_issuer_subject")),
    )
    op.create_index("ix_external_identity_account_id", "external_identity", ["account_id"])
    op.execute(_AUDIT)
    op.create_table(
        "sign_in_flow",
        *_record(
            sa.Column("state_sha256", sa.LargeBinary(), nullable=False),
            sa.Column("browser_sha256", sa.LargeBinary(), nullable=False),
            sa.Column("nonce", sa.String(), nullable=False),
            sa.Column("verifier", sa.String(), nullable=False),
            sa.Column("back", sa.String(), nullable=False),
            sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_flow")),
        sa.UniqueConstraint("state_sha256", name=op.f("uq_sign_in_flow_state_sha256")),
    )
    op.create_index("ix_sign_in_flow_expires_at", "sign_in_flow", ["expires_at"])
    way = sa.Enum("password", "link", "oidc", "proxy", name="way", native_enum=False, length=32)
    # Which of the first two it was, sessions of old do not say; none was begun otherwise.
    op.add_column("web_session", sa.Column("way", way, server_default="password", nullable=False))
    op.alter_column("web_session", "way", server_default=None)


def downgrade() -> None:
    op.drop_column("web_session", "way")
    op.drop_table("sign_in_flow")
    op.drop_table("external_identity")
    op.execute("DROP FUNCTION predella_audit_external_identity")
