"""how each account wants its pages"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "e27b60c4d918"
down_revision = "9d41c0e7b2a6"


def upgrade() -> None:
    usual = sa.text("'{}'::jsonb")
    op.add_column(
        "account", sa.Column("preferences", JSONB(), nullable=False, server_default=usual)
    )
    op.alter_column("account", "preferences", server_default=None)


def downgrade() -> None:
    op.drop_column("account", "preferences")
