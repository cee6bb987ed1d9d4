"""who has which text on screen, what is said about it, and how it is decided"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "c1a5e0d94b27"
down_revision = "5f0c7a1be846"

# Set-based, once for each INSERT: whoever decides, through whatever program, leaves no claim.
_RELEASE = """
CREATE FUNCTION predella_release_claims() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- In the order in which claims are written, lest two wait for each other in a circle.
    PERFORM 1 FROM claim JOIN decided ON decided.analysis_id = claim.analysis_id
        ORDER BY claim.analysis_id FOR UPDATE OF claim;
    DELETE FROM claim USING decided
        WHERE claim.analysis_id = decided.analysis_id AND decided.decision <> 'reopened';
    DELETE FROM skip USING decided WHERE skip.analysis_id = decided.analysis_id;
    RETURN NULL;
END $$;

CREATE TRIGGER release_claims AFTER INSERT ON review
    REFERENCING NEW TABLE AS decided
    FOR EACH STATEMENT EXECUTE FUNCTION predella_release_claims()
"""

# Who brings back what somebody else wrote did not write it, but chose it: both are refused.
_SECOND_APPROVER = """
CREATE FUNCTION predella_guard_second_approver() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE culprit text;
BEGIN
    SELECT string_agg(decided.analysis_id::text, ', ') INTO culprit
        FROM decided
        JOIN standing ON standing.analysis_id = decided.analysis_id
        JOIN collection ON collection.id = standing.collection_id
        JOIN revision ON revision.id = decided.revision_id
        LEFT JOIN revision restored ON restored.analysis_id = revision.analysis_id
            AND restored.number = revision.restores_number
        WHERE decided.decision = 'approved'
            AND collection.review_rules -> 'second_approver' = 'true'
            AND decided.account_id IN (revision.account_id, restored.account_id);
    IF culprit IS NOT NULL THEN
        RAISE EXCEPTION 'a second person has to approve analysis %', left(culprit, 500)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER guard_second_approver AFTER INSERT ON review
    REFERENCING NEW TABLE AS decided
    FOR EACH STATEMENT EXECUTE FUNCTION predella_guard_second_approver()
"""


def _claims() -> None:
    op.create_table(
        "claim",
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_claim_account_id")),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_claim_analysis_id")
        ),
        sa.PrimaryKeyConstraint("analysis_id", name=op.f("pk_claim")),
    )
    op.create_index(op.f("ix_claim_account_id"), "claim", ["account_id"])
    op.create_table(
        "skip",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("skipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_skip_account_id")),
        sa.ForeignKeyConstraint(["analysis_id"], ["analysis.id"], name=op.f("fk_skip_analysis_id")),
        sa.PrimaryKeyConstraint("account_id", "analysis_id", name=op.f("pk_skip")),
    )
    op.create_index(op.f("ix_skip_analysis_id"), "skip", ["analysis_id"])


def _remarks() -> None:
    op.create_table(
        "remark",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.CheckConstraint("text <> ''", name=op.f("ck_remark_text")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_remark_account_id")),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_remark_analysis_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remark")),
    )
    op.create_index("ix_remark_analysis", "remark", ["analysis_id", "id"])
    op.execute(
        "CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON remark "
        "FOR EACH STATEMENT EXECUTE FUNCTION predella_refuse_change()"
    )


def _reviews() -> None:
    op.add_column("review", sa.Column("asked_id", sa.Uuid(), nullable=True))
    op.add_column("review", sa.Column("seconds_seen", sa.Float(), nullable=True))
    op.create_foreign_key(op.f("fk_review_asked_id"), "review", "account", ["asked_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_review_asked"), "review", "asked_id IS NULL OR decision = 'needs_second'"
    )
    op.create_check_constraint(
        op.f("ck_review_seconds_seen"), "review", "seconds_seen BETWEEN 0 AND 86400"
    )
    op.create_index("ix_review_account", "review", ["account_id", "id"])


def _revisions() -> None:
    op.add_column("revision", sa.Column("edit_distance", sa.Integer(), nullable=True))
    op.add_column("revision", sa.Column("share_kept", sa.Float(), nullable=True))
    op.create_check_constraint(op.f("ck_revision_edit_distance"), "revision", "edit_distance >= 0")
    op.create_check_constraint(
        op.f("ck_revision_share_kept"), "revision", "share_kept BETWEEN 0 AND 1"
    )


def upgrade() -> None:
    op.add_column(
        "collection",
        sa.Column(
            "review_rules",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default="{}",
        ),
    )
    op.alter_column("collection", "review_rules", server_default=None)
    _claims()
    _remarks()
    _reviews()
    _revisions()
    op.execute(_RELEASE)
    op.execute(_SECOND_APPROVER)


def downgrade() -> None:
    op.execute("DROP FUNCTION predella_guard_second_approver CASCADE")
    op.execute("DROP FUNCTION predella_release_claims CASCADE")
    for constraint in ("ck_revision_share_kept", "ck_revision_edit_distance"):
        op.drop_constraint(constraint, "revision")
    for column in ("share_kept", "edit_distance"):
        op.drop_column("revision", column)
    op.drop_index("ix_review_account", table_name="review")
    for constraint in ("ck_review_seconds_seen", "ck_review_asked", "fk_review_asked_id"):
        op.drop_constraint(constraint, "review")
    for column in ("seconds_seen", "asked_id"):
        op.drop_column("review", column)
    for table in ("remark", "skip", "claim"):
        op.drop_table(table)
    op.drop_column("collection", "review_rules")
