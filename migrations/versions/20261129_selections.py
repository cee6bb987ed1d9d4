"""what was open before whom, frozen selections, and the order of risk"""

import sqlalchemy as sa
from alembic import op

revision = "9d41c0e7b2a6"
down_revision = "8a41d7c05e93"

_OPEN = """
CREATE OR REPLACE FUNCTION predella_open_standing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO standing (analysis_id, collection_id, state, object_number, confidence,
            hard, soft, info, calm)
        SELECT written.id, image.collection_id, 'needs_review', item.object_number,
            predella_confidence(written.mean_logprob), 0, 0, 0,
            predella_confidence(written.mean_logprob)
        FROM written
        JOIN image ON image.id = written.image_id
        JOIN item ON item.id = written.item_id;
    RETURN NULL;
END $$
"""
_OPEN_BEFORE = """
CREATE OR REPLACE FUNCTION predella_open_standing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO standing (analysis_id, collection_id, state)
        SELECT written.id, image.collection_id, 'needs_review'
        FROM written JOIN image ON image.id = written.image_id;
    RETURN NULL;
END $$
"""

# exp() refuses to underflow.
_CONFIDENCE = """
CREATE FUNCTION predella_confidence(mean_logprob double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE AS $$ SELECT exp(least(greatest(mean_logprob, -700), 0)) $$
"""

_SETTLE = """
CREATE OR REPLACE FUNCTION predella_settle_findings() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM open_finding
        WHERE analysis_id IN (SELECT written.analysis_id FROM written);
    INSERT INTO open_finding (finding_id, analysis_id, collection_id, check_name, severity)
        SELECT still.id, still.analysis_id, standing.collection_id, still.check_name,
            still.severity
        FROM (SELECT DISTINCT written.analysis_id FROM written) touched
        CROSS JOIN LATERAL (
            SELECT id FROM revision WHERE revision.analysis_id = touched.analysis_id
            ORDER BY number DESC LIMIT 1
        ) newest
        JOIN undismissed_finding still ON still.revision_id = newest.id
        JOIN standing ON standing.analysis_id = touched.analysis_id;
{count}
    RETURN NULL;
END $$
"""
_COUNT = """
    UPDATE standing SET
        hard = open.hard, soft = open.soft, info = open.info,
        calm = standing.confidence - open.soft - 1000 * open.hard
    FROM (
        SELECT touched.analysis_id,
            count(*) FILTER (WHERE severity = 'hard') AS hard,
            count(*) FILTER (WHERE severity = 'soft') AS soft,
            count(*) FILTER (WHERE severity = 'info') AS info
        FROM ({touched}) touched
        LEFT JOIN open_finding ON open_finding.analysis_id = touched.analysis_id
        GROUP BY touched.analysis_id
    ) open
    WHERE standing.analysis_id = open.analysis_id
        AND (standing.hard, standing.soft, standing.info)
            IS DISTINCT FROM (open.hard, open.soft, open.info);
"""
_COUNT_TOUCHED = _COUNT.format(touched="SELECT DISTINCT written.analysis_id FROM written")
_COUNT_ALL = _COUNT.format(touched="SELECT analysis_id FROM standing")

_FILL = """
UPDATE standing SET
    object_number = item.object_number,
    confidence = predella_confidence(analysis.mean_logprob),
    hard = 0, soft = 0, info = 0, calm = predella_confidence(analysis.mean_logprob)
FROM analysis JOIN item ON item.id = analysis.item_id
WHERE analysis.id = standing.analysis_id
"""

# Every approval so far named the wording that had been read.
_FILL_OPENINGS = """
INSERT INTO opening (revision_id, account_id, analysis_id, revision_sha256, created_at)
SELECT revision_id, account_id, analysis_id, revision_sha256, min(created_at)
FROM review WHERE decision = 'approved'
GROUP BY revision_id, account_id, analysis_id, revision_sha256
"""

_REQUIRE_OPENING = """
CREATE FUNCTION predella_require_opening() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE unseen text;
BEGIN
    SELECT string_agg(decided.analysis_id::text, ', ') INTO unseen
        FROM decided
        WHERE decided.decision = 'approved' AND NOT EXISTS (
            SELECT FROM opening
            WHERE opening.revision_id = decided.revision_id
                AND opening.account_id = decided.account_id
        );
    IF unseen IS NOT NULL THEN
        RAISE EXCEPTION 'approved without having been open: analysis %', left(unseen, 500)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER require_opening AFTER INSERT ON review
    REFERENCING NEW TABLE AS decided
    FOR EACH STATEMENT EXECUTE FUNCTION predella_require_opening()
"""

_STANDING_COLUMNS = {
    "object_number": sa.String(),
    "confidence": sa.Float(),
    "hard": sa.SmallInteger(),
    "soft": sa.SmallInteger(),
    "info": sa.SmallInteger(),
    "calm": sa.Float(),
}
_STANDING_INDEXES = {
    "ix_standing_calm": ["state", "calm", "analysis_id"],
    "ix_standing_collection_calm": ["collection_id", "state", "calm", "analysis_id"],
    "ix_standing_collection_confidence": ["collection_id", "state", "confidence", "analysis_id"],
    "ix_standing_collection_object": ["collection_id", "state", "object_number", "analysis_id"],
}


def _wording(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    """Return the columns that name exactly one wording, and what holds them to it."""
    return (
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("revision_sha256", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["analysis_id", "revision_id", "revision_sha256"],
            ["revision.analysis_id", "revision.id", "revision.sha256"],
            name=op.f(f"fk_{table}_analysis_id_revision_id_revision_sha256"),
        ),
    )


def _openings() -> None:
    op.create_table(
        "opening",
        *_wording("opening"),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_opening_account_id")),
        sa.PrimaryKeyConstraint("revision_id", "account_id", name=op.f("pk_opening")),
    )
    op.execute(_FILL_OPENINGS)
    op.execute(_REQUIRE_OPENING)


def _selections() -> None:
    op.create_table(
        "selection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("ck_selection_count")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_selection_sha256")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_selection_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection")),
    )
    op.create_table(
        "selection_member",
        sa.Column("selection_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        *_wording("selection_member"),
        sa.ForeignKeyConstraint(
            ["selection_id"], ["selection.id"], name=op.f("fk_selection_member_selection_id")
        ),
        sa.PrimaryKeyConstraint("selection_id", "number", name=op.f("pk_selection_member")),
        sa.UniqueConstraint(
            "selection_id", "analysis_id", name=op.f("uq_selection_member_selection_id_analysis_id")
        ),
    )
    op.add_column("review", sa.Column("selection_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_review_selection_id"), "review", "selection", ["selection_id"], ["id"]
    )
    op.create_index(op.f("ix_review_selection_id"), "review", ["selection_id"])


def _standings() -> None:
    for name, kind in _STANDING_COLUMNS.items():
        op.add_column("standing", sa.Column(name, kind, nullable=True))
    op.execute(_CONFIDENCE)
    op.execute(_FILL)
    op.execute(_COUNT_ALL)
    for name in _STANDING_COLUMNS:
        op.alter_column("standing", name, nullable=False)
    for name, columns in _STANDING_INDEXES.items():
        op.create_index(name, "standing", columns)
    op.execute(_OPEN)
    op.execute(_SETTLE.format(count=_COUNT_TOUCHED))


def upgrade() -> None:
    _openings()
    _selections()
    _standings()
    for table in ("opening", "selection", "selection_member"):
        op.execute(
            f"CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION predella_refuse_change()"
        )


def downgrade() -> None:
    op.execute(_SETTLE.format(count=""))
    op.execute(_OPEN_BEFORE)
    for name in _STANDING_INDEXES:
        op.drop_index(name, table_name="standing")
    for name in _STANDING_COLUMNS:
        op.drop_column("standing", name)
    op.execute("DROP FUNCTION predella_confidence")
    op.execute("DROP FUNCTION predella_require_opening CASCADE")
    op.drop_column("review", "selection_id")
    for table in ("selection_member", "selection", "opening"):
        op.drop_table(table)
