"""passwords, and who is signed in"""

import sqlalchemy as sa
from alembic import op

revision = "e6f20b8d3c14"
down_revision = "9d41c0e7b2a6"


def _record(*columns: sa.schema.SchemaItem) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *columns,
    )


def upgrade() -> None:
    op.add_column("account", sa.Column("password_hash", sa.String(), nullable=True))
    op.create_table(
        "web_session",
        *_record(
            sa.Column("account_id", sa.Uuid(), nullable=False),
            sa.Column("sha256", sa.LargeBinary(), nullable=False),
            sa.Column("csrf", sa.String(), nullable=False),
            sa.Column("user_agent", sa.String(), nullable=False),
            sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_web_session_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_session")),
        sa.UniqueConstraint("sha256", name=op.f("uq_web_session_sha256")),
    )
    op.create_index("ix_web_session_account_id", "web_session", ["account_id"])
    op.create_table(
        "sign_in_link",
        *_record(
            sa.Column("account_id", sa.Uuid(), nullable=False),
            sa.Column("sha256", sa.LargeBinary(), nullable=False),
            sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_sign_in_link_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_link")),
        sa.UniqueConstraint("sha256", name=op.f("uq_sign_in_link_sha256")),
    )
    op.create_table(
        "sign_in_failure",
        *_record(
            sa.Column("name", sa.String(), nullable=False),
            sa.Column("address", sa.String(), nullable=False),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failure")),
    )
    op.create_index("ix_sign_in_failure_name", "sign_in_failure", ["name", "created_at"])
    op.create_index("ix_sign_in_failure_address", "sign_in_failure", ["address", "created_at"])
    op.execute(
        "CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON sign_in_failure "
        "FOR EACH STATEMENT EXECUTE FUNCTION predella_refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("sign_in_failure")
    op.drop_table("sign_in_link")
    op.drop_table("web_session")
    op.drop_column("account", "password_hash")
