"""A predella of a benchmark's own: a database, a store, and prepared pictures that wait."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from sqlalchemy import func
from sqlalchemy.orm import Session

from predella import db, ids, logs, storage
from predella.cli.stack import Stack
from predella.ids import CollectionId
from predella.models import (
    Collection,
    Image,
    Item,
    ObjectGate,
    Role,
    Stage,
    Submission,
    SubmissionState,
)
from predella.models.item import Sensitivity
from predella.services import accounts, images
from predella.settings import Settings, get_settings
from worker.images import PREPROCESSING

_SIDE = 336
_THREADS = 8
_COARSE = 12
"""Pictures have large forms, as paintings have: so many a side."""
_GRAIN = 6
"""Levels: a canvas is never even, and a PNG of it is large."""


@contextmanager
def opened(report: Callable[[str], None]) -> Iterator[Settings]:
    """Start services that nobody else knows, and let this process know no others."""
    chosen = get_settings().pg_bin
    extra = {"PREDELLA_PG_BIN": str(chosen)} if chosen else {}
    with (
        tempfile.TemporaryDirectory(prefix="predella-bench-") as folder,
        _at(Path(folder)),
        Stack(Path(folder), report=report, extra=extra) as stack,
    ):
        stack.start_services()
        _forget()
        yield get_settings()
        db.engine().dispose()


@contextmanager
def _at(home: Path) -> Iterator[None]:
    """Let settings come from this home alone, whatever the environment says of another."""
    environment = os.environ  # noqa: TID251  (what is read from it is read by the settings)
    ours = [name for name in environment if name.startswith("PREDELLA_")]
    before = {name: environment.pop(name) for name in ours}
    environment |= {"PREDELLA_HOME": str(home), "PREDELLA_LOG_LEVEL": "warning"}
    _forget()
    logs.configure(get_settings())
    try:
        yield
    finally:
        del environment["PREDELLA_HOME"], environment["PREDELLA_LOG_LEVEL"]
        environment |= before
        _forget()


def _forget() -> None:
    factory = db._session_factory  # noqa: SLF001  (it remembers the engine)
    for cached in (get_settings, db.engine, factory, storage.store):
        cached.cache_clear()


def pictures(count: int) -> list[bytes]:
    """Return model-ready PNGs that all differ."""
    draw = np.random.default_rng(0)
    return [_picture(draw) for _ in range(count)]


def _picture(draw: np.random.Generator) -> bytes:
    coarse = draw.integers(0, 256, (_COARSE, _COARSE, 3), dtype=np.uint8)
    forms = Pillow.fromarray(coarse).resize((_SIDE, _SIDE), Pillow.Resampling.BICUBIC)
    grained = np.asarray(forms, float) + draw.normal(0, _GRAIN, (_SIDE, _SIDE, 3))
    out = BytesIO()
    Pillow.fromarray(grained.clip(0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def hand_in(pngs: Sequence[bytes], settings: Settings) -> None:
    """Leave these pictures as the first stage does: in a collection of their own."""
    with db.transaction() as session:
        within = _submission(session, settings.bucket)
        collection_id = CollectionId(within.collection_id)
        for number, png in enumerate(pngs):
            _item(session, within, png, number)
    store = storage.store()

    def put(png: bytes) -> None:
        key = images.model_key(collection_id, hashlib.sha256(png).digest(), PREPROCESSING)
        store.put(settings.bucket, key, png, media_type="image/png")

    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(put, pngs):
            pass


def _submission(session: Session, bucket: str) -> Submission:
    name = f"bench-{ids.new()}"
    account = accounts.add(session, name=name, display_name="Bench", roles=[Role.DIGITIZER])
    collection = Collection(
        id=ids.new(), slug=name, name=name, institution=name, bucket=bucket, prefix=""
    )
    session.add(collection)
    session.flush()
    submission = Submission(
        id=ids.new(),
        collection_id=collection.id,
        account_id=account.id,
        source=f"s3://{bucket}/",
        state=SubmissionState.RECEIVED,
        received_at=func.now(),
    )
    session.add(submission)
    session.flush()
    return submission


def _gate(session: Session, within: Submission, number: int) -> None:
    session.add(
        ObjectGate(
            collection_id=within.collection_id,
            object_number=str(number),
            sensitivity=Sensitivity.NONE,
            ai_processing=True,
            exportable=True,
            told={},
            account_id=within.account_id,
        )
    )
    session.flush()


def _item(session: Session, within: Submission, png: bytes, number: int) -> None:
    sha256 = hashlib.sha256(png).digest()
    image = Image(
        id=ids.new(),
        collection_id=within.collection_id,
        sha256=sha256,
        size=len(png),
        format="PNG",
        width=_SIDE,
        height=_SIDE,
        preprocessing=PREPROCESSING,
        model_sha256=sha256,
        facts={},
        prepared_at=func.now(),
    )
    session.add(image)
    _gate(session, within, number)
    session.add(
        Item(
            submission_id=within.id,
            collection_id=within.collection_id,
            row_number=number + 1,
            object_number=str(number),
            is_primary=True,
            language="en",
            sensitivity=Sensitivity.NONE,
            ai_processing=True,
            exportable=True,
            extra={},
            bucket="bench",
            key=str(number),
            size=len(png),
            etag=sha256.hex(),
            sha256=sha256,
            image_id=image.id,
            stage=Stage.ANALYZE,
            next_attempt_at=func.now(),
        )
    )
