"""records for harvesters"""

import sqlalchemy as sa
from alembic import op

revision = "808c7bfada1f"
down_revision = "6be1f04a92d7"

_OF_THE_REVIEW = ["analysis_id", "revision_id", "revision_sha256"]


def _harvest() -> None:
    op.create_table(
        "harvest",
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_harvest_collection_id")
        ),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_harvest")),
    )


def _record() -> None:
    op.create_table(
        "catalog_record",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("object_number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("revision_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("rights_work", sa.String(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "decision IN ('approved', 'accepted_by_sample')",
            name=op.f("ck_catalog_record_accepted"),
        ),
        sa.CheckConstraint(
            "withdrawn_at <= changed_at", name=op.f("ck_catalog_record_withdrawn_then_changed")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["harvest.collection_id"],
            name=op.f("fk_catalog_record_collection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["review_id", *_OF_THE_REVIEW, "decision"],
            [f"review.{name}" for name in ("id", *_OF_THE_REVIEW, "decision")],
            name="fk_catalog_record_review",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_record")),
        sa.UniqueConstraint(
            "collection_id",
            "object_number",
            "name",
            name=op.f("uq_catalog_record_collection_id_object_number_name"),
        ),
    )
    op.create_index("ix_catalog_record_changed", "catalog_record", ["changed_at", "id"])
    op.create_index(
        "ix_catalog_record_changed_within", "catalog_record", ["collection_id", "changed_at", "id"]
    )


def upgrade() -> None:
    _harvest()
    _record()


def downgrade() -> None:
    op.drop_table("catalog_record")
    op.drop_table("harvest")
