"""One of everything that a page can show, as it lies in the database of a museum at work."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from predella import clock
from predella.formats import glossary as term_lists
from predella.models import (
    Account,
    Collection,
    EventType,
    ExportFormat,
    ItemState,
    Refusal,
    Role,
    Run,
    Standing,
    Submission,
    SubmissionState,
    Webhook,
)
from predella.sampling import Plan
from predella.services import accounts, glossaries, lots, searches, selections
from tests import factories

_TERMS = b"""term,ruling,language,why,instead,source
exotic,forbidden,en,from where?,the name of the place,house style 2025
primitive,avoid,en,it ranks cultures,,
"""
_MISSING = "There is no file RP-P-{0}.tif beside the manifest; did you mean RP-P-{0}.tiff?"
_REFUSALS = (
    *((row, "missing_file", _MISSING.format(row)) for row in (4, 7, 8)),
    (9, "checksum_mismatch", "The file RP-P-9.tif is not the one that the manifest describes."),
    (10, "unknown_rights", 'rights_work "public" is not a statement of rightsstatements.org.'),
    (11, "already_submitted", "The same file was handed in with the same words on 2026-11-20."),
)
_PROFILE = "columns:\n  Inventory no.: object_number\n  Text: text\n  Origin: disclosure\n"
_FAILURES = (
    ("source_changed", "The file was replaced after it was handed in.", 1),
    ("damaged", "The file ends in the middle of the picture.", 3),
    ("engine", "The model stopped answering; nothing is wrong with the picture.", 2),
)


def furnish(session: Session, analysis_id: UUID, *, by: Account) -> dict[str, str]:
    """Make one of everything around a text; return the addresses of its pages by name."""
    standing = session.get_one(Standing, analysis_id)
    collection = session.get_one(Collection, standing.collection_id)
    within = factories.submission(session, collection, title="Paper, third delivery.csv")
    factories.item(session, within)
    factories.analyses(session, 3, within)
    _fail(session, within)
    _refuse(session, within)
    _work(session)
    collection.institution_uri = "https://www.wikidata.org/entity/Q190804"
    collection.text_rights = "http://creativecommons.org/licenses/by/4.0/"
    whole = factories.submission(
        session,
        collection,
        state=SubmissionState.REFUSED,
        refusal='There is no column "object_number"; found are "inventarisnummer" and "titel".',
    )
    entries = term_lists.read(_TERMS, "house.csv")
    terms = glossaries.keep(session, collection, name="house", entries=entries, account=by)
    exported = factories.export(session, collection, format=ExportFormat.CSV, profile=_PROFILE)
    lot = lots.create(session, collection=collection, plan=Plan.STANDARD, account=by)
    query = searches.parse(session, "state:needs_review", account=by, within=None)
    frozen = selections.freeze(session, query, account=by)
    other = factories.account(session, Role.CURATOR, name="wim")
    accounts.issue_token(session, other, name="the script that reads the scanner's folder")
    listener = Webhook(
        url="https://catalogue.museum.example/predella",
        description="The collection system",
        event_types=[EventType.ANALYSIS_APPROVED.value, EventType.EXPORT_WRITTEN.value],
        account_id=by.id,
    )
    session.add(listener)
    session.flush()
    here = f"/desk/analyses/{analysis_id}"
    return {
        "queue": "/desk",
        "queue of nothing": "/desk?q=nowhere",
        "queue that cannot be read": "/desk?q=nokey:1",
        "review": here,
        "proof": f"{here}/provenance",
        "selection": f"/desk/selections/{frozen.id}?choice=lot",
        "lots": "/desk/lots",
        "lot": f"/desk/lots/{lot.id}",
        "submissions": "/desk/submissions",
        "submission": f"/desk/submissions/{within.id}",
        "refused submission": f"/desk/submissions/{whole.id}",
        "exports": "/desk/exports",
        "export": f"/desk/exports/{exported.id}",
        "collections": "/desk/collections",
        "collection": f"/desk/collections/{collection.slug}",
        "object": f"/desk/objects/{collection.slug}/SK-A-1000",
        "objects": f"/desk/objects/{collection.slug}",
        "glossaries": "/desk/glossaries",
        "glossary": f"/desk/glossaries/{terms.id}",
        "accounts": "/desk/accounts",
        "account": f"/desk/accounts/{other.id}",
        "webhooks": "/desk/webhooks",
        "webhook": f"/desk/webhooks/{listener.id}",
        "own account": "/desk/me",
    }


def _fail(session: Session, within: Submission) -> None:
    for code, sentence, times in _FAILURES:
        for _ in range(times):
            fields = {"state": ItemState.FAILED, "finished_at": clock.now()}
            factories.item(session, within, error_code=code, error=sentence, **fields)


def _refuse(session: Session, within: Submission) -> None:
    within.rows_read, within.rows_accepted, within.rows_refused = 15, 9, 6
    session.add_all(
        Refusal(
            submission_id=within.id,
            row_number=row,
            object_number=f"RP-P-{row}",
            filename=f"RP-P-{row}.tif",
            code=code,
            sentence=sentence,
        )
        for row, code, sentence in _REFUSALS
    )
    session.add(
        Refusal(
            submission_id=within.id,
            row_number=0,
            filename="contact sheet.jpg",
            code="file_without_row",
            sentence="No row of the manifest names this file.",
        )
    )
    session.flush()


def _work(session: Session) -> None:
    """Let a model have written at a rate that is known."""
    began = clock.now() - timedelta(minutes=50)
    session.add(
        Run(
            worker="gpu-1:417",
            model_name="GalleryGPT-7B",
            device="cuda",
            batch_size=32,
            created_at=began,
            updated_at=began + timedelta(minutes=40),
            ended_at=began + timedelta(minutes=40),
            images=10,
        )
    )
    session.flush()
