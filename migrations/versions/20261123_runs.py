"""what each drain of a model worker has done"""

import sqlalchemy as sa
from alembic import op

revision = "3f8ad51c6b20"
down_revision = "b4e9d2a71c05"


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("model_name", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("engine_seconds", sa.Float(), nullable=False),
        sa.Column("occupied_seconds", sa.Float(), nullable=False),
        sa.Column("starved_seconds", sa.Float(), nullable=False),
        sa.CheckConstraint("batch_size > 0", name=op.f("ck_run_batch_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_updated", "run", ["updated_at"])


def downgrade() -> None:
    op.drop_table("run")
