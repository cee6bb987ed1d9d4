"""how each account wants its pages"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "e27b60c4d918"
down_revision = "e6f20b8d3c14"


def upgrade() -> None:
    usual = sa.text("'{}'::jsonb")
    op.add_column(
        "account", sa.Column("preferences", JSONB(), nullable=False, server_default=usual)
    )
    op.alter_column("account", "preferences", server_default=None)


def downgrade() -> None:
    op.drop_column("account", "preferences")
