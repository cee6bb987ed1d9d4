"""Answers: what a request with a key of its own was answered, so that sending it again is safe."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from predella.errors import StillRunningError
from predella.models import Account, Answer


def take(session: Session, account: Account, key: str) -> Answer | None:
    """Hold an account's key until the transaction ends; return the answer if there was one.

    Whoever comes second is told so and does not wait: retries that pile up behind a slow
    request would hold every connection.

    Raises:
        StillRunningError: another request holds the key.
    """
    name = func.hashtextextended(f"predella.answer {account.id} {key}", 0)
    if not session.scalar(select(func.pg_try_advisory_xact_lock(name))):
        raise StillRunningError
    return session.scalar(select(Answer).filter_by(account_id=account.id, key=key))


def keep(
    session: Session,
    account: Account,
    *,
    key: str,
    request: str,
    sha256: bytes,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    """Keep an answer, for at least 24 hours; the sweep takes it away after them."""
    session.add(
        Answer(
            account_id=account.id,
            key=key,
            request=request,
            sha256=sha256,
            status=status,
            headers=dict(headers),
            body=body,
        )
    )
    session.flush()
