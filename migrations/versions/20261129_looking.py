"""how many pictures of a hand-in were looked at"""

import sqlalchemy as sa
from alembic import op

revision = "5d20c9e8f713"
down_revision = "6cfc4676b86a"

_COLUMNS = ("pictures_looked_at", "pictures_to_look_at")


def upgrade() -> None:
    for name in _COLUMNS:
        column = sa.Column(name, sa.Integer, nullable=False, server_default="0")
        op.add_column("submission", column)
        op.alter_column("submission", name, server_default=None)


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column("submission", name)
