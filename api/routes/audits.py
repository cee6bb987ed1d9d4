from api.dependencies import Administrator, DbSession
from api.idempotency import Router
from api.paging import ByNumber, Rows
from api.schemas.audits import AuditEntryOut
from api.schemas.base import Page
from predella.models import AuditEntry
from predella.services import audits

router = Router(prefix="/audit", tags=["audit"])


@router.get("", response_model=Page[AuditEntryOut])
def list_audit_entries(
    session: DbSession, _administrator: Administrator, paging: ByNumber
) -> Rows[AuditEntry]:
    """List who did what."""
    rows = audits.listed(session, after=paging.after or 0, limit=paging.limit)
    return paging.page(rows, lambda row: row.seq)
