"""Wordings: how a text got from what the model wrote to what now stands."""

from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from predella.errors import InvalidError, NotFoundError, NothingToUndoError
from predella.formats import diff
from predella.formats.text import normalise
from predella.models import Account, Revision
from predella.services import checkups

MAX_TEXT = 20_000
"""Characters of a wording."""


def numbered(session: Session, analysis_id: UUID, number: int) -> Revision:
    """Return one wording of an analysis; 0 is the model's own.

    Raises:
        NotFoundError: there is none.
    """
    found = select(Revision).filter_by(analysis_id=analysis_id, number=number)
    wording = session.scalar(found)
    if wording is None:
        raise NotFoundError("wording", f"{analysis_id}@{number}")
    return wording


def usable(text: str) -> str:
    """Return a text as it is stored.

    Raises:
        InvalidError: there is nothing in it, or it is longer than 20,000 characters.
    """
    wording = normalise(text)
    if not wording.strip():
        raise InvalidError("the text is empty; to keep it out of the catalog, reject it")
    if len(wording) > MAX_TEXT:
        raise InvalidError(
            f"the text has {len(wording):,} characters; at most {MAX_TEXT:,} are kept"
        )
    return wording


def add(
    session: Session, newest: Revision, text: str, account: Account, *, restores: int | None = None
) -> Revision:
    """Write the wording that follows the newest one, and run the checks on it."""
    models_own = newest if newest.number == 0 else numbered(session, newest.analysis_id, 0)
    revision = Revision(
        analysis_id=newest.analysis_id,
        number=newest.number + 1,
        text=text,
        sha256=sha256(text.encode()).digest(),
        account=account,
        restores_number=restores,
        edit_distance=diff.distance(models_own.text, text),
        share_kept=diff.share_kept(models_own.text, text),
    )
    session.add(revision)
    session.flush()
    checkups.run(session, [revision.id])
    return revision


def before(session: Session, newest: Revision) -> Revision:
    """Return the wording that the last amendment still standing replaced.

    A wording that restores another stands for that one, which is never itself a restored
    one: so undoing again goes one amendment further back, and never to and fro.

    Raises:
        NothingToUndoError: it is the model's own that stands.
    """
    number = stands_for(newest)
    if number == 0:
        raise NothingToUndoError(newest.analysis_id)
    replaced = numbered(session, newest.analysis_id, number - 1)
    return numbered(session, newest.analysis_id, stands_for(replaced))


def stands_for(revision: Revision) -> int:
    """Return the number of the wording that this one reads like: its own, or the one restored."""
    return revision.number if revision.restores_number is None else revision.restores_number
