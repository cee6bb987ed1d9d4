"""Collections: what a museum owns and we may read."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from predella import clock, db, ids
from predella.checks import Thresholds
from predella.errors import InvalidError, NameTakenError, NotFoundError
from predella.formats import addresses, rights
from predella.formats.manifest import Numbering
from predella.formats.text import normalise
from predella.ids import CollectionId, Reach
from predella.models import DEFAULT_PROMPT, Collection, Prompt
from predella.services import prompts
from predella.settings import get_settings

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_MAX_ADDRESS = 2_000
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
    institution_uri: str | None = None,
    text_rights: str | None = None,
    concept_uri: str | None = None,
    prompt: str = DEFAULT_PROMPT,
    number_pattern: str | None = None,
    number_field: str | None = None,
) -> Collection:
    """Open a collection on a bucket, or on a part of one, that the operator allows.

    ``prompt`` is what it asks about its pictures, see `choose_prompt`; ``number_pattern`` and
    ``number_field`` are where its object numbers usually come from, see `choose_numbering`; the
    rest is as in `change`.

    Raises:
        InvalidError: a value cannot be right, or the bucket is not among the allowed ones.
        NotFoundError: there is no such prompt.
        NameTakenError: there is a collection with this slug.
    """
    _require_usable_slug(slug)
    _require_allowed_bucket(bucket)
    numbering = Numbering.parse(number_pattern, number_field)
    said = {
        "name": name,
        "institution": institution,
        "institution_uri": institution_uri,
        "language": language,
        "credit_line": credit_line,
        "text_rights": text_rights,
        "concept_uri": concept_uri,
    }
    row: dict[str, object] = {
        "id": ids.new(),
        "created_at": clock.now(),
        "slug": slug,
        "bucket": bucket,
        "prefix": _usable_prefix(prefix),
        **{fact: _FACTS[fact](value) for fact, value in said.items()},
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


def change(session: Session, collection: Collection, changed: Mapping[str, str | None]) -> None:
    """Have exports say this of a collection from now on; what is not named stays.

    ``name``; ``institution``, the legal body that answers for its texts, and
    ``institution_uri``, where that is described; ``language`` of the texts that are asked for
    from now on; ``credit_line`` of objects that have none; ``text_rights``, the licence of the
    texts; ``concept_uri``, the museum's own term for a formal analysis. Nothing, or an empty
    text, takes away what may be missing.

    Raises:
        InvalidError: a value cannot be right.
    """
    for fact, value in changed.items():
        setattr(collection, fact, _FACTS[fact](value))
    session.flush()


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


def _usable_prefix(prefix: str) -> str:
    if prefix.startswith("/") or _CONTROL.search(prefix):
        raise InvalidError(
            f"the prefix {prefix!r} must be a path in the bucket like paintings/,"
            " without a / in front"
        )
    return prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def _required(what: str, value: str | None) -> str:
    cleaned = _optional(value)
    if not cleaned:
        raise InvalidError(f"the collection needs {what!r}")
    return cleaned


def _optional(value: str | None) -> str | None:
    return normalise(value or "").strip() or None


def _language(value: str | None) -> str:
    if not _LANGUAGE.fullmatch(value or ""):
        raise InvalidError(f"{value or ''!r} is not a language tag like en or pt-BR")
    return value or ""


def _address(what: str, value: str | None) -> str | None:
    address = _optional(value)
    if address and (not addresses.usable(address) or len(address) > _MAX_ADDRESS):
        raise InvalidError(
            f"{what} {address[:_MAX_ADDRESS]!r} is no address on the web,"
            " as https://www.wikidata.org/entity/Q190804"
        )
    return address


def _licence(value: str | None) -> str | None:
    said = _optional(value)
    known = rights.canonical(said) if said else None
    if said and not known:
        raise InvalidError(
            f"text_rights {said[:_MAX_ADDRESS]!r} is no statement of creativecommons.org or"
            " rightsstatements.org, as https://creativecommons.org/licenses/by/4.0/"
        )
    return known


_FACTS: Mapping[str, Callable[[str | None], str | None]] = {
    "name": partial(_required, "name"),
    "institution": partial(_required, "institution"),
    "institution_uri": partial(_address, "institution_uri"),
    "language": _language,
    "credit_line": _optional,
    "text_rights": _licence,
    "concept_uri": partial(_address, "concept_uri"),
}
"""What may be changed about a collection, each with what makes a value of what was said."""
