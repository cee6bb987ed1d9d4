"""how an export ended is entered in the audit log"""

from alembic import op

revision = "129a8590298d"
down_revision = "ae5379acfae4"

# Who: nobody. A program ends an export; the entry `export.created` says who wanted it.
_ENDED = """
CREATE FUNCTION predella_audit_export_end() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM predella_enter_house('export.' || NEW.state, 'export', NEW.id, NEW.collection_id,
        CASE NEW.state
            WHEN 'failed' THEN jsonb_build_object('error', NEW.error)
            ELSE jsonb_build_object('destination', NEW.destination, 'lines', NEW.line_count,
                'size', NEW.size, 'sha256', NEW.sha256, 'audit_head', NEW.audit_head)
        END);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_end AFTER UPDATE ON export FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION predella_audit_export_end()
"""


def upgrade() -> None:
    op.execute(_ENDED)


def downgrade() -> None:
    op.execute("DROP FUNCTION predella_audit_export_end CASCADE")
