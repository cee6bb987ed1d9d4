"""lots that are accepted by sample, and control items"""

import sqlalchemy as sa
from alembic import op

revision = "8d2c6e94b1f7"
down_revision = "a3c9e51d7f20"

# Named to come after ``guard``, which waits for whoever seeds a control: by then it is seen.
_GUARD = """
CREATE FUNCTION predella_guard_control() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE culprit text;
BEGIN
    SELECT string_agg(lines.analysis_id::text, ', ') INTO culprit FROM lines
        JOIN control ON control.analysis_id = lines.analysis_id
            AND control.revision_sha256 = lines.revision_sha256;
    IF culprit IS NOT NULL THEN
        RAISE EXCEPTION 'a control item never leaves: analysis %', left(culprit, 500)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER guard_control AFTER INSERT ON export_line
    REFERENCING NEW TABLE AS lines
    FOR EACH STATEMENT EXECUTE FUNCTION predella_guard_control()
"""


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=32)


_STATES = _enum("lotstate", "open", "passed", "failed", "reverted")


def _lots() -> None:
    op.create_table(
        "lot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("plan", _enum("plan", "strict", "standard", "quick_look"), nullable=False),
        sa.Column("allowed", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("member_count", sa.Integer(), nullable=False),
        sa.Column("sample_count", sa.Integer(), nullable=False),
        sa.Column("flagged_count", sa.Integer(), nullable=False),
        sa.Column("state", _STATES, nullable=False),
        sa.Column("defect_count", sa.Integer(), nullable=True),
        sa.Column("accepted_count", sa.Integer(), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("concluded_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (concluded_at IS NULL)", name=op.f("ck_lot_concluded_at")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (concluded_by_id IS NULL)", name=op.f("ck_lot_concluded_by")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (defect_count IS NULL)", name=op.f("ck_lot_defect_count")
        ),
        sa.CheckConstraint(
            "state NOT IN ('passed', 'reverted') OR defect_count <= allowed",
            name=op.f("ck_lot_passed"),
        ),
        sa.CheckConstraint(
            "0 < sample_count AND sample_count <= member_count", name=op.f("ck_lot_sample")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_lot_collection_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_lot_account_id")),
        sa.ForeignKeyConstraint(
            ["concluded_by_id"], ["account.id"], name=op.f("fk_lot_concluded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint("id", "state", name=op.f("uq_lot_id_state")),
    )
    op.create_index(op.f("ix_lot_collection_id"), "lot", ["collection_id"])


def _members() -> None:
    op.create_table(
        "lot_member",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("revision_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sample_number", sa.Integer(), nullable=True),
        sa.Column("lot_state", _STATES, nullable=False),
        sa.ForeignKeyConstraint(
            ["lot_id", "lot_state"],
            ["lot.id", "lot.state"],
            name=op.f("fk_lot_member_lot_id_lot_state"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_lot_member_analysis_id")
        ),
        sa.ForeignKeyConstraint(
            ["analysis_id", "revision_id", "revision_sha256"],
            ["revision.analysis_id", "revision.id", "revision.sha256"],
            name=op.f("fk_lot_member_analysis_id_revision_id_revision_sha256"),
        ),
        sa.PrimaryKeyConstraint("lot_id", "analysis_id", name=op.f("pk_lot_member")),
        sa.UniqueConstraint(
            "lot_id",
            "analysis_id",
            "revision_id",
            "revision_sha256",
            name=op.f("uq_lot_member_lot_id_analysis_id_revision_id_revision_sha256"),
        ),
        sa.UniqueConstraint(
            "lot_id", "sample_number", name=op.f("uq_lot_member_lot_id_sample_number")
        ),
    )
    op.create_index(
        "uq_lot_member_open",
        "lot_member",
        ["analysis_id"],
        unique=True,
        postgresql_where="lot_state = 'open'",
    )
    op.create_index(
        "uq_lot_member_held",
        "lot_member",
        ["revision_id"],
        unique=True,
        postgresql_where="lot_state IN ('open', 'failed')",
    )


def _reviews() -> None:
    op.add_column("review", sa.Column("lot_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(
        op.f("ck_review_lot"), "review", "(decision = 'accepted_by_sample') = (lot_id IS NOT NULL)"
    )
    columns = ["lot_id", "analysis_id", "revision_id", "revision_sha256"]
    op.create_foreign_key("fk_review_lot_member", "review", "lot_member", columns, columns)
    op.create_index("ix_review_lot", "review", ["lot_id"], postgresql_where="lot_id IS NOT NULL")


def _controls() -> None:
    op.create_table(
        "control",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("analysis_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("revision_sha256", sa.LargeBinary(), nullable=False),
        sa.Column(
            "expected",
            _enum(
                "rejectionreason",
                "wrong_subject",
                "invented_detail",
                "colour",
                "names_or_dates",
                "style",
                "language",
                "repetition",
                "bad_image",
                "other",
            ),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analysis.id"], name=op.f("fk_control_analysis_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_control_account_id")),
        sa.ForeignKeyConstraint(
            ["analysis_id", "revision_id", "revision_sha256"],
            ["revision.analysis_id", "revision.id", "revision.sha256"],
            name=op.f("fk_control_analysis_id_revision_id_revision_sha256"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_control")),
        sa.UniqueConstraint("analysis_id", name=op.f("uq_control_analysis_id")),
    )


def upgrade() -> None:
    _lots()
    _members()
    _reviews()
    _controls()
    op.execute(_GUARD)


def downgrade() -> None:
    op.execute("DROP FUNCTION predella_guard_control CASCADE")
    op.drop_table("control")
    op.drop_index("ix_review_lot", table_name="review")
    op.drop_constraint("fk_review_lot_member", "review")
    op.drop_constraint(op.f("ck_review_lot"), "review")
    op.drop_column("review", "lot_id")
    op.drop_table("lot_member")
    op.drop_table("lot")
