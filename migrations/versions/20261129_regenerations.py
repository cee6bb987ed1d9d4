"""new texts in place of others"""

import sqlalchemy as sa
from alembic import op

revision = "a3c9e51d7f20"
down_revision = "e27b60c4d918"

_STATES = sa.Enum(
    "waiting",
    "written",
    "withdrawn",
    "returned",
    name="regenerationstate",
    native_enum=False,
    length=32,
)


def _table() -> None:
    op.create_table(
        "regeneration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("sample", sa.SmallInteger(), nullable=False),
        sa.Column("state", _STATES, nullable=False),
        sa.Column("replaced_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("sample > 0", name=op.f("ck_regeneration_sample")),
        sa.CheckConstraint(
            "(state IN ('written', 'returned')) = (replaced_by_id IS NOT NULL)",
            name=op.f("ck_regeneration_replaced_by"),
        ),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_regeneration_analysis_id")
        ),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_regeneration_image_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_regeneration_item_id")),
        sa.ForeignKeyConstraint(
            ["replaced_by_id"], ["analysis.id"], name=op.f("fk_regeneration_replaced_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_regeneration_review_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regeneration")),
        sa.UniqueConstraint("review_id", name=op.f("uq_regeneration_review_id")),
    )


def _indexes() -> None:
    op.create_index("ix_regeneration_analysis_id", "regeneration", ["analysis_id"])
    op.create_index("ix_regeneration_replaced_by_id", "regeneration", ["replaced_by_id"])
    op.create_index("ix_regeneration_image", "regeneration", ["image_id"])
    op.create_index(
        "uq_regeneration_live",
        "regeneration",
        ["analysis_id"],
        unique=True,
        postgresql_where="state IN ('waiting', 'written')",
    )
    op.create_index(
        "uq_regeneration_item",
        "regeneration",
        ["item_id"],
        unique=True,
        postgresql_where="state = 'waiting'",
    )


def upgrade() -> None:
    # A seed has 48 bits.
    op.alter_column("analysis", "seed", type_=sa.BigInteger())
    op.drop_constraint(op.f("ck_review_reason"), "review", type_="check")
    op.create_check_constraint(
        op.f("ck_review_reason"),
        "review",
        "(decision IN ('rejected', 'superseded')) = (reason IS NOT NULL)",
    )
    _table()
    _indexes()


def downgrade() -> None:
    op.alter_column("analysis", "seed", type_=sa.Integer())
    op.drop_table("regeneration")
    op.drop_constraint(op.f("ck_review_reason"), "review", type_="check")
    op.create_check_constraint(
        op.f("ck_review_reason"), "review", "(decision = 'rejected') = (reason IS NOT NULL)"
    )
