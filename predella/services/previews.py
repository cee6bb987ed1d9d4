"""Previews: some objects of a hand-in go first, and the rest when somebody has looked."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from predella.models import Submission

# Objects, as somebody who looks at paintings would spread them: sorted by what they are, every
# so-manieth is taken, so that each artist, medium, date and folder has its share. A picture that
# shows a closed object, too, would show nobody anything.
_PREVIEW = text("""
    CREATE TEMPORARY TABLE previewed ON COMMIT DROP AS
    WITH closed AS (
        SELECT judged.key FROM handed_in JOIN judged USING (id)
        JOIN object_gate gate ON gate.collection_id = :collection_id
            AND gate.object_number = handed_in.object_number
        WHERE judged.code IS NULL AND NOT gate.is_open
    ), sorted AS (
        SELECT handed_in.object_number, count(*) OVER () AS total, row_number() OVER (
            ORDER BY artist, medium, date, substring(judged.key from '^.*/'),
                md5(:seed || handed_in.object_number)
        ) - 1 AS place
        FROM handed_in JOIN judged USING (id)
        JOIN object_gate gate ON gate.collection_id = :collection_id
            AND gate.object_number = handed_in.object_number
        WHERE judged.code IS NULL AND judged.is_primary AND gate.is_open
            AND judged.key NOT IN (SELECT key FROM closed)
    )
    SELECT object_number FROM sorted
    WHERE (place + 1) * CAST(:preview AS bigint) / total > place * CAST(:preview AS bigint) / total
""")


def choose(session: Session, submission: Submission, *, seed: str) -> None:
    """Put into ``previewed`` the objects that go first, spread over what was handed in.

    The same seed chooses the same. Where the hand-in wants no preview there are none.
    """
    session.execute(text("DROP TABLE IF EXISTS pg_temp.previewed"))
    names = {
        "collection_id": submission.collection_id,
        "preview": submission.preview,
        "seed": seed,
    }
    session.execute(_PREVIEW, names)
