"""first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2ed6b2c5fa0b"
down_revision = None

_REFUSE_CHANGE = """
CREATE FUNCTION predella_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$
"""

# Set-based, once for each INSERT. It waits for whoever is deciding on these analyses, and only
# then looks: under READ COMMITTED the second query sees what they decided.
_EXPORT_LINE_GUARD = """
CREATE FUNCTION predella_guard_export_line() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE culprit text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'export lines are written under READ COMMITTED only'
            USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM 1 FROM analysis JOIN lines ON lines.analysis_id = analysis.id
        ORDER BY analysis.id FOR KEY SHARE OF analysis;

    SELECT string_agg(lines.analysis_id::text, ', ') INTO culprit FROM lines
        JOIN review approval ON approval.id = lines.review_id
        JOIN review newer
            ON newer.analysis_id = approval.analysis_id AND newer.number > approval.number;
    IF culprit IS NOT NULL THEN
        RAISE EXCEPTION 'the approval was undone of analysis %', left(culprit, 500)
            USING ERRCODE = 'restrict_violation';
    END IF;

    SELECT string_agg(lines.item_id::text, ', ') INTO culprit FROM lines
        LEFT JOIN item ON item.id = lines.item_id
            AND item.analysis_id = lines.analysis_id
            AND item.sensitivity = 'none'
            AND item.exportable
            AND (item.embargo_until IS NULL OR item.embargo_until <= current_date)
            AND item.rights_work IS NOT NULL
        WHERE item.id IS NULL;
    IF culprit IS NOT NULL THEN
        RAISE EXCEPTION 'item % may not leave', left(culprit, 500)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER guard AFTER INSERT ON export_line
    REFERENCING NEW TABLE AS lines
    FOR EACH STATEMENT EXECUTE FUNCTION predella_guard_export_line()
"""


def _keep_for_ever(*tables: str) -> None:
    op.execute(_REFUSE_CHANGE)
    for table in tables:
        op.execute(
            f"CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION predella_refuse_change()"
        )


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("name ~ '^[a-z0-9][a-z0-9._@-]{0,99}$'", name=op.f("ck_account_name")),
        sa.CheckConstraint(
            "roles <@ ARRAY['digitizer', 'curator', 'approver', 'registrar', 'admin']::varchar[]",
            name=op.f("ck_account_known_roles"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
    op.create_table(
        "collection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("credit_line", sa.String(), nullable=True),
        sa.CheckConstraint(
            "prefix = '' OR prefix LIKE '%%/'", name=op.f("ck_collection_prefix_ends_with_slash")
        ),
        sa.CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name=op.f("ck_collection_slug")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection")),
        sa.UniqueConstraint("slug", name=op.f("uq_collection_slug")),
    )
    op.create_table(
        "release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("model_name", sa.String(), nullable=False),
        sa.Column("notice", sa.String(), nullable=True),
        sa.Column("spec", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_release_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("digest", name=op.f("uq_release_digest")),
    )
    op.create_table(
        "export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "format",
            sa.Enum("jsonl", "csv", "lido", name="exportformat", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "writing", "written", "failed", name="exportstate", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'failed') = (error IS NOT NULL)", name=op.f("ck_export_error")
        ),
        sa.CheckConstraint(
            "(state = 'written') = (sha256 IS NOT NULL)", name=op.f("ck_export_sha256")
        ),
        sa.CheckConstraint(
            "state = 'writing' OR lease_token IS NULL", name=op.f("ck_export_leased_while_writing")
        ),
        sa.CheckConstraint(
            "(lease_token IS NULL) = (lease_until IS NULL)", name=op.f("ck_export_lease")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_export_account_id")),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_export_collection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
    )
    op.create_index(op.f("ix_export_collection_id"), "export", ["collection_id"], unique=False)
    op.create_index(
        "ix_export_writing",
        "export",
        ["created_at"],
        unique=False,
        postgresql_where="state = 'writing'",
    )
    op.create_table(
        "image",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("preprocessing", sa.String(), nullable=False),
        sa.Column("model_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_image_sha256")),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_image_collection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image")),
        sa.UniqueConstraint("collection_id", "sha256", name=op.f("uq_image_collection_id_sha256")),
        sa.UniqueConstraint("id", "collection_id", name=op.f("uq_image_id_collection_id")),
    )
    op.create_table(
        "submission",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "receiving",
                "received",
                "refused",
                "unchanged",
                name="submissionstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("refusal", sa.String(), nullable=True),
        sa.Column("same_as_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_accepted", sa.Integer(), nullable=False),
        sa.Column("rows_refused", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'refused') = (refusal IS NOT NULL)", name=op.f("ck_submission_refusal")
        ),
        sa.CheckConstraint(
            "(state = 'unchanged') = (same_as_id IS NOT NULL)", name=op.f("ck_submission_same_as")
        ),
        sa.CheckConstraint(
            "state = 'receiving' OR lease_token IS NULL",
            name=op.f("ck_submission_leased_while_receiving"),
        ),
        sa.CheckConstraint(
            "(lease_token IS NULL) = (lease_until IS NULL)", name=op.f("ck_submission_lease")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_submission_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_submission_collection_id")
        ),
        sa.ForeignKeyConstraint(
            ["same_as_id"], ["submission.id"], name=op.f("fk_submission_same_as_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sa.UniqueConstraint("id", "collection_id", name=op.f("uq_submission_id_collection_id")),
    )
    op.create_index(
        op.f("ix_submission_collection_id"), "submission", ["collection_id"], unique=False
    )
    op.create_index(
        "ix_submission_receiving",
        "submission",
        ["created_at"],
        unique=False,
        postgresql_where="state = 'receiving'",
    )
    op.create_index(
        "uq_submission_collection_id_digest",
        "submission",
        ["collection_id", "digest"],
        unique=True,
        postgresql_where="state = 'received'",
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_token_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("sha256", name=op.f("uq_token_sha256")),
    )
    op.create_index(op.f("ix_token_account_id"), "token", ["account_id"], unique=False)
    op.create_table(
        "analysis",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("sample", sa.SmallInteger(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("rendered_prompt", sa.String(), nullable=False),
        sa.Column("model_sha256", sa.LargeBinary(), nullable=False),
        sa.Column(
            "finish_reason",
            sa.Enum("stop", "length", name="finishreason", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("mean_logprob", sa.Double(), nullable=False),
        sa.Column("min_window_logprob", sa.Double(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=True),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("timings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "octet_length(model_sha256) = 32", name=op.f("ck_analysis_model_sha256")
        ),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_analysis_image_id")),
        sa.ForeignKeyConstraint(
            ["release_id"], ["release.id"], name=op.f("fk_analysis_release_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_analysis")),
        sa.UniqueConstraint("id", "image_id", name=op.f("uq_analysis_id_image_id")),
        sa.UniqueConstraint(
            "image_id", "release_id", "sample", name=op.f("uq_analysis_image_id_release_id_sample")
        ),
    )
    op.create_index(op.f("ix_analysis_lease_token"), "analysis", ["lease_token"], unique=False)
    op.create_index(op.f("ix_analysis_release_id"), "analysis", ["release_id"], unique=False)
    op.create_table(
        "refusal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("object_number", sa.String(), nullable=True),
        sa.Column("filename", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_refusal_submission_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
        sa.UniqueConstraint(
            "submission_id",
            "row_number",
            "filename",
            name=op.f("uq_refusal_submission_id_row_number_filename"),
        ),
    )
    op.create_table(
        "item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("object_number", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("artist", sa.String(), nullable=True),
        sa.Column("artist_uri", sa.String(), nullable=True),
        sa.Column("date", sa.String(), nullable=True),
        sa.Column("medium", sa.String(), nullable=True),
        sa.Column("dimensions", sa.String(), nullable=True),
        sa.Column("object_uri", sa.String(), nullable=True),
        sa.Column("view", sa.String(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("rights_work", sa.String(), nullable=True),
        sa.Column("rights_image", sa.String(), nullable=True),
        sa.Column("credit_line", sa.String(), nullable=True),
        sa.Column(
            "sensitivity",
            sa.Enum(
                "none", "review", "restricted", name="sensitivity", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("sensitivity_note", sa.String(), nullable=True),
        sa.Column("labels", sa.String(), nullable=True),
        sa.Column("ai_processing", sa.Boolean(), nullable=False),
        sa.Column("exportable", sa.Boolean(), nullable=False),
        sa.Column("embargo_until", sa.Date(), nullable=True),
        sa.Column("notes", sa.String(), nullable=True),
        sa.Column("extra", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("version_id", sa.String(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("image_id", sa.Uuid(), nullable=True),
        sa.Column("analysis_id", sa.Uuid(), nullable=True),
        sa.Column(
            "stage",
            sa.Enum("prepare", "analyze", name="stage", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "leased",
                "done",
                "failed",
                "withheld",
                name="itemstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'failed') = (error_code IS NOT NULL)", name=op.f("ck_item_error")
        ),
        sa.CheckConstraint(
            "(state = 'leased') = (lease_token IS NOT NULL)", name=op.f("ck_item_lease_token")
        ),
        sa.CheckConstraint(
            "(state = 'leased') = (lease_until IS NOT NULL)", name=op.f("ck_item_lease_until")
        ),
        sa.CheckConstraint(
            "stage = 'prepare' OR image_id IS NOT NULL",
            name=op.f("ck_item_prepared_before_analyzed"),
        ),
        sa.CheckConstraint(
            "state <> 'done' OR image_id IS NOT NULL"
            " AND (analysis_id IS NOT NULL OR NOT is_primary)",
            name=op.f("ck_item_done_means_analyzed"),
        ),
        sa.CheckConstraint(
            "state IN ('withheld', 'failed') OR ai_processing AND sensitivity <> 'restricted'",
            name=op.f("ck_item_gate"),
        ),
        sa.ForeignKeyConstraint(
            ["analysis_id", "image_id"],
            ["analysis.id", "analysis.image_id"],
            name=op.f("fk_item_analysis_id_image_id"),
        ),
        sa.ForeignKeyConstraint(
            ["image_id", "collection_id"],
            ["image.id", "image.collection_id"],
            name=op.f("fk_item_image_id_collection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["submission_id", "collection_id"],
            ["submission.id", "submission.collection_id"],
            name=op.f("fk_item_submission_id_collection_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint(
            "submission_id",
            "object_number",
            "key",
            name=op.f("uq_item_submission_id_object_number_key"),
        ),
    )
    op.create_index("ix_item_analysis", "item", ["analysis_id"], unique=False)
    op.create_index(
        "ix_item_leased", "item", ["lease_until"], unique=False, postgresql_where="state = 'leased'"
    )
    op.create_index(
        "ix_item_object", "item", ["collection_id", "object_number", "key"], unique=False
    )
    op.create_index("ix_item_submission", "item", ["submission_id", "id"], unique=False)
    op.create_index("ix_refusal_submission", "refusal", ["submission_id", "id"], unique=False)
    op.create_index(
        "ix_item_ready",
        "item",
        ["stage", "priority", "id"],
        unique=False,
        postgresql_where="state = 'waiting'",
    )
    op.create_index("ix_item_submission_state", "item", ["submission_id", "state"], unique=False)
    op.create_index(
        "ix_item_suspect",
        "item",
        ["stage", "priority", "id"],
        unique=False,
        postgresql_where="state = 'waiting' AND attempt > 0",
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("restores_number", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "sha256 = sha256(convert_to(text, 'UTF8'))", name=op.f("ck_revision_sha256")
        ),
        sa.CheckConstraint("(number = 0) = (account_id IS NULL)", name=op.f("ck_revision_author")),
        sa.CheckConstraint(
            "restores_number < number", name=op.f("ck_revision_restores_an_earlier")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_revision_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["analysis_id", "restores_number"],
            ["revision.analysis_id", "revision.number"],
            name=op.f("fk_revision_analysis_id_restores_number"),
        ),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_revision_analysis_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint(
            "analysis_id", "id", "sha256", name=op.f("uq_revision_analysis_id_id_sha256")
        ),
        sa.UniqueConstraint("analysis_id", "number", name=op.f("uq_revision_analysis_id_number")),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum("prepare", "analyze", name="stage", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "done",
                "failed",
                "retry",
                "released",
                "lost",
                name="outcome",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_attempt_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("item_id", "lease_token", name=op.f("uq_attempt_item_id_lease_token")),
    )
    op.create_index(
        "ix_attempt_open",
        "attempt",
        ["lease_token"],
        unique=False,
        postgresql_where="outcome IS NULL",
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("revision_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "approved", "rejected", "reopened", name="decision", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "wrong_subject",
                "invented_detail",
                "colour",
                "names_or_dates",
                "style",
                "language",
                "repetition",
                "bad_image",
                "other",
                name="rejectionreason",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("undoes_id", sa.Uuid(), nullable=True),
        sa.Column(
            "client",
            sa.Enum("api", "cli", name="client", native_enum=False, length=32),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(decision = 'rejected') = (reason IS NOT NULL)", name=op.f("ck_review_reason")
        ),
        sa.CheckConstraint(
            "(decision = 'reopened') = (undoes_id IS NOT NULL)", name=op.f("ck_review_undoes")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_review_account_id")),
        sa.ForeignKeyConstraint(
            ["analysis_id", "revision_id", "revision_sha256"],
            ["revision.analysis_id", "revision.id", "revision.sha256"],
            name=op.f("fk_review_analysis_id_revision_id_revision_sha256"),
        ),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_review_analysis_id")
        ),
        sa.ForeignKeyConstraint(["undoes_id"], ["review.id"], name=op.f("fk_review_undoes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("analysis_id", "number", name=op.f("uq_review_analysis_id_number")),
        sa.UniqueConstraint(
            "id",
            "analysis_id",
            "revision_id",
            "revision_sha256",
            "decision",
            name=op.f("uq_review_id_analysis_id_revision_id_revision_sha256_decision"),
        ),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_review_undoes_id")),
    )
    op.create_index(op.f("ix_review_revision_id"), "review", ["revision_id"], unique=False)
    op.create_table(
        "export_line",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("revision_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "approved", "rejected", "reopened", name="decision", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("decision = 'approved'", name=op.f("ck_export_line_approved")),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_export_line_analysis_id")
        ),
        sa.ForeignKeyConstraint(
            ["export_id"], ["export.id"], name=op.f("fk_export_line_export_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_export_line_item_id")),
        sa.ForeignKeyConstraint(
            ["review_id", "analysis_id", "revision_id", "revision_sha256", "decision"],
            [
                "review.id",
                "review.analysis_id",
                "review.revision_id",
                "review.revision_sha256",
                "review.decision",
            ],
            name=op.f("fk_export_line_review_id_analysis_id_revision_id_revision_sha256_decision"),
        ),
        sa.PrimaryKeyConstraint("export_id", "number", name=op.f("pk_export_line")),
    )
    op.create_index("ix_export_line_analysis", "export_line", ["analysis_id"], unique=False)
    op.create_index(op.f("ix_export_line_item_id"), "export_line", ["item_id"], unique=False)
    # An item names its analysis and an analysis the item it was written for.
    op.create_foreign_key(op.f("fk_analysis_item_id"), "analysis", "item", ["item_id"], ["id"])
    _keep_for_ever("analysis", "revision", "review", "export_line")
    op.execute(_EXPORT_LINE_GUARD)


def downgrade() -> None:
    op.execute("DROP FUNCTION predella_guard_export_line CASCADE")
    op.execute("DROP FUNCTION predella_refuse_change CASCADE")
    op.drop_constraint(op.f("fk_analysis_item_id"), "analysis")
    op.drop_index(op.f("ix_export_line_item_id"), table_name="export_line")
    op.drop_index("ix_export_line_analysis", table_name="export_line")
    op.drop_table("export_line")
    op.drop_index(op.f("ix_review_revision_id"), table_name="review")
    op.drop_table("review")
    op.drop_index("ix_attempt_open", table_name="attempt", postgresql_where="outcome IS NULL")
    op.drop_table("attempt")
    op.drop_table("revision")
    op.drop_index(
        "ix_item_suspect",
        table_name="item",
        postgresql_where="state = 'waiting' AND attempt > 0",
    )
    op.drop_index("ix_item_submission_state", table_name="item")
    op.drop_index("ix_item_ready", table_name="item", postgresql_where="state = 'waiting'")
    op.drop_index("ix_item_object", table_name="item")
    op.drop_index("ix_item_leased", table_name="item", postgresql_where="state = 'leased'")
    op.drop_index("ix_item_analysis", table_name="item")
    op.drop_table("item")
    op.drop_table("refusal")
    op.drop_index(op.f("ix_analysis_release_id"), table_name="analysis")
    op.drop_index(op.f("ix_analysis_lease_token"), table_name="analysis")
    op.drop_table("analysis")
    op.drop_index(op.f("ix_token_account_id"), table_name="token")
    op.drop_table("token")
    op.drop_index(
        "uq_submission_collection_id_digest",
        table_name="submission",
        postgresql_where="state = 'received'",
    )
    op.drop_index(
        "ix_submission_receiving", table_name="submission", postgresql_where="state = 'receiving'"
    )
    op.drop_index(op.f("ix_submission_collection_id"), table_name="submission")
    op.drop_table("submission")
    op.drop_table("image")
    op.drop_index("ix_export_writing", table_name="export", postgresql_where="state = 'writing'")
    op.drop_index(op.f("ix_export_collection_id"), table_name="export")
    op.drop_table("export")
    op.drop_table("release")
    op.drop_table("collection")
    op.drop_table("account")
