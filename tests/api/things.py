"""One thing of every kind that a path can name, in a collection of their own."""

from sqlalchemy.orm import Session

from predella.formats.glossary import Entry
from predella.ids import AnalysisId
from predella.models import RejectionReason
from predella.sampling import Plan
from predella.services import (
    controls,
    glossaries,
    lots,
    remarks,
    searches,
    selections,
)
from tests import factories

Things = dict[str, str]
"""By the names that paths have for them."""

PARTS = {"version": "0" * 12, "level": "0", "column": "0", "row": "0"}


def put(session: Session, slug: str) -> Things:
    """Put one of each into a new collection; none of their names is that of anything else."""
    within = factories.collection(session, slug=slug, name=f"Works of {slug}")
    submission = factories.submission(session, within, title=f"Handed in to {slug}")
    read, flagged, bad = (
        factories.analysis(
            session, factories.item(session, submission, object_number=f"{slug}-{n}")
        )
        for n in range(3)
    )
    by = factories.account(session, name=f"works-in-{slug}")
    image = factories.image(session, within)
    finding = factories.finding(session, flagged)
    remarks.add(session, AnalysisId(read.id), text=f"Said in {slug}.", account=by)
    control = controls.seed(session, AnalysisId(bad.id), expected=RejectionReason.OTHER, account=by)
    glossary = glossaries.keep(
        session, within, name=f"terms-{slug}", entries=[Entry(words=("vase",))], account=by
    )
    selection = selections.freeze(
        session,
        searches.parse(session, f"collection:{slug}", account=by, within=None),
        account=by,
    )
    lot = lots.create(session, collection=within, plan=Plan.QUICK_LOOK, account=by)
    return PARTS | {
        "slug": slug,
        "analysis_id": str(read.id),
        "collection_id": str(within.id),
        "control_id": str(control.id),
        "export_id": str(factories.export(session, within).id),
        "finding_id": str(finding.id),
        "glossary_id": str(glossary.id),
        "image_id": str(image.id),
        "lot_id": str(lot.id),
        "object_number": f"{slug}-0",
        "operation_id": str(submission.id),
        "selection_id": str(selection.id),
        "submission_id": str(submission.id),
    }
