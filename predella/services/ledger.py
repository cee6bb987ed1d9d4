"""Who works on which item: claims, heartbeats, and how an attempt ends.

An item in hand is leased under a token that its claim made. Whoever ends an attempt must
still hold that token: a worker that fell silent and wakes up again finds that its items are
no longer its own, and what it brings is dropped. Only the database's clock counts.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, String, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from predella import ids
from predella.ids import CollectionId, ImageId, ItemId, LeaseToken
from predella.models import Outcome, Stage
from predella.storage import ObjectVersion

GAVE_UP = "gave_up"
_UUIDS = ARRAY(Uuid)


@dataclass(frozen=True)
class ClaimedImage:
    """What the prepare stage found out about an item's image."""

    id: ImageId
    sha256: bytes
    preprocessing: str
    model_sha256: bytes


@dataclass(frozen=True)
class Claimed:
    """One item that a worker has in hand, for as long as its lease is kept alive."""

    id: ItemId
    token: LeaseToken
    attempt: int
    collection_id: CollectionId
    source: ObjectVersion
    sha256: bytes | None
    """What the original's bytes must have, if that is known already."""
    is_primary: bool
    language: str
    prompt_id: str
    """What is asked about it."""
    sample: int
    """0, or the number of the further text that somebody wants."""
    image: ClaimedImage | None

    @property
    def picture(self) -> ClaimedImage:
        """The prepared image, which an item in the analyze stage always has."""
        if self.image is None:
            raise TypeError(f"item {self.id} is not prepared yet")
        return self.image

    @property
    def asked(self) -> tuple[str, int]:
        """What, and which sample: two items that agree in it are answered alike."""
        return self.prompt_id, self.sample

    @property
    def is_suspect(self) -> bool:
        """Whether an earlier attempt did not end well: it may take its process down."""
        return self.attempt > 1


# One suspect alone, or else a group of fresh items: an image that kills its process must
# not use up the attempts of innocent ones again and again.
_CLAIM = text("""
    WITH suspect AS (
        SELECT id FROM item
        WHERE stage = :stage AND state = 'waiting' AND attempt > 0 AND next_attempt_at <= now()
            AND :suspects
        ORDER BY priority, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ), fresh AS (
        SELECT id FROM item
        WHERE stage = :stage AND state = 'waiting' AND attempt = 0 AND next_attempt_at <= now()
            AND NOT EXISTS (SELECT FROM suspect)
        ORDER BY priority, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), leased AS (
        UPDATE item SET state = 'leased', attempt = attempt + 1, lease_token = :token,
            lease_owner = :worker, lease_until = now() + make_interval(secs => :lease_seconds)
        FROM (TABLE suspect UNION ALL TABLE fresh) chosen WHERE item.id = chosen.id
        RETURNING item.*
    ), tried AS (
        INSERT INTO attempt (id, created_at, item_id, stage, number, lease_token, worker)
        SELECT (:attempt_ids)[row_number() OVER (ORDER BY id)], now(), id, stage, attempt,
            lease_token, lease_owner
        FROM leased
    )
    SELECT leased.id, leased.lease_token, leased.attempt, leased.collection_id, leased.bucket,
        leased.key, leased.size, leased.etag, leased.version_id, leased.sha256,
        leased.is_primary, leased.language, leased.prompt_id, leased.image_id,
        coalesce(regeneration.sample, 0) AS sample,
        image.sha256 AS image_sha256, image.preprocessing, image.model_sha256
    FROM leased LEFT JOIN image ON image.id = leased.image_id
    LEFT JOIN regeneration
        ON regeneration.item_id = leased.id AND regeneration.state = 'waiting'
    ORDER BY leased.priority, leased.id
""").bindparams(bindparam("attempt_ids", type_=_UUIDS), bindparam("token", type_=Uuid))

# In the order of ids, as ``_LOCK`` does: a heartbeat and a finish of the same worker would
# wait for each other otherwise.
_BEAT = text("""
    WITH held AS (
        SELECT item.id FROM item JOIN unnest(:ids, :tokens) AS mine (id, token)
            ON item.id = mine.id AND item.lease_token = mine.token
        WHERE item.state = 'leased'
        ORDER BY item.id FOR UPDATE OF item
    )
    UPDATE item SET lease_until = now() + make_interval(secs => :lease_seconds)
    FROM held WHERE item.id = held.id
    RETURNING item.id, item.lease_token
""").bindparams(bindparam("ids", type_=_UUIDS), bindparam("tokens", type_=_UUIDS))

_LOCK = text("""
    SELECT item.id FROM item JOIN unnest(:ids, :tokens) AS held (id, token)
        ON item.id = held.id AND item.lease_token = held.token
    WHERE item.state = 'leased'
    ORDER BY item.id FOR UPDATE OF item
""").bindparams(bindparam("ids", type_=_UUIDS), bindparam("tokens", type_=_UUIDS))

_CLOSE = text("""
    UPDATE attempt SET ended_at = now(), outcome = :outcome, error_code = :code, error = :sentence
    FROM item
    WHERE item.id = ANY(:ids) AND attempt.item_id = item.id
        AND attempt.lease_token = item.lease_token
""").bindparams(
    bindparam("ids", type_=_UUIDS),
    bindparam("code", type_=String),
    bindparam("sentence", type_=String),
)

_FAIL = text("""
    UPDATE item SET state = 'failed', error_code = :code, error = :sentence,
        finished_at = now(), lease_token = NULL, lease_owner = NULL, lease_until = NULL
    WHERE id = ANY(:ids)
""").bindparams(bindparam("ids", type_=_UUIDS))

# 5 s, 10 s, 20 s ... at most 5 minutes, spread by half: what failed together comes apart.
_PUT_BACK = text("""
    UPDATE item SET state = 'waiting', lease_token = NULL, lease_owner = NULL, lease_until = NULL,
        next_attempt_at = now()
            + make_interval(secs => least(300, 2.5 * 2 ^ attempt) * (0.75 + random() / 2))
    WHERE id = ANY(:ids)
""").bindparams(bindparam("ids", type_=_UUIDS))

_RELEASE = text("""
    UPDATE item SET state = 'waiting', attempt = attempt - 1, next_attempt_at = now(),
        lease_token = NULL, lease_owner = NULL, lease_until = NULL
    WHERE id = ANY(:ids)
""").bindparams(bindparam("ids", type_=_UUIDS))

_ENDED_HERE = text("""
    SELECT attempt.item_id FROM attempt JOIN unnest(:ids, :tokens) AS held (id, token)
        ON attempt.item_id = held.id AND attempt.lease_token = held.token
    WHERE attempt.outcome <> 'lost'
""").bindparams(bindparam("ids", type_=_UUIDS), bindparam("tokens", type_=_UUIDS))


def claim(
    session: Session,
    stage: Stage,
    *,
    worker: str,
    limit: int,
    lease_seconds: float,
    suspects: bool = True,
) -> list[Claimed]:
    """Take one suspect, or else up to ``limit`` fresh items, in hand under a new token.

    The attempt is counted now, before anything is tried, so that an item which kills its
    process is counted too. ``suspects`` says whether the caller is ready for one: it must
    have nothing else in hand.
    """
    rows = session.execute(
        _CLAIM,
        {
            "stage": stage,
            "worker": worker,
            "limit": limit,
            "suspects": suspects,
            "lease_seconds": lease_seconds,
            "token": ids.new(),
            "attempt_ids": [ids.new() for _ in range(limit)],
        },
    )
    return [_claimed(row) for row in rows]


def _claimed(row: Row[Any]) -> Claimed:
    image = None
    if row.image_id is not None:
        image = ClaimedImage(
            ImageId(row.image_id), row.image_sha256, row.preprocessing, row.model_sha256
        )
    return Claimed(
        id=row.id,
        token=row.lease_token,
        attempt=row.attempt,
        collection_id=row.collection_id,
        source=ObjectVersion(row.bucket, row.key, row.size, row.etag, row.version_id),
        sha256=row.sha256,
        is_primary=row.is_primary,
        language=row.language,
        prompt_id=row.prompt_id,
        sample=row.sample,
        image=image,
    )


def heartbeat(
    session: Session, held: Collection[Claimed], *, lease_seconds: float
) -> list[Claimed]:
    """Keep the leases on these items alive; return those that are not the caller's any more."""
    beaten = session.execute(_BEAT, _pairs(held) | {"lease_seconds": lease_seconds})
    ours = {tuple(row) for row in beaten}
    return [item for item in held if (item.id, item.token) not in ours]


def lock(session: Session, held: Collection[Claimed]) -> set[ItemId]:
    """Lock those of these items that are still in the caller's hand, and return their ids."""
    return set(session.scalars(_LOCK, _pairs(held)))


def close(
    session: Session,
    item_ids: Collection[ItemId],
    outcome: Outcome,
    *,
    code: str | None = None,
    sentence: str | None = None,
) -> None:
    """Write down how the attempts at these items ended; they must still carry their leases."""
    session.execute(
        _CLOSE, {"ids": list(item_ids), "outcome": outcome, "code": code, "sentence": sentence}
    )


def fail(session: Session, held: Claimed, *, code: str, sentence: str) -> set[ItemId]:
    """End an item for good: its image is at fault. Nothing happens when it is not ours."""
    mine = lock(session, [held])
    close(session, mine, Outcome.FAILED, code=code, sentence=sentence)
    _end(session, mine, code, sentence)
    return mine


def retry(
    session: Session, held: Claimed, *, code: str, sentence: str, max_attempts: int
) -> set[ItemId]:
    """Put an item back for later, or give it up when it was tried often enough.

    Nothing happens when it is not ours any more.
    """
    mine = lock(session, [held])
    close(session, mine, Outcome.RETRY, code=code, sentence=sentence)
    if held.attempt >= max_attempts:
        told = f"given up after {held.attempt} attempts; the last one: {sentence}"
        _end(session, mine, GAVE_UP, told)
    else:
        session.execute(_PUT_BACK, {"ids": list(mine)})
    return mine


def _end(session: Session, mine: Collection[ItemId], code: str, sentence: str) -> None:
    session.execute(_FAIL, {"ids": list(mine), "code": code, "sentence": sentence})


def release(session: Session, held: Collection[Claimed]) -> set[ItemId]:
    """Give items back as if they had not been touched: the attempt does not count."""
    mine = lock(session, held)
    close(session, mine, Outcome.RELEASED)
    session.execute(_RELEASE, {"ids": list(mine)})
    return mine


def ended_here(session: Session, held: Collection[Claimed]) -> set[ItemId]:
    """Return those whose attempts the holder of their tokens has ended.

    For a caller whose commit lost its reply: what ``lock`` no longer finds was either
    ended by that very commit, or taken away.
    """
    return set(session.scalars(_ENDED_HERE, _pairs(held)))


def _pairs(held: Collection[Claimed]) -> dict[str, Any]:
    return {"ids": [item.id for item in held], "tokens": [item.token for item in held]}
