"""how far an export has come"""

import sqlalchemy as sa
from alembic import op

revision = "c41e7d0b92a6"
down_revision = "e750f6e716b6"

_COLUMNS = ("texts_done", "texts_total")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("export", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
        op.alter_column("export", name, server_default=None)
    op.create_check_constraint(
        op.f("ck_export_texts_done"), "export", "texts_done BETWEEN 0 AND texts_total"
    )


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column("export", name)
