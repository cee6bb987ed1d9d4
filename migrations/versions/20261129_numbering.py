"""object numbers out of the pictures, and what a collection usually does about them"""

import sqlalchemy as sa
from alembic import op

revision = "6cfc4676b86a"
down_revision = "a3efa4f34967"


def upgrade() -> None:
    op.add_column("collection", sa.Column("number_pattern", sa.String(), nullable=True))
    op.add_column("collection", sa.Column("number_field", sa.String(), nullable=True))
    op.add_column("submission", sa.Column("number_field", sa.String(), nullable=True))
    op.drop_constraint("uq_refusal_submission_id_row_number_filename", "refusal", type_="unique")
    op.create_unique_constraint(
        "uq_refusal_submission_id_row_number_filename_object_number",
        "refusal",
        ["submission_id", "row_number", "filename", "object_number"],
    )


# Of several objects in one picture that were refused, the first stays.
_FIRST = """
    DELETE FROM refusal USING refusal first
    WHERE refusal.submission_id = first.submission_id AND refusal.row_number = first.row_number
        AND refusal.filename = first.filename AND refusal.id > first.id
"""


def downgrade() -> None:
    op.execute(_FIRST)
    op.drop_constraint(
        "uq_refusal_submission_id_row_number_filename_object_number", "refusal", type_="unique"
    )
    op.create_unique_constraint(
        "uq_refusal_submission_id_row_number_filename",
        "refusal",
        ["submission_id", "row_number", "filename"],
    )
    op.drop_column("submission", "number_field")
    op.drop_column("collection", "number_field")
    op.drop_column("collection", "number_pattern")
