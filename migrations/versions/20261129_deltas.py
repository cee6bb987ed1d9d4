"""exports of what changed, tombstones, own profiles, and what was accepted by sample"""

import sqlalchemy as sa
from alembic import op

revision = "6be1f04a92d7"
down_revision = "587a121cae17"

# Named to come after ``guard``. It waits for whoever changes the rules of the collection.
_GUARD = """
CREATE FUNCTION predella_guard_sampled() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE culprit text;
BEGIN
    PERFORM 1 FROM collection JOIN export ON export.collection_id = collection.id
        WHERE export.id IN (SELECT export_id FROM lines WHERE decision = 'accepted_by_sample')
        ORDER BY collection.id FOR SHARE OF collection;
    SELECT string_agg(lines.analysis_id::text, ', ') INTO culprit FROM lines
        JOIN export ON export.id = lines.export_id
        JOIN collection ON collection.id = export.collection_id
        WHERE lines.decision = 'accepted_by_sample'
            AND NOT collection.review_rules @> '{"export_sampled": true}';
    IF culprit IS NOT NULL THEN
        RAISE EXCEPTION 'what was accepted by sample does not leave this collection: analysis %',
            left(culprit, 500) USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER guard_sampled AFTER INSERT ON export_line
    REFERENCING NEW TABLE AS lines
    FOR EACH STATEMENT EXECUTE FUNCTION predella_guard_sampled()
"""
_KEEP = """
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON export_tombstone
    FOR EACH STATEMENT EXECUTE FUNCTION predella_refuse_change()
"""
_ACCEPTED = "decision IN ('approved', 'accepted_by_sample')"


def upgrade() -> None:
    op.add_column("export", sa.Column("profile", sa.String(), nullable=True))
    op.add_column("export", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    count = sa.Column("withdrawn_count", sa.Integer(), nullable=False, server_default="0")
    op.add_column("export", count)
    op.alter_column("export", "withdrawn_count", server_default=None)
    op.create_check_constraint(
        op.f("ck_export_profile"), "export", "profile IS NULL OR format = 'csv'"
    )
    op.create_check_constraint(
        op.f("ck_export_withdrawn_count"), "export", "withdrawn_count BETWEEN 0 AND line_count"
    )
    op.drop_constraint(op.f("ck_export_line_approved"), "export_line")
    op.create_check_constraint(op.f("ck_export_line_accepted"), "export_line", _ACCEPTED)
    op.create_table(
        "export_tombstone",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("buried_export_id", sa.Uuid(), nullable=False),
        sa.Column("buried_number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "export_id <> buried_export_id",
            name=op.f("ck_export_tombstone_buries_an_earlier_one"),
        ),
        sa.ForeignKeyConstraint(
            ["export_id"], ["export.id"], name=op.f("fk_export_tombstone_export_id")
        ),
        sa.ForeignKeyConstraint(
            ["buried_export_id", "buried_number"],
            ["export_line.export_id", "export_line.number"],
            name=op.f("fk_export_tombstone_buried_export_id_buried_number"),
        ),
        sa.PrimaryKeyConstraint("export_id", "number", name=op.f("pk_export_tombstone")),
    )
    op.execute(_KEEP)
    op.execute(_GUARD)


def downgrade() -> None:
    op.execute("DROP FUNCTION predella_guard_sampled CASCADE")
    op.drop_table("export_tombstone")
    op.drop_constraint(op.f("ck_export_line_accepted"), "export_line")
    op.create_check_constraint(
        op.f("ck_export_line_approved"), "export_line", "decision = 'approved'"
    )
    op.drop_constraint(op.f("ck_export_withdrawn_count"), "export")
    op.drop_constraint(op.f("ck_export_profile"), "export")
    for column in ("withdrawn_count", "since", "profile"):
        op.drop_column("export", column)
