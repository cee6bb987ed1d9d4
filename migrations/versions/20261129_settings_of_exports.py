"""what a collection's exports say of it, base models, IIIF images, and the ends of deltas"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "a3efa4f34967"
down_revision = "8fae9989ac5c"

_ADDRESSES = ("institution_uri", "text_rights", "concept_uri")

# Who: nobody. A program ends an export; the entry `export.created` says who wanted it.
_ENDED = """
CREATE OR REPLACE FUNCTION predella_audit_export_end() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM predella_enter_house('export.' || NEW.state, 'export', NEW.id, NEW.collection_id,
        CASE NEW.state
            WHEN 'failed' THEN jsonb_build_object('error', NEW.error)
            ELSE jsonb_build_object('destination', NEW.destination, {counts},
                'size', NEW.size, 'sha256', NEW.sha256, 'audit_head', NEW.audit_head)
        END);
    RETURN NULL;
END $$
"""
_BOTH = "'texts', NEW.line_count - NEW.withdrawn_count, 'withdrawn', NEW.withdrawn_count"
_AS_ONE = "'lines', NEW.line_count"

# What stands by every text of a collection, as `services/records.py` compares it.
_KNOWN = """
UPDATE harvest SET stands_by = jsonb_build_array(institution, institution_uri, credit_line,
    text_rights, concept_uri)
FROM collection WHERE collection.id = harvest.collection_id
"""


def upgrade() -> None:
    for name in _ADDRESSES:
        op.add_column("collection", sa.Column(name, sa.String(), nullable=True))
        op.create_check_constraint(
            op.f(f"ck_collection_{name}"), "collection", f"{name} ~ '^https?://'"
        )
    op.add_column("item", sa.Column("iiif_image", sa.String(), nullable=True))
    op.create_check_constraint(
        op.f("ck_item_iiif_image"), "item", "iiif_image ~ '^https://' AND iiif_image !~ '/$'"
    )
    op.add_column("release", sa.Column("base_model", sa.String(), nullable=True))
    op.add_column("harvest", sa.Column("stands_by", postgresql.JSONB(), nullable=True))
    op.execute(_KNOWN)
    op.alter_column("harvest", "stands_by", nullable=False)
    op.execute(_ENDED.format(counts=_BOTH))


def downgrade() -> None:
    op.execute(_ENDED.format(counts=_AS_ONE))
    op.drop_column("harvest", "stands_by")
    op.drop_column("release", "base_model")
    op.drop_constraint(op.f("ck_item_iiif_image"), "item")
    op.drop_column("item", "iiif_image")
    for name in _ADDRESSES:
        op.drop_constraint(op.f(f"ck_collection_{name}"), "collection")
        op.drop_column("collection", name)
