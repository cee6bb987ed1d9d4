"""what the automatic checks find, and what people say to it"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5f0c7a1be846"
down_revision = "3f8ad51c6b20"

_CHECKS = sa.Enum(
    "truncated",
    "length",
    "loop",
    "leak",
    "language",
    "record",
    "date",
    "attribution",
    "biography",
    "place",
    "name",
    "colour_absent",
    "bw_image",
    "light",
    "warmth",
    "format",
    "term",
    "near_duplicate",
    "reused_sentence",
    "orientation",
    name="checkname",
    native_enum=False,
    length=32,
)
_SEVERITIES = sa.Enum("hard", "soft", "info", name="severity", native_enum=False, length=32)

_UNDISMISSED = """
CREATE VIEW undismissed_finding AS
SELECT finding.*, checkup.revision_id FROM checkup JOIN finding ON finding.checkup_id = checkup.id
WHERE NOT EXISTS (
    SELECT FROM checkup newer
    WHERE newer.revision_id = checkup.revision_id AND newer.number > checkup.number
) AND NOT coalesce((
    SELECT dismissed FROM dismissal
    WHERE dismissal.analysis_id = finding.analysis_id
        AND dismissal.fingerprint = finding.fingerprint
    ORDER BY dismissal.number DESC LIMIT 1
), false)
"""

# Set-based, once for each INSERT. It runs as the owner: nobody else writes open findings.
_SETTLE = """
CREATE FUNCTION predella_settle_findings() RETURNS trigger LANGUAGE plpgsql
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
    RETURN NULL;
END $$
"""
_SETTLED_BY = ("revision", "checkup", "finding", "dismissal")

# The lock that a checkup or a withdrawal holds on the analysis keeps the foreign keys of the
# approval waiting, and those come first: what was found meanwhile is seen here.
_GUARD = """
CREATE FUNCTION predella_guard_approval() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE culprit text;
BEGIN
    SELECT string_agg(DISTINCT still.check_name || ' on analysis ' || still.analysis_id, ', ')
        INTO culprit
        FROM decided JOIN undismissed_finding still ON still.revision_id = decided.revision_id
        WHERE decided.decision = 'approved' AND still.severity = 'hard';
    IF culprit IS NOT NULL THEN
        RAISE EXCEPTION 'open findings forbid the approval: %', left(culprit, 500)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER guard AFTER INSERT ON review
    REFERENCING NEW TABLE AS decided
    FOR EACH STATEMENT EXECUTE FUNCTION predella_guard_approval()
"""


def _record(*columns: sa.schema.SchemaItem) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *columns,
    )


def _checkups() -> None:
    op.create_table(
        "checkup",
        *_record(
            sa.Column("analysis_id", sa.Uuid(), nullable=False),
            sa.Column("revision_id", sa.Uuid(), nullable=False),
            sa.Column("revision_sha256", sa.LargeBinary(), nullable=False),
            sa.Column("number", sa.Integer(), nullable=False),
            sa.Column("suite", sa.String(), nullable=False),
        ),
        sa.CheckConstraint("suite ~ '^[0-9a-f]{64}$'", name=op.f("ck_checkup_suite")),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_checkup_analysis_id")
        ),
        sa.ForeignKeyConstraint(
            ["analysis_id", "revision_id", "revision_sha256"],
            ["revision.analysis_id", "revision.id", "revision.sha256"],
            name=op.f("fk_checkup_analysis_id_revision_id_revision_sha256"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkup")),
        sa.UniqueConstraint("revision_id", "number", name=op.f("uq_checkup_revision_id_number")),
        sa.UniqueConstraint("id", "analysis_id", name=op.f("uq_checkup_id_analysis_id")),
    )


def _findings() -> None:
    op.create_table(
        "finding",
        *_record(
            sa.Column("checkup_id", sa.Uuid(), nullable=False),
            sa.Column("analysis_id", sa.Uuid(), nullable=False),
            sa.Column("check_name", _CHECKS, nullable=False),
            sa.Column("version", sa.SmallInteger(), nullable=False),
            sa.Column("severity", _SEVERITIES, nullable=False),
            sa.Column("span_start", sa.Integer(), nullable=True),
            sa.Column("span_end", sa.Integer(), nullable=True),
            sa.Column("sentence", sa.String(), nullable=False),
            sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
            sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        ),
        sa.CheckConstraint(
            "(span_start IS NULL) = (span_end IS NULL)", name=op.f("ck_finding_span")
        ),
        sa.CheckConstraint(
            "0 <= span_start AND span_start < span_end", name=op.f("ck_finding_span_is_forward")
        ),
        sa.CheckConstraint("octet_length(fingerprint) = 32", name=op.f("ck_finding_fingerprint")),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_finding_analysis_id")
        ),
        sa.ForeignKeyConstraint(
            ["checkup_id", "analysis_id"],
            ["checkup.id", "checkup.analysis_id"],
            name=op.f("fk_finding_checkup_id_analysis_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sa.UniqueConstraint(
            "checkup_id",
            "check_name",
            "span_start",
            "span_end",
            name=op.f("uq_finding_checkup_id_check_name_span_start_span_end"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.UniqueConstraint(
            "id", "analysis_id", "fingerprint", name=op.f("uq_finding_id_analysis_id_fingerprint")
        ),
    )
    op.create_table(
        "open_finding",
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("check_name", _CHECKS, nullable=False),
        sa.Column("severity", _SEVERITIES, nullable=False),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_open_finding_analysis_id")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_open_finding_collection_id")
        ),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["finding.id"], name=op.f("fk_open_finding_finding_id")
        ),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_open_finding")),
    )
    op.create_index("ix_open_finding_analysis_id", "open_finding", ["analysis_id"])
    op.create_index("ix_open_finding_check", "open_finding", ["check_name", "analysis_id"])
    op.create_index(
        "ix_open_finding_collection_check",
        "open_finding",
        ["collection_id", "check_name", "analysis_id"],
    )


def _dismissals() -> None:
    op.create_table(
        "dismissal",
        *_record(
            sa.Column("analysis_id", sa.Uuid(), nullable=False),
            sa.Column("number", sa.Integer(), nullable=False),
            sa.Column("finding_id", sa.Uuid(), nullable=False),
            sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
            sa.Column("account_id", sa.Uuid(), nullable=False),
            sa.Column("dismissed", sa.Boolean(), nullable=False),
            sa.Column("reason", sa.String(), nullable=True),
            sa.Column(
                "client",
                sa.Enum("api", "cli", name="client", native_enum=False, length=32),
                nullable=False,
            ),
        ),
        sa.CheckConstraint("dismissed = (reason IS NOT NULL)", name=op.f("ck_dismissal_reason")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_dismissal_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_dismissal_analysis_id")
        ),
        sa.ForeignKeyConstraint(
            ["finding_id", "analysis_id", "fingerprint"],
            ["finding.id", "finding.analysis_id", "finding.fingerprint"],
            name=op.f("fk_dismissal_finding_id_analysis_id_fingerprint"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dismissal")),
        sa.UniqueConstraint("analysis_id", "number", name=op.f("uq_dismissal_analysis_id_number")),
    )
    op.create_index(
        "ix_dismissal_fingerprint", "dismissal", ["analysis_id", "fingerprint", "number"]
    )


def _imprints() -> None:
    op.create_table(
        "imprint",
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_imprint_analysis_id")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_imprint_collection_id")
        ),
        sa.PrimaryKeyConstraint("collection_id", "hash", "analysis_id", name=op.f("pk_imprint")),
    )


def _glossaries() -> None:
    op.create_table(
        "glossary",
        *_record(
            sa.Column("collection_id", sa.Uuid(), nullable=False),
            sa.Column("account_id", sa.Uuid(), nullable=False),
            sa.Column("name", sa.String(), nullable=False),
            sa.Column("version", sa.Integer(), nullable=False),
            sa.Column("term_count", sa.Integer(), nullable=False),
            sa.Column("sha256", sa.LargeBinary(), nullable=False),
        ),
        sa.CheckConstraint("name ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name=op.f("ck_glossary_name")),
        sa.CheckConstraint("version > 0", name=op.f("ck_glossary_version")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_glossary_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_glossary_collection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_glossary")),
        sa.UniqueConstraint(
            "collection_id", "name", "version", name=op.f("uq_glossary_collection_id_name_version")
        ),
    )
    op.create_table(
        "term",
        sa.Column("glossary_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("words", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("first_word", sa.String(), nullable=False),
        sa.Column("forbidden", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("instead", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["glossary_id"], ["glossary.id"], name=op.f("fk_term_glossary_id")),
        sa.PrimaryKeyConstraint("glossary_id", "number", name=op.f("pk_term")),
    )
    op.create_index("ix_term_first_word", "term", ["glossary_id", "first_word"])


def upgrade() -> None:
    op.add_column(
        "collection",
        sa.Column(
            "thresholds",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default="{}",
        ),
    )
    op.alter_column("collection", "thresholds", server_default=None)
    _checkups()
    _findings()
    _dismissals()
    _imprints()
    _glossaries()
    for table in ("checkup", "finding", "dismissal"):
        op.execute(
            f"CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION predella_refuse_change()"
        )
    op.execute(_UNDISMISSED)
    op.execute(_SETTLE)
    for table in _SETTLED_BY:
        op.execute(
            f"CREATE TRIGGER settle_findings AFTER INSERT ON {table} "
            "REFERENCING NEW TABLE AS written "
            "FOR EACH STATEMENT EXECUTE FUNCTION predella_settle_findings()"
        )
    op.execute(_GUARD)


def downgrade() -> None:
    op.execute("DROP FUNCTION predella_guard_approval CASCADE")
    op.execute("DROP FUNCTION predella_settle_findings CASCADE")
    op.execute("DROP VIEW undismissed_finding")
    for table in ("term", "glossary", "imprint", "dismissal", "open_finding", "finding", "checkup"):
        op.drop_table(table)
    op.drop_column("collection", "thresholds")
