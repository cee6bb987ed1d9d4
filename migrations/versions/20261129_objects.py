"""records of objects for harvesters, whose texts tell their language"""

import sqlalchemy as sa
from alembic import op

revision = "e750f6e716b6"
down_revision = "808c7bfada1f"


def upgrade() -> None:
    op.execute(
        sa.text("""
            UPDATE catalog_record SET name = name || '/' || analysis.language
            FROM analysis
            WHERE analysis.id = catalog_record.analysis_id AND strpos(name, '/') = 0
        """)
    )
    op.create_index(
        "ix_catalog_record_object",
        "catalog_record",
        ["collection_id", "object_number", "changed_at", "id"],
    )


def downgrade() -> None:
    op.drop_index("ix_catalog_record_object", table_name="catalog_record")
    # The first language of a kind of text gets its name; the others stay, as what was withdrawn.
    op.execute(
        sa.text("""
            UPDATE catalog_record SET name = split_part(name, '/', 1)
            WHERE NOT EXISTS (
                SELECT FROM catalog_record other
                WHERE other.collection_id = catalog_record.collection_id
                    AND other.object_number = catalog_record.object_number
                    AND split_part(other.name, '/', 1) = split_part(catalog_record.name, '/', 1)
                    AND other.id < catalog_record.id
            )
        """)
    )
