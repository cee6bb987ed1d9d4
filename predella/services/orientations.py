"""Orientations: photographs that lie on their side, before any text about them is read."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from predella.checks import BY_NAME, CheckName, Context, Picture, Record, Wording
from predella.ids import CollectionId, SubmissionId
from predella.models import Image, Item


def turned(
    session: Session,
    *,
    submission_id: SubmissionId | None = None,
    collection_id: CollectionId | None = None,
) -> Iterator[tuple[Item, str]]:
    """Return the items whose prepared picture fits the catalog's dimensions only when turned.

    Each comes with a sentence for a digitization team; nothing is held back for it.
    """
    query = select(Item, Image).join(Image, Image.id == Item.image_id).order_by(Item.id)
    if submission_id is not None:
        query = query.where(Item.submission_id == submission_id)
    if collection_id is not None:
        query = query.where(Item.collection_id == collection_id)
    rows = query.where(Item.dimensions.is_not(None)).execution_options(yield_per=1_000)
    for item, image in session.execute(rows):
        picture = Picture(image.width, image.height, image.facts)
        around = Context(records=[Record(dimensions=item.dimensions)], picture=picture)
        for finding in BY_NAME[CheckName.ORIENTATION].findings(Wording(""), around):
            yield item, finding.sentence
