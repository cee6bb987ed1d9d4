"""webhooks, and the outbox that tells them of events"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "11d6e922f0e4"
down_revision = "129a8590298d"

# A UUIDv7, for rows that the database makes by itself: a random one but for time and version.
_NEW_ID = """
CREATE FUNCTION predella_new_id() RETURNS uuid LANGUAGE sql VOLATILE
SET search_path = public, pg_temp AS $$
    SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
        || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$
"""

# What nobody listens for is not written down: a house without webhooks pays for one look.
_TELL = """
CREATE FUNCTION predella_listens(listener webhook, told text, within uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT listener.disabled_at IS NULL AND told = ANY (listener.event_types)
        AND (listener.collection_id IS NULL OR listener.collection_id = within)
$$;

CREATE FUNCTION predella_is_heard(told text, within uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM webhook WHERE predella_listens(webhook, told, within))
$$;

CREATE FUNCTION predella_tell(told text, within uuid, path text, data jsonb) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    INSERT INTO webhook_event (type, collection_id, path, data)
        SELECT told, within, path, data WHERE predella_is_heard(told, within)
$$;
REVOKE EXECUTE ON FUNCTION predella_tell FROM PUBLIC;

CREATE FUNCTION predella_address_event() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO webhook_delivery
            (id, created_at, webhook_id, event_id, state, attempt, next_attempt_at)
        SELECT predella_new_id(), now(), webhook.id, NEW.id, 'waiting', 0, now()
        FROM webhook WHERE predella_listens(webhook, NEW.type, NEW.collection_id);
    RETURN NULL;
END $$;
CREATE TRIGGER address AFTER INSERT ON webhook_event
    FOR EACH ROW EXECUTE FUNCTION predella_address_event()
"""

# Alike decisions of one transaction are one event, however many statements took them; it names
# the first hundred, and says where all of them are.
_REVIEW = """
CREATE FUNCTION predella_tell_review() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM webhook WHERE disabled_at IS NULL) THEN
        RETURN NULL;
    END IF;
    INSERT INTO webhook_event AS known (transaction_id, type, collection_id, path, data)
        SELECT pg_current_xact_id()::text::bigint, told, within,
            CASE WHEN count(*) = 1 THEN '/v1/analyses/' || min(analysis_id::text)
                ELSE '/v1/analyses?collection_id=' || within END,
            jsonb_build_object(
                'count', count(*),
                'selection_id', min(selection_id::text),
                'decisions', jsonb_agg(jsonb_build_object(
                    'analysis_id', analysis_id,
                    'review_id', id,
                    'revision_id', revision_id,
                    'revision_sha256', encode(revision_sha256, 'hex'),
                    'undoes_id', undoes_id) ORDER BY place) FILTER (WHERE place <= 100))
        FROM (
            SELECT one.*, 'analysis.' || one.decision AS told, image.collection_id AS within,
                row_number() OVER (
                    PARTITION BY one.decision, image.collection_id ORDER BY one.id) AS place
            FROM entered one
            JOIN analysis ON analysis.id = one.analysis_id
            JOIN image ON image.id = analysis.image_id
            WHERE one.decision IN ('approved', 'rejected', 'reopened')
        ) decided
        GROUP BY told, within HAVING predella_is_heard(told, within)
    ON CONFLICT (transaction_id, created_at, type, collection_id)
        WHERE transaction_id IS NOT NULL
    DO UPDATE SET path = '/v1/analyses?collection_id=' || known.collection_id,
        data = known.data || jsonb_build_object(
            'count', (known.data ->> 'count')::bigint + (excluded.data ->> 'count')::bigint,
            'decisions', CASE WHEN jsonb_array_length(known.data -> 'decisions') >= 100
                THEN known.data -> 'decisions'
                ELSE jsonb_path_query_array((known.data -> 'decisions')
                    || (excluded.data -> 'decisions'), '$[0 to 99]') END);
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT ON review REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION predella_tell_review()
"""

_TOLD = """
CREATE FUNCTION predella_tell_{table}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM predella_tell({event}, NEW.collection_id, '/v1/{table}s/' || NEW.id, {data});
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER UPDATE ON {table} FOR EACH ROW WHEN ({condition})
    EXECUTE FUNCTION predella_tell_{table}()
"""
_ENDS = {
    "export": (
        "'export.' || NEW.state",
        """jsonb_build_object('export_id', NEW.id, 'collection_id', NEW.collection_id,
        'format', NEW.format, 'line_count', NEW.line_count, 'size', NEW.size,
        'sha256', encode(NEW.sha256, 'hex'))""",
        "OLD.state = 'writing' AND NEW.state <> 'writing'",
    ),
    "lot": (
        "CASE NEW.state WHEN 'reverted' THEN 'lot.reverted' ELSE 'lot.concluded' END",
        """jsonb_build_object('lot_id', NEW.id, 'collection_id', NEW.collection_id,
        'state', NEW.state, 'member_count', NEW.member_count,
        'sample_count', NEW.sample_count, 'defect_count', NEW.defect_count)""",
        "OLD.state <> NEW.state",
    ),
    "submission": (
        "'submission.finished'",
        """jsonb_build_object('submission_id', NEW.id, 'collection_id', NEW.collection_id,
        'state', NEW.state, 'rows_accepted', NEW.rows_accepted,
        'rows_refused', NEW.rows_refused)""",
        "OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL",
    ),
}

# What ended before there were webhooks is no news.
_FINISHED = """
UPDATE submission SET finished_at = coalesce(received_at, now())
WHERE state <> 'receiving' AND NOT EXISTS (
    SELECT FROM item
    WHERE item.submission_id = submission.id AND item.state IN ('waiting', 'leased'))
"""

_HOUSE = """
CREATE FUNCTION predella_audit_webhook() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM predella_enter_house(
        CASE WHEN TG_OP = 'INSERT' THEN 'webhook.added'
            WHEN OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL THEN 'webhook.disabled'
            ELSE 'webhook.changed' END,
        'webhook', NEW.id, NEW.collection_id, jsonb_build_object('url', NEW.url,
            'description', NEW.description, 'event_types', NEW.event_types,
            'disabled_at', NEW.disabled_at, 'disabled_reason', NEW.disabled_reason));
    RETURN NULL;
END $$;
CREATE TRIGGER audit_adding AFTER INSERT ON webhook
    FOR EACH ROW EXECUTE FUNCTION predella_audit_webhook();
CREATE TRIGGER audit_change AFTER UPDATE ON webhook FOR EACH ROW
    WHEN ((OLD.url, OLD.description, OLD.event_types, OLD.collection_id, OLD.disabled_at)
        IS DISTINCT FROM
        (NEW.url, NEW.description, NEW.event_types, NEW.collection_id, NEW.disabled_at))
    EXECUTE FUNCTION predella_audit_webhook();

CREATE FUNCTION predella_audit_webhook_secret() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM predella_enter_house('webhook.secret_made', 'webhook', NEW.webhook_id, NULL,
        jsonb_build_object('secret_id', NEW.id));
    RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER INSERT ON webhook_secret
    FOR EACH ROW EXECUTE FUNCTION predella_audit_webhook_secret()
"""

# The kinds of entries that the database makes by itself, with one more.
_OWN = """
CREATE OR REPLACE FUNCTION predella_own_audit() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
        AND EXISTS (SELECT FROM entered WHERE split_part(action, '.', 1) IN (
            'review', 'revision', 'finding', 'export', 'submission', 'account', 'token',
            'collection'{more})) THEN
        RAISE EXCEPTION 'entries of this kind are made by the database alone'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$
"""

_TYPES = (
    "submission.finished",
    "export.written",
    "export.failed",
    "analysis.approved",
    "analysis.rejected",
    "analysis.reopened",
    "lot.concluded",
    "lot.reverted",
)


def upgrade() -> None:
    op.execute(_NEW_ID)
    _add_webhook()
    _add_outbox()
    op.add_column("submission", sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_FINISHED)
    op.create_index(
        "ix_submission_unfinished",
        "submission",
        ["created_at"],
        postgresql_where="finished_at IS NULL",
    )
    for statement in (_TELL, _REVIEW, _HOUSE, _OWN.format(more=", 'webhook'")):
        op.execute(statement)
    for table, (event, data, condition) in _ENDS.items():
        op.execute(_TOLD.format(table=table, event=event, data=data, condition=condition))


def _add_webhook() -> None:
    types = ", ".join(f"'{one}'" for one in _TYPES)
    op.create_table(
        "webhook",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("event_types", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            f"event_types <@ ARRAY[{types}]::varchar[] AND event_types <> '{{}}'",
            name=op.f("ck_webhook_event_types"),
        ),
        sa.CheckConstraint(
            "(disabled_at IS NULL) = (disabled_reason IS NULL)", name=op.f("ck_webhook_disabled")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_webhook_account_id")),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_webhook_collection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "webhook_secret",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_secret_webhook_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secret")),
    )
    op.create_index(op.f("ix_webhook_secret_webhook_id"), "webhook_secret", ["webhook_id"])
    op.create_index(
        "uq_webhook_secret_current",
        "webhook_secret",
        ["webhook_id"],
        unique=True,
        postgresql_where="expires_at IS NULL",
    )


def _add_outbox() -> None:
    op.create_table(
        "webhook_event",
        sa.Column("id", sa.Uuid(), server_default=sa.text("predella_new_id()"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=True),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_event")),
    )
    op.create_index("ix_webhook_event_created_at", "webhook_event", ["created_at"])
    op.create_index(
        "uq_webhook_event_transaction",
        "webhook_event",
        ["transaction_id", "created_at", "type", "collection_id"],
        unique=True,
        postgresql_where="transaction_id IS NOT NULL",
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "delivered",
                "failed",
                name="deliverystate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_webhook_delivery_ended_at")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["webhook_event.id"],
            name=op.f("fk_webhook_delivery_event_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index(op.f("ix_webhook_delivery_event_id"), "webhook_delivery", ["event_id"])
    op.create_index("ix_webhook_delivery_webhook", "webhook_delivery", ["webhook_id", "id"])
    op.create_index(
        "ix_webhook_delivery_waiting",
        "webhook_delivery",
        ["next_attempt_at"],
        postgresql_where="state = 'waiting'",
    )
    op.create_table(
        "webhook_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_delivery.id"],
            name=op.f("fk_webhook_attempt_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempt")),
    )
    op.create_index(op.f("ix_webhook_attempt_delivery_id"), "webhook_attempt", ["delivery_id"])


def downgrade() -> None:
    for table in ("review", *_ENDS):
        op.execute(f"DROP FUNCTION predella_tell_{table} CASCADE")
    op.execute(_OWN.format(more=""))
    op.drop_index("ix_submission_unfinished", table_name="submission")
    op.drop_column("submission", "finished_at")
    for table in ("webhook_attempt", "webhook_delivery", "webhook_event", "webhook_secret"):
        op.drop_table(table)
    op.execute("DROP FUNCTION predella_tell, predella_is_heard, predella_listens")
    op.drop_table("webhook")
    for name in ("address_event", "audit_webhook", "audit_webhook_secret", "new_id"):
        op.execute(f"DROP FUNCTION predella_{name}")
