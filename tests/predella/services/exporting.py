"""Exports as a worker writes them, and what is in their files."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from predella.ids import CollectionId, ExportId
from predella.models import Collection, Export, ExportFormat, ExportState
from predella.services import exporting, exports
from predella.storage import Location, Store
from tests import factories


def written(
    session: Session,
    collection_id: CollectionId,
    store: Store,
    format: ExportFormat = ExportFormat.JSONL,  # noqa: A002  (the word of the service)
    **fields: Any,
) -> Export:
    """Return an export that was asked for and written."""
    made = exports.create(
        session,
        session.get_one(Collection, collection_id),
        account=factories.account(session),
        format=format,
        **fields,
    )
    session.commit()
    assert exports.write_waiting(store)
    session.expire_all()
    export = exports.get(session, ExportId(made.id))
    assert export.state is ExportState.WRITTEN, export.error
    return export


def content(export: Export, store: Store) -> bytes:
    """Return the bytes of its file."""
    place = Location.parse(export.destination)
    return store.read(place.bucket, place.key)


def file(export: Export, store: Store, folder: Path) -> Path:
    """Return its file, on this machine."""
    path = folder / f"{export.id}{exporting.file_format(export).SUFFIX}"
    path.write_bytes(content(export, store))
    return path


def said(export: Export, store: Store) -> dict[str, str | None]:
    """Return the text of each object in JSON Lines; None for one that is withdrawn."""
    lines = map(json.loads, content(export, store).splitlines())
    return {
        line["object"]["number"]: line["wording"]["text"] if "wording" in line else None
        for line in lines
    }
