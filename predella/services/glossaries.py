"""Glossaries: the terms that a collection wants to hear of."""

from collections import defaultdict
from collections.abc import Collection as Ids
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from predella import checks
from predella.checks import Wording
from predella.models import Glossary, Term

_ENDINGS = ("'s", "es", "s")
_Asked = tuple[UUID, str, Wording]
"""A collection, the language of a text, and the text."""


def newest(session: Session, collection_ids: Ids[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    """Return, by collection, the version that counts of each of its glossaries."""
    rows = session.execute(
        select(Glossary.collection_id, Glossary.name, func.max(Glossary.version))
        .where(Glossary.collection_id.in_(collection_ids))
        .group_by(Glossary.collection_id, Glossary.name)
    )
    found = defaultdict[UUID, dict[str, int]](dict)
    for collection_id, name, version in rows:
        found[collection_id][name] = version
    return found


def terms(
    session: Session, asked: Sequence[_Asked]
) -> Mapping[tuple[UUID, str], Sequence[checks.Term]]:
    """Return, by collection and language, the terms that may stand in these texts.

    Only those that begin with a word of the texts are read: a vocabulary may have many thousands.
    """
    counting = (
        select(Glossary.id, Glossary.collection_id, Glossary.name)
        .ext(distinct_on(Glossary.collection_id, Glossary.name))
        .where(Glossary.collection_id.in_({collection_id for collection_id, _, _ in asked}))
        .order_by(Glossary.collection_id, Glossary.name, Glossary.version.desc())
    )
    lists = {row.id: row for row in session.execute(counting)}
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
