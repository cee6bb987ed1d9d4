"""who did what, in a chain that shows when a link was changed"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "c4d19f7e0a35"
down_revision = "8d2c6e94b1f7"

# Only sealing may touch an entry, and only once.
_KEEP = """
CREATE FUNCTION predella_keep_audit() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.hash IS NOT NULL OR NEW.hash IS NULL
        OR to_jsonb(NEW) - '{number,previous_hash,hash}'::text[]
            <> to_jsonb(OLD) - '{number,previous_hash,hash}'::text[] THEN
        RAISE EXCEPTION 'audit_entry is append-only: UPDATE refused'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER keep_sealed BEFORE UPDATE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION predella_keep_audit();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION predella_refuse_change()
"""

# What the database enters by itself nobody may claim: such entries are the owner's alone.
_OWN = """
CREATE FUNCTION predella_own_audit() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
        AND EXISTS (SELECT FROM entered WHERE split_part(action, '.', 1) IN (
            'review', 'revision', 'finding', 'export', 'submission', 'account', 'token',
            'collection')) THEN
        RAISE EXCEPTION 'entries of this kind are made by the database alone'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER own AFTER INSERT ON audit_entry
    REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION predella_own_audit()
"""

# What it hashes is spelt out once more in predella/services/audits.py, which does not trust it.
_SEAL = """
CREATE FUNCTION predella_seal_audit() RETURNS bytea LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last_number bigint;
    last_hash bytea;
    previous bytea;
    entry audit_entry;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('predella.audit'));
    SELECT number, hash INTO last_number, last_hash FROM audit_entry
        WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1;
    last_number := coalesce(last_number, 0);
    FOR entry IN SELECT * FROM audit_entry WHERE hash IS NULL ORDER BY seq LOOP
        previous := last_hash;
        last_number := last_number + 1;
        last_hash := sha256(coalesce(previous, ''::bytea) || convert_to(jsonb_build_array(
            last_number, entry.seq, extract(epoch FROM entry.at), entry.account_id,
            entry.account_name, entry.action, entry.subject_kind, entry.subject_id,
            entry.collection_id, entry.details)::text, 'UTF8'));
        UPDATE audit_entry SET number = last_number, previous_hash = previous, hash = last_hash
            WHERE seq = entry.seq;
    END LOOP;
    RETURN last_hash;
END $$
"""

_COLUMNS = "account_id, account_name, action, subject_kind, subject_id, collection_id, details"

# The whole row goes in, whatever columns it has by now, but for a text: its sha256 says as much.
_DECIDED = """
CREATE FUNCTION predella_audit_{table}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_entry ({columns})
        SELECT one.account_id, account.name, {action}, {kind}, {subject},
            standing.collection_id,
            to_jsonb(one) - '{{account_id,created_at,text}}'::text[]
        FROM entered one JOIN account ON account.id = one.account_id
        LEFT JOIN standing ON standing.analysis_id = one.analysis_id
        ORDER BY one.id;
    RETURN NULL;
END $$;

CREATE TRIGGER audit AFTER INSERT ON {table} REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION predella_audit_{table}()
"""
_DECISIONS = {
    "review": ("'review.' || one.decision", "'analysis'", "one.analysis_id::text"),
    "revision": ("'revision.written'", "'analysis'", "one.analysis_id::text"),
    "dismissal": (
        "CASE WHEN one.dismissed THEN 'finding.dismissed' ELSE 'finding.restored' END",
        "'finding'",
        "one.finding_id::text",
    ),
}

_ASKED = """
CREATE FUNCTION predella_audit_{table}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_entry ({columns})
        SELECT one.account_id, account.name, '{table}.created', '{table}', one.id::text,
            one.collection_id, {details}
        FROM entered one JOIN account ON account.id = one.account_id ORDER BY one.id;
    RETURN NULL;
END $$;

CREATE TRIGGER audit AFTER INSERT ON {table} REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION predella_audit_{table}()
"""
_REQUESTS = {
    "export": "jsonb_build_object('format', one.format, 'destination', one.destination)",
    "submission": "jsonb_build_object('source', one.source, 'title', one.title)",
}

# Who: the account that this transaction acts for, see predella/services/audits.py; a command of
# the operator acts for nobody.
_HOUSE = """
CREATE FUNCTION predella_enter_house(
    action text, kind text, subject uuid, within uuid, details jsonb
) RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS $$
    INSERT INTO audit_entry (account_id, account_name, action, subject_kind, subject_id,
            collection_id, details)
        SELECT actor.id, account.name, action, kind, subject::text, within, details
        FROM (SELECT nullif(current_setting('predella.actor', true), '')::uuid AS id) actor
        LEFT JOIN account ON account.id = actor.id
$$;
REVOKE EXECUTE ON FUNCTION predella_enter_house FROM PUBLIC;

CREATE FUNCTION predella_audit_account() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM predella_enter_house(
        CASE WHEN TG_OP = 'INSERT' THEN 'account.opened'
            WHEN OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL THEN 'account.disabled'
            ELSE 'account.changed' END,
        'account', NEW.id, NULL, jsonb_build_object('name', NEW.name,
            'display_name', NEW.display_name, 'roles', NEW.roles,
            'disabled_at', NEW.disabled_at));
    RETURN NULL;
END $$;
CREATE TRIGGER audit_opening AFTER INSERT ON account
    FOR EACH ROW EXECUTE FUNCTION predella_audit_account();
CREATE TRIGGER audit_change AFTER UPDATE ON account FOR EACH ROW
    WHEN ((OLD.name, OLD.display_name, OLD.roles, OLD.disabled_at)
        IS DISTINCT FROM (NEW.name, NEW.display_name, NEW.roles, NEW.disabled_at))
    EXECUTE FUNCTION predella_audit_account();

CREATE FUNCTION predella_audit_token() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM predella_enter_house(
        CASE WHEN TG_OP = 'INSERT' THEN 'token.made'
            WHEN OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL THEN 'token.revoked'
            ELSE 'token.changed' END,
        'token', NEW.id, NULL, jsonb_build_object('account_id', NEW.account_id, 'name', NEW.name,
            'scopes', NEW.scopes, 'expires_at', NEW.expires_at,
            'revoked_at', NEW.revoked_at));
    RETURN NULL;
END $$;
CREATE TRIGGER audit_making AFTER INSERT ON token
    FOR EACH ROW EXECUTE FUNCTION predella_audit_token();
CREATE TRIGGER audit_change AFTER UPDATE ON token FOR EACH ROW
    WHEN ((OLD.account_id, OLD.name, OLD.sha256, OLD.scopes, OLD.expires_at, OLD.revoked_at)
        IS DISTINCT FROM
        (NEW.account_id, NEW.name, NEW.sha256, NEW.scopes, NEW.expires_at, NEW.revoked_at))
    EXECUTE FUNCTION predella_audit_token();

CREATE FUNCTION predella_audit_collection() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) ELSE '{}' END;
    changed jsonb;
BEGIN
    SELECT jsonb_object_agg(key, value) INTO changed FROM jsonb_each(to_jsonb(NEW))
        WHERE before -> key IS DISTINCT FROM value AND key NOT IN ('id', 'created_at');
    IF changed IS NOT NULL THEN
        PERFORM predella_enter_house(
            CASE TG_OP WHEN 'INSERT' THEN 'collection.made' ELSE 'collection.changed' END,
            'collection', NEW.id, NEW.id, changed);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON collection
    FOR EACH ROW EXECUTE FUNCTION predella_audit_collection()
"""


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("account_name", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(number IS NULL) = (hash IS NULL)", name=op.f("ck_audit_entry_sealed")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("number", name=op.f("uq_audit_entry_number")),
    )
    op.create_index(
        "ix_audit_entry_unsealed", "audit_entry", ["seq"], postgresql_where="hash IS NULL"
    )
    op.add_column("export", sa.Column("audit_head", sa.LargeBinary(), nullable=True))
    for statement in (_KEEP, _OWN, _SEAL):
        op.execute(statement)
    for table, (action, kind, subject) in _DECISIONS.items():
        op.execute(
            _DECIDED.format(
                table=table, columns=_COLUMNS, action=action, kind=kind, subject=subject
            )
        )
    for table, details in _REQUESTS.items():
        op.execute(_ASKED.format(table=table, columns=_COLUMNS, details=details))
    op.execute(_HOUSE)


def downgrade() -> None:
    for table in (*_DECISIONS, *_REQUESTS, "account", "token", "collection"):
        op.execute(f"DROP FUNCTION predella_audit_{table} CASCADE")
    op.execute("DROP FUNCTION predella_enter_house")
    op.execute("DROP FUNCTION predella_seal_audit")
    op.drop_column("export", "audit_head")
    op.drop_table("audit_entry")
    op.execute("DROP FUNCTION predella_keep_audit")
    op.execute("DROP FUNCTION predella_own_audit")
