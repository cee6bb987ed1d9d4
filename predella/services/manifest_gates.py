"""What a hand-in's manifest says of gates: news about objects, and what that keeps back."""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from predella.models import Account, Submission
from predella.services import audits, gates

# What this hand-in says of each object, where that is news: the object is, or its newest
# manifest said something else. The strictest of its rows counts; of the rights those of the row
# that speaks for it. Further views alone may close an object, and never open it.
_TOLD = text("""
    CREATE TEMPORARY TABLE told ON COMMIT DROP AS
    WITH gathered AS (
        SELECT object_number,
            CASE WHEN bool_or(sensitivity = 'restricted') THEN 'restricted'
                WHEN bool_or(sensitivity = 'review') THEN 'review' ELSE 'none' END AS sensitivity,
            (array_agg(sensitivity_note ORDER BY is_primary DESC, row_number)
                FILTER (WHERE sensitivity_note IS NOT NULL))[1] AS sensitivity_note,
            bool_and(ai_processing) AS ai_processing, bool_and(export) AS exportable,
            max(embargo_until) AS embargo_until,
            (array_agg(rights_work ORDER BY is_primary DESC, row_number))[1] AS rights_work,
            bool_or(is_primary) AS speaks
        FROM handed_in JOIN judged USING (id) WHERE judged.code IS NULL GROUP BY object_number
    ), said AS (
        SELECT gathered.*, jsonb_build_object('sensitivity', sensitivity,
            'sensitivity_note', sensitivity_note, 'ai_processing', ai_processing,
            'exportable', exportable, 'embargo_until', embargo_until,
            'rights_work', rights_work) AS told
        FROM gathered
    )
    SELECT said.*, gate.is_open AS was_open FROM said LEFT JOIN object_gate gate
        ON gate.collection_id = :collection_id AND gate.object_number = said.object_number
    WHERE gate.told IS NULL OR gate.told <> said.told
        AND (speaks OR NOT said.ai_processing OR said.sensitivity = 'restricted')
""")

_SPEAK = text("""
    INSERT INTO object_gate (collection_id, object_number, sensitivity, sensitivity_note,
        ai_processing, exportable, embargo_until, rights_work, told, submission_id, account_id,
        changed_at)
    SELECT :collection_id, object_number, sensitivity, sensitivity_note, ai_processing,
        exportable, embargo_until, rights_work, told, :submission_id, :account_id, now()
    FROM told ORDER BY object_number
    ON CONFLICT (collection_id, object_number) DO UPDATE SET
        sensitivity = excluded.sensitivity, sensitivity_note = excluded.sensitivity_note,
        ai_processing = excluded.ai_processing, exportable = excluded.exportable,
        embargo_until = excluded.embargo_until, rights_work = excluded.rights_work,
        told = excluded.told, submission_id = excluded.submission_id,
        account_id = excluded.account_id, reason = NULL, changed_at = excluded.changed_at
""")

_KEPT_BACK = text("""
    SELECT count(*) FILTER (WHERE sensitivity = 'restricted') AS restricted,
        count(*) FILTER (WHERE NOT ai_processing) AS ai_processing,
        count(*) FILTER (WHERE sensitivity = 'review') AS review,
        count(*) FILTER (WHERE NOT exportable) AS denied,
        count(*) FILTER (WHERE embargo_until > current_date) AS embargoed,
        count(*) FILTER (WHERE rights_work IS NULL) AS rights_unknown
    FROM object_gate WHERE collection_id = :collection_id AND submission_id = :submission_id
""")

_LOCK_TOLD = gates.lock_of("told")
_UNFINISH_TOLD = gates.unfinish("told")


def speak(session: Session, submission: Submission) -> None:
    """Have the accepted rows of a hand-in say what may be done with their objects.

    One statement, whatever their number. What a manifest said before is no news: it does not
    undo what a person has said since.
    """
    names = {
        "collection_id": submission.collection_id,
        "submission_id": submission.id,
        "account_id": submission.account_id,
    }
    session.execute(text("DROP TABLE IF EXISTS pg_temp.told"))
    session.execute(_TOLD, names)
    session.execute(_LOCK_TOLD, names)
    spoken = cast("CursorResult[Any]", session.execute(_SPEAK, names))
    if spoken.rowcount:
        session.execute(_UNFINISH_TOLD, names)
        _note_kept_back(session, names)


def _note_kept_back(session: Session, names: Mapping[str, Any]) -> None:
    counted = session.execute(_KEPT_BACK, names).mappings().one()
    if kept := {gate: count for gate, count in counted.items() if count}:
        audits.note(
            session,
            action="gates.kept_back",
            subject_kind="submission",
            subject_id=names["submission_id"],
            account=session.get_one(Account, names["account_id"]),
            details=kept,
        )
