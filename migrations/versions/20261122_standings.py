"""standings, and one export for each destination"""

import sqlalchemy as sa
from alembic import op

revision = "7c1d0f3a9e42"
down_revision = "2ed6b2c5fa0b"

# Set-based, once for each INSERT. Whoever decides holds the lock on the analysis. They run as
# the owner: nobody else writes standings.
_OPEN = """
CREATE FUNCTION predella_open_standing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO standing (analysis_id, collection_id, state)
        SELECT written.id, image.collection_id, 'needs_review'
        FROM written JOIN image ON image.id = written.image_id;
    RETURN NULL;
END $$;

CREATE TRIGGER open_standing AFTER INSERT ON analysis
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION predella_open_standing()
"""

_MOVE = """
CREATE FUNCTION predella_move_standing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE standing SET
        state = CASE newest.decision WHEN 'reopened' THEN 'needs_review' ELSE newest.decision END
    FROM (
        SELECT DISTINCT ON (analysis_id) analysis_id, decision FROM decided
        ORDER BY analysis_id, number DESC
    ) newest
    WHERE standing.analysis_id = newest.analysis_id;
    RETURN NULL;
END $$;

CREATE TRIGGER move_standing AFTER INSERT ON review
    REFERENCING NEW TABLE AS decided
    FOR EACH STATEMENT EXECUTE FUNCTION predella_move_standing()
"""

_FILL = """
INSERT INTO standing (analysis_id, collection_id, state)
SELECT DISTINCT ON (analysis.id) analysis.id, image.collection_id, CASE
    WHEN review.decision IN ('approved', 'rejected') THEN review.decision ELSE 'needs_review' END
FROM analysis JOIN image ON image.id = analysis.image_id
LEFT JOIN review ON review.analysis_id = analysis.id
ORDER BY analysis.id, review.number DESC NULLS LAST
"""


def upgrade() -> None:
    op.create_table(
        "standing",
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "needs_review",
                "approved",
                "rejected",
                name="reviewstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_standing_analysis_id")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_standing_collection_id")
        ),
        sa.PrimaryKeyConstraint("analysis_id", name=op.f("pk_standing")),
    )
    op.execute(_FILL)
    op.create_index("ix_standing_state", "standing", ["state", "analysis_id"])
    op.create_index(
        "ix_standing_collection_state", "standing", ["collection_id", "state", "analysis_id"]
    )
    op.create_index("ix_item_submission_analysis", "item", ["submission_id", "analysis_id"])
    op.create_index(
        "uq_export_destination",
        "export",
        ["destination"],
        unique=True,
        postgresql_where="state <> 'failed'",
    )
    op.execute(_OPEN)
    op.execute(_MOVE)


def downgrade() -> None:
    op.execute("DROP FUNCTION predella_move_standing CASCADE")
    op.execute("DROP FUNCTION predella_open_standing CASCADE")
    op.drop_index("uq_export_destination", table_name="export")
    op.drop_index("ix_item_submission_analysis", table_name="item")
    op.drop_table("standing")
