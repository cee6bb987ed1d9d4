"""one gate for each object, previews, and hand-ins that are taken back"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "587a121cae17"
down_revision = "11d6e922f0e4"

# Whatever is written to an item that is kept back, its state says so; and once nothing keeps it
# back any more it goes on where it was. What a worker has in hand is called back.
_KEEP_BACK = """
CREATE FUNCTION predella_keep_back() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.is_open AND NOT NEW.is_withdrawn AND NOT NEW.is_held THEN
        NEW.state := CASE WHEN NEW.finished_at IS NULL THEN 'waiting' ELSE 'done' END;
        NEW.next_attempt_at := now();
        RETURN NEW;
    END IF;
    IF NEW.lease_token IS NOT NULL THEN
        UPDATE attempt SET ended_at = now(), outcome = 'lost'
            WHERE item_id = NEW.id AND lease_token = NEW.lease_token AND outcome IS NULL;
        NEW.attempt := greatest(NEW.attempt - 1, 0);
    END IF;
    NEW.state := CASE WHEN NEW.is_withdrawn THEN 'withdrawn'
        WHEN NOT NEW.is_open THEN 'withheld' ELSE 'held' END;
    NEW.lease_token := NULL;
    NEW.lease_owner := NULL;
    NEW.lease_until := NULL;
    RETURN NEW;
END $$;

CREATE TRIGGER keep_back BEFORE INSERT OR UPDATE ON item FOR EACH ROW
    WHEN (NEW.state IN ('withheld', 'withdrawn', 'held')
        OR NEW.state <> 'failed' AND (NOT NEW.is_open OR NEW.is_withdrawn OR NEW.is_held))
    EXECUTE FUNCTION predella_keep_back()
"""

# A text is withheld when nothing that may be shown has it any more. Whoever decides meanwhile
# leaves it so: what was decided speaks again when it comes back.
_SETTLE = """
CREATE FUNCTION predella_settle_standing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE touched uuid[];
BEGIN
    -- Workers change items many times a second, and hardly ever this.
    SELECT array_agg(DISTINCT new_item.analysis_id) INTO touched
        FROM new_item JOIN old_item USING (id)
        WHERE new_item.analysis_id IS NOT NULL
            AND (new_item.analysis_id, new_item.is_open, new_item.is_withdrawn)
                IS DISTINCT FROM (old_item.analysis_id, old_item.is_open, old_item.is_withdrawn);
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE standing SET state = CASE WHEN found.is_shown
        THEN coalesce(nullif(found.decision, 'reopened'), 'needs_review') ELSE 'withheld' END
    FROM (
        SELECT one.analysis_id,
            EXISTS (SELECT FROM item WHERE item.analysis_id = one.analysis_id
                AND item.is_open AND NOT item.is_withdrawn) AS is_shown,
            (SELECT decision FROM review WHERE review.analysis_id = one.analysis_id
                ORDER BY number DESC LIMIT 1) AS decision
        FROM unnest(touched) AS one (analysis_id)
    ) found
    WHERE standing.analysis_id = found.analysis_id
        AND (standing.state = 'withheld') = found.is_shown;
    RETURN NULL;
END $$;

CREATE TRIGGER settle_standing AFTER UPDATE ON item
    REFERENCING OLD TABLE AS old_item NEW TABLE AS new_item
    FOR EACH STATEMENT EXECUTE FUNCTION predella_settle_standing()
"""

_MOVE = """
CREATE OR REPLACE FUNCTION predella_move_standing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE standing SET
        state = CASE {withheld}WHEN newest.decision = 'reopened' THEN 'needs_review'
            ELSE newest.decision END
    FROM (
        SELECT DISTINCT ON (analysis_id) analysis_id, decision FROM decided
        ORDER BY analysis_id, number DESC
    ) newest
    WHERE standing.analysis_id = newest.analysis_id;
    RETURN NULL;
END $$
"""
_WITHHELD = "WHEN standing.state = 'withheld' THEN 'withheld' "

# It waits for whoever decides, or closes a gate, and only then looks.
_GUARD = """
CREATE OR REPLACE FUNCTION predella_guard_export_line() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE culprit text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'export lines are written under READ COMMITTED only'
            USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM 1 FROM analysis JOIN lines ON lines.analysis_id = analysis.id
        ORDER BY analysis.id FOR KEY SHARE OF analysis;
    {wait}
    SELECT string_agg(lines.analysis_id::text, ', ') INTO culprit FROM lines
        JOIN review approval ON approval.id = lines.review_id
        JOIN review newer
            ON newer.analysis_id = approval.analysis_id AND newer.number > approval.number;
    IF culprit IS NOT NULL THEN
        RAISE EXCEPTION 'the approval was undone of analysis %', left(culprit, 500)
            USING ERRCODE = 'restrict_violation';
    END IF;

    SELECT string_agg(lines.item_id::text, ', ') INTO culprit FROM lines
        LEFT JOIN (item {gate}) ON item.id = lines.item_id
            AND item.analysis_id = lines.analysis_id
            AND {by}.sensitivity = 'none'
            AND {by}.exportable
            AND ({by}.embargo_until IS NULL OR {by}.embargo_until <= current_date)
            AND {by}.rights_work IS NOT NULL
            {shown}
        WHERE item.id IS NULL;
    IF culprit IS NOT NULL THEN
        RAISE EXCEPTION 'item % may not leave', left(culprit, 500)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$
"""
_WAIT = """
    PERFORM 1 FROM item JOIN lines ON lines.item_id = item.id
        JOIN object_gate USING (collection_id, object_number)
        ORDER BY item.id FOR SHARE OF item, object_gate;
"""
_BY_GATE = {
    "wait": _WAIT,
    "gate": "JOIN object_gate USING (collection_id, object_number)",
    "by": "object_gate",
    "shown": "AND item.is_open AND NOT item.is_withdrawn",
}
_BY_ITEM = {"wait": "", "gate": "CROSS JOIN (SELECT) none", "by": "item", "shown": ""}

_KINDS = (
    "'review', 'revision', 'finding', 'export', 'submission', 'account', 'token', 'collection',"
    " 'webhook'"
)
_OWN = """
CREATE OR REPLACE FUNCTION predella_own_audit() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
        AND EXISTS (SELECT FROM entered WHERE split_part(action, '.', 1) IN ({kinds})) THEN
        RAISE EXCEPTION 'entries of this kind are made by the database alone'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$
"""

# One entry for each object whose gate changed. What new objects are kept back is counted by the
# hand-in that brings them: a million rows without rights are one entry.
_AUDIT = """
CREATE FUNCTION predella_audit_object_gate() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_entry (account_id, account_name, action, subject_kind, subject_id,
            collection_id, details)
        SELECT changed.account_id, account.name, 'object.gated', 'object',
            changed.object_number, changed.collection_id,
            jsonb_build_object('before', was, 'after', become, 'reason', changed.reason,
                'submission_id', changed.submission_id)
        FROM (
            SELECT new_gate.*, to_jsonb(old_gate) - kept AS was, to_jsonb(new_gate) - kept AS become
            FROM new_gate JOIN old_gate USING (collection_id, object_number),
                (SELECT '{collection_id,object_number,told,submission_id,account_id,reason,
                    changed_at}'::text[] AS kept) names
        ) changed JOIN account ON account.id = changed.account_id
        WHERE was <> become
        ORDER BY changed.object_number;
    RETURN NULL;
END $$;

CREATE TRIGGER audit AFTER UPDATE ON object_gate
    REFERENCING OLD TABLE AS old_gate NEW TABLE AS new_gate
    FOR EACH STATEMENT EXECUTE FUNCTION predella_audit_object_gate();

CREATE FUNCTION predella_audit_withdrawal() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM predella_enter_house(
        CASE WHEN NEW.is_withdrawn AND NOT OLD.is_withdrawn THEN 'submission.withdrawn'
            WHEN OLD.is_withdrawn AND NOT NEW.is_withdrawn THEN 'submission.restored'
            ELSE 'submission.released' END,
        'submission', NEW.id, NEW.collection_id, jsonb_build_object('reason', NEW.reason));
    RETURN NULL;
END $$;
CREATE TRIGGER audit_withdrawal AFTER UPDATE ON submission FOR EACH ROW
    WHEN (OLD.is_withdrawn <> NEW.is_withdrawn OR OLD.is_held AND NOT NEW.is_held)
    EXECUTE FUNCTION predella_audit_withdrawal()
"""

# The primary row of an object that came last spoke for it until now.
_FILL = """
INSERT INTO object_gate (collection_id, object_number, sensitivity, sensitivity_note,
    ai_processing, exportable, embargo_until, rights_work, told, submission_id, account_id,
    changed_at)
SELECT DISTINCT ON (item.collection_id, object_number) item.collection_id, object_number,
    sensitivity, sensitivity_note, ai_processing, exportable, embargo_until, rights_work,
    jsonb_build_object('sensitivity', sensitivity, 'sensitivity_note', sensitivity_note,
        'ai_processing', ai_processing, 'exportable', exportable,
        'embargo_until', embargo_until, 'rights_work', rights_work),
    submission.id, submission.account_id, submission.created_at
FROM item JOIN submission ON submission.id = item.submission_id
ORDER BY item.collection_id, object_number, is_primary DESC, item.id DESC
"""
_MIRROR = """
UPDATE item SET is_open = object_gate.is_open FROM object_gate
WHERE object_gate.collection_id = item.collection_id
    AND object_gate.object_number = item.object_number
    AND (item.is_open <> object_gate.is_open OR item.state = 'withheld')
"""
_OLD_GATE = "state IN ('withheld', 'failed') OR ai_processing AND sensitivity <> 'restricted'"
_NEW_GATE = (
    "state NOT IN ('waiting', 'leased', 'done') OR is_open AND NOT is_withdrawn AND NOT is_held"
)
_FLAGS = {"item": {"is_open": "true", "is_withdrawn": "false", "is_held": "false"}}
_FLAGS["submission"] = {"is_held": "false", "is_withdrawn": "false"}


def _gates() -> None:
    op.create_table(
        "object_gate",
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("object_number", sa.String(), nullable=False),
        sa.Column(
            "sensitivity",
            sa.Enum(
                "none", "review", "restricted", name="sensitivity", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("sensitivity_note", sa.String(), nullable=True),
        sa.Column("ai_processing", sa.Boolean(), nullable=False),
        sa.Column("exportable", sa.Boolean(), nullable=False),
        sa.Column("embargo_until", sa.Date(), nullable=True),
        sa.Column("rights_work", sa.String(), nullable=True),
        sa.Column(
            "is_open",
            sa.Boolean(),
            sa.Computed("ai_processing AND sensitivity <> 'restricted'", persisted=True),
            nullable=False,
        ),
        sa.Column("told", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "submission_id IS NULL OR reason IS NULL", name=op.f("ck_object_gate_one_speaker")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_object_gate_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_object_gate_collection_id")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_object_gate_submission_id")
        ),
        sa.PrimaryKeyConstraint("collection_id", "object_number", name=op.f("pk_object_gate")),
        sa.UniqueConstraint(
            "collection_id",
            "object_number",
            "is_open",
            name=op.f("uq_object_gate_collection_id_object_number_is_open"),
        ),
    )
    op.execute(_FILL)


def _columns() -> None:
    for table, flags in _FLAGS.items():
        for name, value in flags.items():
            column = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text(value))
            op.add_column(table, column)
            op.alter_column(table, name, server_default=None)
    op.add_column("submission", sa.Column("number_pattern", sa.String(), nullable=True))
    op.add_column("submission", sa.Column("preview", sa.Integer(), nullable=True))
    op.add_column("submission", sa.Column("reason", sa.String(), nullable=True))


def _constraints() -> None:
    op.drop_constraint(op.f("fk_item_submission_id_collection_id"), "item")
    op.drop_constraint(op.f("uq_submission_id_collection_id"), "submission")
    op.create_unique_constraint(
        op.f("uq_submission_id_collection_id_is_withdrawn"),
        "submission",
        ["id", "collection_id", "is_withdrawn"],
    )
    op.create_check_constraint(
        op.f("ck_submission_received_then_withdrawn"),
        "submission",
        "state = 'received' OR NOT is_withdrawn",
    )
    op.create_check_constraint(op.f("ck_submission_preview"), "submission", "preview > 0")
    _digests("state = 'received' AND NOT is_withdrawn")
    op.create_foreign_key(
        op.f("fk_item_submission_id_collection_id_is_withdrawn"),
        "item",
        "submission",
        ["submission_id", "collection_id", "is_withdrawn"],
        ["id", "collection_id", "is_withdrawn"],
        onupdate="CASCADE",
    )


def _digests(among: str) -> None:
    op.drop_index("uq_submission_collection_id_digest", table_name="submission")
    op.create_index(
        "uq_submission_collection_id_digest",
        "submission",
        ["collection_id", "digest"],
        unique=True,
        postgresql_where=among,
    )


def upgrade() -> None:
    _gates()
    _columns()
    _constraints()
    op.drop_constraint(op.f("ck_item_gate"), "item")
    for statement in (_KEEP_BACK, _SETTLE, _MOVE.format(withheld=_WITHHELD), _MIRROR):
        op.execute(statement)
    op.create_check_constraint(op.f("ck_item_gate"), "item", _NEW_GATE)
    op.create_foreign_key(
        op.f("fk_item_collection_id_object_number_is_open"),
        "item",
        "object_gate",
        ["collection_id", "object_number", "is_open"],
        ["collection_id", "object_number", "is_open"],
        onupdate="CASCADE",
    )
    op.execute(_GUARD.format(**_BY_GATE))
    op.execute(_OWN.format(kinds=f"{_KINDS}, 'object'"))
    op.execute(_AUDIT)


def downgrade() -> None:
    op.execute("DROP FUNCTION predella_audit_withdrawal CASCADE")
    op.execute("DROP FUNCTION predella_audit_object_gate CASCADE")
    op.execute(_OWN.format(kinds=_KINDS))
    op.execute(_GUARD.format(**_BY_ITEM))
    op.drop_constraint(op.f("fk_item_collection_id_object_number_is_open"), "item")
    op.drop_constraint(op.f("ck_item_gate"), "item")
    op.execute("UPDATE item SET is_open = ai_processing AND sensitivity <> 'restricted'")
    op.execute("UPDATE submission SET is_withdrawn = false")
    op.execute("UPDATE item SET is_held = false")
    op.create_check_constraint(op.f("ck_item_gate"), "item", _OLD_GATE)
    op.execute("DROP FUNCTION predella_settle_standing CASCADE")
    op.execute("DROP FUNCTION predella_keep_back CASCADE")
    op.execute(_MOVE.format(withheld=""))
    op.drop_constraint(op.f("fk_item_submission_id_collection_id_is_withdrawn"), "item")
    _digests("state = 'received'")
    op.drop_constraint(op.f("ck_submission_preview"), "submission")
    op.drop_constraint(op.f("ck_submission_received_then_withdrawn"), "submission")
    op.drop_constraint(op.f("uq_submission_id_collection_id_is_withdrawn"), "submission")
    op.create_unique_constraint(
        op.f("uq_submission_id_collection_id"), "submission", ["id", "collection_id"]
    )
    op.create_foreign_key(
        op.f("fk_item_submission_id_collection_id"),
        "item",
        "submission",
        ["submission_id", "collection_id"],
        ["id", "collection_id"],
    )
    for table, flags in _FLAGS.items():
        for name in flags:
            op.drop_column(table, name)
    op.drop_column("submission", "reason")
    op.drop_column("submission", "preview")
    op.drop_column("submission", "number_pattern")
    op.drop_table("object_gate")
