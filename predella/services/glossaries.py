"""Glossaries: the terms that a collection wants to hear of."""

import re
from collections import defaultdict
from collections.abc import Collection as Ids
from collections.abc import Mapping, Sequence
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Select, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from predella import checks
from predella.checks import Wording
from predella.errors import InvalidError, NotFoundError
from predella.formats.glossary import Entry
from predella.ids import CollectionId, GlossaryId
from predella.models import Account, Collection, Glossary, Term

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ENDINGS = ("'s", "es", "s")
_Asked = tuple[UUID, str, Wording]
"""A collection, the language of a text, and the text."""


def keep(
    session: Session,
    collection: Collection,
    *,
    name: str,
    entries: Sequence[Entry],
    account: Account,
) -> Glossary:
    """Return the newest version of a list of terms, which has these; made if it had others.

    What was checked before stays as it is until it is checked again: `rechecking`. No entries
    make a version without terms: the list is no longer used.

    Raises:
        InvalidError: the name cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise InvalidError(
            f"the name {name!r} must have 1 to 63 of a-z, 0-9 and -, and not begin with -"
        )
    digest = sha256(repr(list(entries)).encode()).digest()
    # Others who keep a version wait: no two get the same number.
    session.get_one(Collection, collection.id, with_for_update=True)
    known = select(Glossary).filter_by(collection_id=collection.id, name=name)
    before = session.scalar(known.order_by(Glossary.version.desc()).limit(1))
    if before is not None and before.sha256 == digest:
        return before
    glossary = Glossary(
        collection_id=collection.id,
        account_id=account.id,
        name=name,
        version=before.version + 1 if before else 1,
        term_count=len(entries),
        sha256=digest,
    )
    session.add(glossary)
    session.flush()
    rows = [_row(glossary, number, entry) for number, entry in enumerate(entries, start=1)]
    if rows:
        session.execute(insert(Term), rows)
    return glossary


def listed(session: Session, collection_id: CollectionId) -> Sequence[Glossary]:
    """Return the version that counts of each glossary of a collection, by name."""
    return session.scalars(_counting({collection_id})).all()


def get(session: Session, glossary_id: GlossaryId) -> Glossary:
    """Return one version of a list of terms.

    Raises:
        NotFoundError: there is none.
    """
    found = session.get(Glossary, glossary_id)
    if found is None:
        raise NotFoundError("glossary", glossary_id)
    return found


def versions(session: Session, glossary: Glossary) -> Sequence[Glossary]:
    """Return every version of the list that this is one of, the newest first."""
    same = select(Glossary).filter_by(collection_id=glossary.collection_id, name=glossary.name)
    return session.scalars(same.order_by(Glossary.version.desc())).all()


def terms_of(
    session: Session, glossary: Glossary, *, after: int = 0, limit: int = 50
) -> Sequence[Term]:
    """Return the terms of one version, letter by letter; ``after`` is a term's number."""
    page = select(Term).where(Term.glossary_id == glossary.id, Term.number > after)
    return session.scalars(page.order_by(Term.number).limit(limit)).all()


def _row(glossary: Glossary, number: int, entry: Entry) -> dict[str, object]:
    return {
        "glossary_id": glossary.id,
        "number": number,
        "words": list(entry.words),
        "first_word": entry.words[0],
        "forbidden": entry.forbidden,
        "language": entry.language,
        "why": entry.why,
        "instead": entry.instead,
        "source": entry.source,
    }


def _counting(collection_ids: Ids[UUID]) -> Select[Glossary]:
    return (
        select(Glossary)
        .ext(distinct_on(Glossary.collection_id, Glossary.name))
        .where(Glossary.collection_id.in_(collection_ids))
        .order_by(Glossary.collection_id, Glossary.name, Glossary.version.desc())
    )


def newest(session: Session, collection_ids: Ids[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    """Return, by collection, the version that counts of each of its glossaries."""
    found = defaultdict[UUID, dict[str, int]](dict)
    for row in session.scalars(_counting(collection_ids)):
        found[row.collection_id][row.name] = row.version
    return found


def terms(
    session: Session, asked: Sequence[_Asked]
) -> Mapping[tuple[UUID, str], Sequence[checks.Term]]:
    """Return, by collection and language, the terms that may stand in these texts.

    Only those that begin with a word of the texts are read: a vocabulary may have many thousands.
    """
    collection_ids = {collection_id for collection_id, _, _ in asked}
    lists = {row.id: row for row in session.scalars(_counting(collection_ids))}
    found = defaultdict[tuple[UUID, str], list[checks.Term]](list)
    if not lists:
        return found
    rows = session.scalars(
        select(Term)
        .where(Term.glossary_id.in_(lists), Term.first_word.in_(_beginnings(asked)))
        .order_by(Term.glossary_id, Term.number)
    ).all()
    for collection_id, language in {
        (collection_id, language) for collection_id, language, _ in asked
    }:
        found[collection_id, language] = [
            _term(row, lists[row.glossary_id].name)
            for row in rows
            if lists[row.glossary_id].collection_id == collection_id
            and row.language in {None, language.partition("-")[0].lower()}
        ]
    return found


def _beginnings(asked: Sequence[_Asked]) -> set[str]:
    said = {word.text for _, _, wording in asked for word in wording.words}
    return said | {word.removesuffix(ending) for word in said for ending in _ENDINGS}


def _term(row: Term, name: str) -> checks.Term:
    return checks.Term(
        words=tuple(row.words),
        forbidden=row.forbidden,
        why=row.why,
        instead=row.instead,
        source=row.source or name,
    )
