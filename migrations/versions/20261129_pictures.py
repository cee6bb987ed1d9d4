"""pictures that show several objects obey the strictest gate of them"""

import sqlalchemy as sa
from alembic import op

revision = "8fae9989ac5c"
down_revision = "28ce3c75e777"

# Items of the same bytes show the same picture: bytes are known by the store's ETag and size
# from the first, and by their sha256 once they were read. Those that show one object alone, as
# nearly all do, are left without a name of their picture, and cost nothing.
_MATCH_BY = """
    WITH given AS (
        SELECT DISTINCT collection_id, {by} FROM item
        JOIN unnest(given_ids) AS given (id) USING (id)
    ), alike AS (
        SELECT collection_id, {by},
            min(coalesce(item.picture_id, item.id)::text)::uuid AS picture_id
        FROM item JOIN given USING (collection_id, {by})
        GROUP BY collection_id, {by} HAVING min(object_number) <> max(object_number)
    ), named AS (
        SELECT item.id, item.picture_id AS earlier_id, alike.picture_id
        FROM item JOIN alike USING (collection_id, {by})
        WHERE item.picture_id IS DISTINCT FROM alike.picture_id
    ), moved AS (
        SELECT item.id, named.picture_id FROM item JOIN named ON item.picture_id = named.earlier_id
        UNION SELECT id, picture_id FROM named
    )
    UPDATE item SET picture_id = moved.picture_id FROM moved WHERE item.id = moved.id;
"""
_MATCH = f"""
CREATE FUNCTION predella_match_pictures(given_ids uuid[]) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    {_MATCH_BY.format(by="etag, size")}
    {_MATCH_BY.format(by="sha256")}
END $$;

CREATE FUNCTION predella_match_entered() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM predella_match_pictures(array_agg(id)) FROM entered;
    RETURN NULL;
END $$;

CREATE TRIGGER match_pictures AFTER INSERT ON item REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION predella_match_entered()
"""

# Locked first and looked at second: two gates of one picture may change at once.
_SETTLE_PICTURES = """
CREATE FUNCTION predella_settle_pictures(given_ids uuid[]) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM item WHERE picture_id = ANY(given_ids) ORDER BY id FOR NO KEY UPDATE;
    UPDATE item SET is_beside_closed = NOT is_beside_closed
    FROM (
        SELECT picture_id, min(object_number) FILTER (WHERE NOT is_open AND NOT is_withdrawn)
                AS first_closed,
            max(object_number) FILTER (WHERE NOT is_open AND NOT is_withdrawn) AS last_closed
        FROM item WHERE picture_id = ANY(given_ids) GROUP BY picture_id
    ) shown
    WHERE item.picture_id = shown.picture_id AND item.is_beside_closed <> coalesce(
        object_number <> first_closed OR object_number <> last_closed, false);
END $$
"""

_STAND = """    UPDATE standing SET state = CASE WHEN found.is_shown
        THEN coalesce(nullif(found.decision, 'reopened'), 'needs_review') ELSE 'withheld' END
    FROM (
        SELECT one.analysis_id,
            EXISTS (SELECT FROM item WHERE item.analysis_id = one.analysis_id
                AND item.is_open {and_alone}AND NOT item.is_withdrawn) AS is_shown,
            (SELECT decision FROM review WHERE review.analysis_id = one.analysis_id
                ORDER BY number DESC LIMIT 1) AS decision
        FROM unnest(touched) AS one (analysis_id)
    ) found
    WHERE standing.analysis_id = found.analysis_id
        AND (standing.state = 'withheld') = found.is_shown;
    RETURN NULL;
END $$
"""
_SETTLE = """
CREATE OR REPLACE FUNCTION predella_settle_standing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE read_ids uuid[]; picture_ids uuid[]; touched uuid[];
BEGIN
    -- Workers change items many times a second, and hardly ever these.
    SELECT array_agg(new_item.id) FILTER (WHERE new_item.sha256 IS DISTINCT FROM old_item.sha256),
        array_agg(DISTINCT new_item.picture_id) FILTER (WHERE new_item.picture_id IS NOT NULL
            AND (new_item.picture_id, new_item.is_open, new_item.is_withdrawn)
                IS DISTINCT FROM (old_item.picture_id, old_item.is_open, old_item.is_withdrawn)),
        array_agg(DISTINCT new_item.analysis_id) FILTER (WHERE new_item.analysis_id IS NOT NULL
            AND (new_item.analysis_id, new_item.is_open, new_item.is_beside_closed,
                    new_item.is_withdrawn)
                IS DISTINCT FROM (old_item.analysis_id, old_item.is_open,
                    old_item.is_beside_closed, old_item.is_withdrawn))
        INTO read_ids, picture_ids, touched
        FROM new_item JOIN old_item USING (id);
    IF read_ids IS NOT NULL THEN
        -- Who finds the same bytes at the same time has to see this.
        PERFORM pg_advisory_xact_lock(hashtextextended(encode(sha256, 'hex'), 0)) FROM (
            SELECT DISTINCT sha256 FROM item WHERE id = ANY(read_ids) ORDER BY sha256
        ) read;
        PERFORM predella_match_pictures(read_ids);
    END IF;
    IF picture_ids IS NOT NULL THEN
        PERFORM predella_settle_pictures(picture_ids);
    END IF;
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;
"""
_SETTLE_BEFORE = """
CREATE OR REPLACE FUNCTION predella_settle_standing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE touched uuid[];
BEGIN
    SELECT array_agg(DISTINCT new_item.analysis_id) INTO touched
        FROM new_item JOIN old_item USING (id)
        WHERE new_item.analysis_id IS NOT NULL
            AND (new_item.analysis_id, new_item.is_open, new_item.is_withdrawn)
                IS DISTINCT FROM (old_item.analysis_id, old_item.is_open, old_item.is_withdrawn);
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;
"""

_KEEP_BACK = """
CREATE OR REPLACE FUNCTION predella_keep_back() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF {may} AND NOT NEW.is_withdrawn AND NOT NEW.is_held THEN
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
        WHEN NOT ({may}) THEN 'withheld' ELSE 'held' END;
    NEW.lease_token := NULL;
    NEW.lease_owner := NULL;
    NEW.lease_until := NULL;
    RETURN NEW;
END $$;

DROP TRIGGER keep_back ON item;
CREATE TRIGGER keep_back BEFORE INSERT OR UPDATE ON item FOR EACH ROW
    WHEN (NEW.state IN ('withheld', 'withdrawn', 'held')
        OR NEW.state <> 'failed' AND (NOT ({may}) OR NEW.is_withdrawn OR NEW.is_held))
    EXECUTE FUNCTION predella_keep_back()
"""
_MAY = "NEW.is_open AND NOT NEW.is_beside_closed"

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
    PERFORM 1 FROM item JOIN {shown} ON shown.item_id = item.id
        JOIN object_gate USING (collection_id, object_number)
        ORDER BY item.id FOR SHARE OF item, object_gate;
    SELECT string_agg(lines.analysis_id::text, ', ') INTO culprit FROM lines
        JOIN review approval ON approval.id = lines.review_id
        JOIN review newer
            ON newer.analysis_id = approval.analysis_id AND newer.number > approval.number;
    IF culprit IS NOT NULL THEN
        RAISE EXCEPTION 'the approval was undone of analysis %', left(culprit, 500)
            USING ERRCODE = 'restrict_violation';
    END IF;

    SELECT string_agg(lines.item_id::text, ', ') INTO culprit FROM lines
        LEFT JOIN (item JOIN object_gate USING (collection_id, object_number))
            ON item.id = lines.item_id AND item.analysis_id = lines.analysis_id
            AND {lets} AND item.is_open AND NOT item.is_withdrawn
        WHERE item.id IS NULL{beside};
    IF culprit IS NOT NULL THEN
        RAISE EXCEPTION 'item % may not leave', left(culprit, 500)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$
"""
_LETS = """object_gate.sensitivity = 'none' AND object_gate.exportable
            AND (object_gate.embargo_until IS NULL OR object_gate.embargo_until <= current_date)
            AND object_gate.rights_work IS NOT NULL"""
_BESIDE = f""" OR EXISTS (
            SELECT FROM item other JOIN object_gate USING (collection_id, object_number)
            WHERE other.picture_id = item.picture_id AND NOT other.is_withdrawn
                AND NOT (other.is_open AND {_LETS})
        )"""
_SHOWN = """(
            SELECT item_id FROM lines
            UNION SELECT other.id FROM lines JOIN item one ON one.id = lines.item_id
                JOIN item other ON other.picture_id = one.picture_id
        ) shown"""

_GATE = (
    "state NOT IN ('waiting', 'leased', 'done') OR is_open AND {}NOT is_withdrawn AND NOT is_held"
)
_WHERE_KNOWN = {"ix_item_sha256": ["collection_id", "sha256"], "ix_item_picture": ["picture_id"]}


def upgrade() -> None:
    op.add_column("item", sa.Column("picture_id", sa.Uuid(), nullable=True))
    flag = sa.Column("is_beside_closed", sa.Boolean(), nullable=False, server_default="false")
    op.add_column("item", flag)
    op.alter_column("item", "is_beside_closed", server_default=None)
    op.execute(
        "UPDATE item SET sha256 = image.sha256 FROM image"
        " WHERE image.id = item.image_id AND item.sha256 IS NULL"
    )
    op.create_check_constraint(
        op.f("ck_item_read_before_prepared"), "item", "image_id IS NULL OR sha256 IS NOT NULL"
    )
    op.create_index("ix_item_file", "item", ["collection_id", "etag"])
    for name, columns in _WHERE_KNOWN.items():
        known = f"{columns[-1]} IS NOT NULL"
        op.create_index(name, "item", columns, postgresql_where=known)
    op.drop_constraint(op.f("ck_item_gate"), "item")
    settle = _SETTLE + _STAND.format(and_alone="AND NOT item.is_beside_closed ")
    for statement in (_MATCH, _SETTLE_PICTURES, settle, _KEEP_BACK.format(may=_MAY)):
        op.execute(statement)
    op.execute("SELECT predella_match_pictures(array_agg(id)) FROM item")
    op.create_check_constraint(
        op.f("ck_item_gate"), "item", _GATE.format("NOT is_beside_closed AND ")
    )
    op.execute(_GUARD.format(shown=_SHOWN, lets=_LETS, beside=_BESIDE))


def downgrade() -> None:
    op.execute(_GUARD.format(shown="lines shown", lets=_LETS, beside=""))
    op.drop_constraint(op.f("ck_item_gate"), "item")
    op.execute(_KEEP_BACK.format(may="NEW.is_open"))
    op.execute(_SETTLE_BEFORE + _STAND.format(and_alone=""))
    op.execute("UPDATE item SET is_beside_closed = false WHERE is_beside_closed")
    op.execute("""
        UPDATE standing SET state = coalesce((
            SELECT nullif(decision, 'reopened') FROM review
            WHERE review.analysis_id = standing.analysis_id ORDER BY number DESC LIMIT 1
        ), 'needs_review')
        WHERE state = 'withheld' AND EXISTS (SELECT FROM item
            WHERE item.analysis_id = standing.analysis_id AND is_open AND NOT is_withdrawn)
    """)
    op.execute("DROP FUNCTION predella_match_entered CASCADE")
    op.execute("DROP FUNCTION predella_settle_pictures")
    op.execute("DROP FUNCTION predella_match_pictures")
    op.create_check_constraint(op.f("ck_item_gate"), "item", _GATE.format(""))
    op.drop_index("ix_item_picture", table_name="item")
    op.drop_index("ix_item_sha256", table_name="item")
    op.drop_index("ix_item_file", table_name="item")
    op.drop_constraint(op.f("ck_item_read_before_prepared"), "item")
    op.drop_column("item", "is_beside_closed")
    op.drop_column("item", "picture_id")
