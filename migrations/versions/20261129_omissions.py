"""what a new text is to leave out"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "71e5b2c8d0f4"
down_revision = "c4d19f7e0a35"


def upgrade() -> None:
    op.add_column(
        "regeneration",
        sa.Column("without", ARRAY(sa.String()), nullable=False, server_default="{}"),
    )
    op.alter_column("regeneration", "without", server_default=None)


def downgrade() -> None:
    op.drop_column("regeneration", "without")
