"""From when on a delta tells what changed: an earlier export like it, or a day."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from predella import clock
from predella.errors import InvalidError, NotFoundError
from predella.formats.catalog import CatalogFormat
from predella.ids import CollectionId
from predella.models import Collection, Export, ExportFormat, ExportState

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


class NoDeltaError(InvalidError):
    """A format cannot tell what was withdrawn."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} has nothing for a text that was withdrawn, so there is no delta in it:"
            " export the whole collection again"
        )
        self.name = name


class ForeignExportError(InvalidError):
    """A delta cannot follow an export that wrote something else, or nothing."""

    def __init__(self, export: Export) -> None:
        super().__init__(
            f"a delta follows a written export of the same collection, format and profile;"
            f" export {export.id} is {export.format} and {export.state}"
        )
        self.export_id = export.id


class NoSuchMomentError(InvalidError):
    """Nothing had left by then, or it is still to come."""

    def __init__(self, since: datetime) -> None:
        super().__init__(f"a delta counts from a day between 1970 and today, not from {since}")
        self.since = since


def moment(
    session: Session,
    collection: Collection,
    since: UUID | datetime,
    *,
    format: ExportFormat,  # noqa: A002  (the word that the command line and the API use)
    form: CatalogFormat,
    profile: str | None,
) -> datetime:
    """Return when what the receiver has was written; a moment without a zone is in UTC.

    Raises:
        NoDeltaError: the format cannot tell what was withdrawn.
        NoSuchMomentError: the moment is still to come, or long past.
        NotFoundError: there is no such export in this collection.
        ForeignExportError: that export is none that a delta like this can follow.
    """
    if not form.WITHDRAWS:
        raise NoDeltaError(format)
    if isinstance(since, datetime):
        return _past(since if since.tzinfo else since.replace(tzinfo=UTC))
    earlier = session.get(Export, since)
    if earlier is None or earlier.collection_id != collection.id:
        raise NotFoundError("export", since)
    if (earlier.format, earlier.profile) != (format, profile) or earlier.written_at is None:
        raise ForeignExportError(earlier)
    return earlier.written_at


def _past(since: datetime) -> datetime:
    if not _FIRST <= since <= clock.now():
        raise NoSuchMomentError(since)
    return since


def newest(
    session: Session,
    collection_id: CollectionId,
    format: ExportFormat,  # noqa: A002  (as above)
    profile: str | None,
) -> UUID | None:
    """Return the newest written export of a collection in these columns, if there is one."""
    return session.scalar(
        select(Export.id)
        .where(
            Export.collection_id == collection_id,
            Export.format == format,
            Export.profile.is_not_distinct_from(profile),
            Export.state == ExportState.WRITTEN,
        )
        .order_by(Export.written_at.desc())
        .limit(1)
    )
