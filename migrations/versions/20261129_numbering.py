"""object numbers out of the pictures, and what a collection usually does about them"""

import sqlalchemy as sa
from alembic import op

revision = "6cfc4676b86a"
down_revision = "808c7bfada1f"


def upgrade() -> None:
    op.add_column("collection", sa.Column("number_pattern", sa.String(), nullable=True))
    op.add_column("collection", sa.Column("number_field", sa.String(), nullable=True))
    op.add_column("submission", sa.Column("number_field", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("submission", "number_field")
    op.drop_column("collection", "number_field")
    op.drop_column("collection", "number_pattern")
