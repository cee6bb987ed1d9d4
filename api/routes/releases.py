from api.dependencies import AnyReader, DbSession
from api.idempotency import Router
from api.schemas.releases import ReleaseOut
from predella.models import Release
from predella.services import releases

router = Router(prefix="/releases", tags=["releases"])


@router.get("", response_model=list[ReleaseOut])
def list_releases(session: DbSession, _reader: AnyReader) -> list[Release]:
    """List every release that ever served here, the newest first."""
    return list(releases.listed(session))
