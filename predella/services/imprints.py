"""Imprints: by what texts of a collection are known again, and which are alike."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from predella.checks import Lookalike, Wording, likeness

_UUIDS = ARRAY(Uuid)
_NEAREST = 3
"""Texts that are compared word by word with a new one."""
_IN_A_BAND = 20
"""Texts that are looked at for one band: of a thousand alike, some will do."""


@dataclass(frozen=True)
class Imprinted:
    """One wording, and the collection that it is compared within."""

    analysis_id: UUID
    collection_id: UUID
    wording: Wording
    reused_in: int
    """Works that may share a sentence; counting goes no further."""

    @cached_property
    def bands(self) -> Sequence[int]:
        """By which texts that are nearly the same are found."""
        return likeness.bands(self.wording)

    @cached_property
    def sentences(self) -> Sequence[int]:
        """By which sentences are known again."""
        return list(likeness.sentence_hashes(self.wording))


# Never in the way of another: no two analyses write the same row.
_KEEP = text("""
    INSERT INTO imprint (collection_id, hash, analysis_id)
    SELECT DISTINCT * FROM unnest(:collections, :hashes, :analyses)
    ON CONFLICT DO NOTHING
""").bindparams(
    bindparam("collections", type_=_UUIDS),
    bindparam("hashes", type_=ARRAY(BigInteger)),
    bindparam("analyses", type_=_UUIDS),
)

# The nearest by bands in common, each in its newest wording. Another text about the same image
# is another release's: of course it is alike.
_LOOKALIKES = text("""
    WITH met AS (
        SELECT mine.analysis_id, other.analysis_id AS other_id, count(*) AS shared
        FROM unnest(:collections, :hashes, :analyses) mine (collection_id, hash, analysis_id)
        CROSS JOIN LATERAL (
            SELECT imprint.analysis_id FROM imprint
            WHERE imprint.collection_id = mine.collection_id AND imprint.hash = mine.hash
                AND imprint.analysis_id <> mine.analysis_id
            LIMIT :in_a_band
        ) other
        GROUP BY 1, 2
    ), ranked AS (
        SELECT met.*, item.object_number, row_number() OVER (
            PARTITION BY met.analysis_id ORDER BY shared DESC, other_id) AS place
        FROM met JOIN analysis ON analysis.id = met.analysis_id
        JOIN analysis other ON other.id = met.other_id AND other.image_id <> analysis.image_id
        JOIN item ON item.id = other.item_id
    )
    SELECT ranked.analysis_id, other_id, object_number, newest.text
    FROM ranked CROSS JOIN LATERAL (
        SELECT revision.text FROM revision WHERE revision.analysis_id = other_id
        ORDER BY number DESC LIMIT 1
    ) newest
    WHERE place <= :nearest
""").bindparams(
    bindparam("collections", type_=_UUIDS),
    bindparam("hashes", type_=ARRAY(BigInteger)),
    bindparam("analyses", type_=_UUIDS),
)

_REUSE = text("""
    SELECT mine.analysis_id, mine.hash, counted.works
    FROM unnest(:collections, :hashes, :analyses, :most)
        mine (collection_id, hash, analysis_id, most)
    CROSS JOIN LATERAL (
        SELECT count(*) AS works FROM (
            SELECT FROM imprint
            WHERE imprint.collection_id = mine.collection_id AND imprint.hash = mine.hash
                AND imprint.analysis_id <> mine.analysis_id
            LIMIT mine.most
        ) others
    ) counted
    WHERE counted.works > 0
""").bindparams(
    bindparam("collections", type_=_UUIDS),
    bindparam("hashes", type_=ARRAY(BigInteger)),
    bindparam("analyses", type_=_UUIDS),
    bindparam("most", type_=ARRAY(Integer)),
)


def keep(session: Session, imprinted: Sequence[Imprinted]) -> None:
    """Remember these wordings beside those that their analyses had before."""
    marks = [(one, hashed) for one in imprinted for hashed in (*one.bands, *one.sentences)]
    if marks:
        session.execute(_KEEP, _columns(marks))


def lookalikes(
    session: Session, imprinted: Sequence[Imprinted]
) -> Mapping[UUID, Sequence[Lookalike]]:
    """Return, by analysis, the texts about other images that may say nearly the same."""
    marks = [(one, hashed) for one in imprinted for hashed in one.bands]
    found = defaultdict[UUID, list[Lookalike]](list)
    if marks:
        limits = {"nearest": _NEAREST, "in_a_band": _IN_A_BAND}
        for analysis_id, other_id, number, said in session.execute(
            _LOOKALIKES, _columns(marks) | limits
        ):
            found[analysis_id].append(Lookalike(str(other_id), number, said))
    return found


def reuse(session: Session, imprinted: Sequence[Imprinted]) -> Mapping[UUID, Mapping[int, int]]:
    """Return, by analysis and sentence, in how many other works that sentence stands."""
    marks = [(one, hashed) for one in imprinted for hashed in one.sentences]
    found = defaultdict[UUID, dict[int, int]](dict)
    if marks:
        most = {"most": [one.reused_in for one, _ in marks]}
        for analysis_id, hashed, works in session.execute(_REUSE, _columns(marks) | most):
            found[analysis_id][hashed] = works
    return found


def _columns(marks: Sequence[tuple[Imprinted, int]]) -> dict[str, object]:
    return {
        "collections": [one.collection_id for one, _ in marks],
        "hashes": [hashed for _, hashed in marks],
        "analyses": [one.analysis_id for one, _ in marks],
    }
