"""pyramids for the zoom of the desk"""

import sqlalchemy as sa
from alembic import op

revision = "8a41d7c05e93"
down_revision = "c1a5e0d94b27"


def upgrade() -> None:
    op.create_table(
        "zoom",
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("made_at IS NULL OR error IS NULL", name=op.f("ck_zoom_one_end")),
        sa.CheckConstraint(
            "(lease_token IS NULL) = (lease_until IS NULL)", name=op.f("ck_zoom_lease")
        ),
        sa.CheckConstraint(
            "lease_token IS NULL OR (made_at IS NULL AND error IS NULL)",
            name=op.f("ck_zoom_leased_while_made"),
        ),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_zoom_image_id")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_zoom")),
    )
    op.create_index(
        "ix_zoom_waiting",
        "zoom",
        ["created_at"],
        postgresql_where="made_at IS NULL AND error IS NULL",
    )


def downgrade() -> None:
    op.drop_table("zoom")
