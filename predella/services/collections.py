"""Collections: what a museum owns and we may read."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from predella import clock, db, ids
from predella.checks import Thresholds
from predella.errors import InvalidError, NameTakenError, NotFoundError
from predella.formats.manifest import Numbering
from predella.formats.text import normalise
from predella.ids import CollectionId, Reach
from predella.models import DEFAULT_PROMPT, Collection, Prompt
from predella.services import prompts
from predella.settings import get_settings

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def create(
    session: Session,
    *,
    slug: str,
    name: str,
    institution: str,
    bucket: str,
    prefix: str = "",
    language: str = "en",
    credit_line: str | None = None,
    prompt: str = DEFAULT_PROMPT,
    number_pattern: str | None = None,
    number_field: str | None = None,
) -> Collection:
    """Open a collection on a bucket, or on a part of one, that the operator allows.

    ``prompt`` is what it asks about its pictures, see `choose_prompt`; ``number_pattern`` and
    ``number_field`` are where its object numbers usually come from, see `choose_numbering`.

    Raises:
        InvalidError: a value cannot be right, or the bucket is not among the allowed ones.
        NotFoundError: there is no such prompt.
        NameTakenError: there is a collection with this slug.
    """
    _require_usable_slug(slug)
    _require_allowed_bucket(bucket)
    _require_language(language)
    numbering = Numbering.parse(number_pattern, number_field)
    row = {
        "id": ids.new(),
        "created_at": clock.now(),
        "slug": slug,
        "name": _required("name", name),
        "institution": _required("institution", institution),
        "bucket": bucket,
        "prefix": _usable_prefix(prefix),
        "language": language,
        "credit_line": normalise(credit_line or "").strip() or None,
        "prompt_id": prompts.find(session, prompt).id,
        "number_pattern": numbering.pattern,
        "number_field": numbering.field.name if numbering.field else None,
        "thresholds": {},
        "review_rules": {},
    }
    made: Collection | None = session.scalar(
        insert(Collection)
        .values(row)
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(Collection)
    )
    if made is None:
        raise NameTakenError("collection", slug)
    return made


def get(session: Session, collection_id: CollectionId, *, lock: bool = False) -> Collection:
    """Return the collection with this id; locked, nobody else changes it meanwhile.

    Raises:
        NotFoundError: there is none.
    """
    # Whoever only refers to it, as a long dry run does, is not in the way.
    held = {"key_share": True} if lock else None
    found = session.get(Collection, collection_id, with_for_update=held)
    if found is None:
        raise NotFoundError("collection", collection_id)
    return found


def by_slug(session: Session, slug: str) -> Collection:
    """Return the collection that people call by this name.

    Raises:
        NotFoundError: there is none.
    """
    found = session.scalar(select(Collection).where(Collection.slug == slug))
    if found is None:
        raise NotFoundError("collection", slug)
    return found


def listed(
    session: Session, *, within: Reach, after: UUID | None = None, limit: int = 50
) -> Sequence[Collection]:
    """Return those of these collections that there are, the oldest first."""
    query = select(Collection).where(db.inside(Collection.id, within))
    query = query.order_by(Collection.id).limit(limit)
    return session.scalars(query.where(Collection.id > after) if after else query).all()


def choose_prompt(session: Session, collection: Collection, prompt: str) -> Prompt:
    """Have a collection ask this from now on: ``name/version``, or the newest of ``name``.

    What was handed in before keeps what it was to be asked. Handed in again, the same pictures
    are asked anew.

    Raises:
        NotFoundError: there is no such prompt.
    """
    chosen = prompts.find(session, prompt)
    collection.prompt_id = chosen.id
    session.flush()
    return chosen


def choose_numbering(
    session: Session, collection: Collection, *, pattern: str | None, field: str | None
) -> Numbering:
    """Have hand-ins that say nothing of it take object numbers from there, from now on.

    ``pattern`` is how file names tell them, ``field`` the field of the pictures' metadata that
    tells them first. What is None stays as it is; an empty one is none.

    Raises:
        InvalidError: one of them cannot be used.
    """
    numbering = Numbering.parse(
        collection.number_pattern if pattern is None else pattern,
        collection.number_field if field is None else field,
    )
    collection.number_pattern = numbering.pattern
    collection.number_field = numbering.field.name if numbering.field else None
    session.flush()
    return numbering


def choose_thresholds(
    session: Session, collection: Collection, chosen: Mapping[str, Any]
) -> Thresholds:
    """Have the checks speak from there on in this collection; what is not named is as usual.

    What was checked before stays as it is until it is checked again: `rechecking`.

    Raises:
        InvalidError: there is no such threshold, or it cannot have this value.
    """
    thresholds = _thresholds(chosen)
    collection.thresholds = thresholds.model_dump(mode="json", exclude_defaults=True)
    session.flush()
    return thresholds


def thresholds_of(collection: Collection) -> Thresholds:
    """Return from where on the checks speak in this collection."""
    return Thresholds.model_validate(collection.thresholds)


def _thresholds(chosen: Mapping[str, Any]) -> Thresholds:
    try:
        return Thresholds.model_validate(chosen)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InvalidError(f"thresholds: {'; '.join(faults)}") from error


def _require_usable_slug(slug: str) -> None:
    if not _SLUG.fullmatch(slug):
        raise InvalidError(
            f"the slug {slug!r} must have 1 to 63 of a-z, 0-9 and -, and not begin with -"
        )


def _require_allowed_bucket(bucket: str) -> None:
    allowed = get_settings().source_buckets
    if bucket not in allowed:
        known = ", ".join(sorted(allowed)) or "none yet"
        raise InvalidError(
            f"bucket {bucket!r} is not among those that collections may lie in ({known});"
            " the operator names them in PREDELLA_SOURCE_BUCKETS"
        )


def _require_language(language: str) -> None:
    if not _LANGUAGE.fullmatch(language):
        raise InvalidError(f"{language!r} is not a language tag like en or pt-BR")


def _usable_prefix(prefix: str) -> str:
    if prefix.startswith("/") or _CONTROL.search(prefix):
        raise InvalidError(
            f"the prefix {prefix!r} must be a path in the bucket like paintings/,"
            " without a / in front"
        )
    return prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def _required(what: str, value: str) -> str:
    cleaned = normalise(value).strip()
    if not cleaned:
        raise InvalidError(f"the collection needs {what!r}")
    return cleaned
