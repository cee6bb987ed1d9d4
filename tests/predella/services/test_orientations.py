from sqlalchemy.orm import Session

from predella.ids import CollectionId, SubmissionId
from predella.models import Collection
from predella.services import orientations
from tests import factories


class TestTurned:
    def test_names_what_fits_its_dimensions_only_on_its_side(self, session: Session) -> None:
        within = factories.submission(session)
        wide = factories.image(
            session,
            session.get_one(Collection, within.collection_id),
            width=1200,
            height=900,
            facts={"orientation": 6},
        )
        lying = factories.item(session, within, dimensions="120 x 90 cm", image_id=wide.id)
        for fields in (
            {"dimensions": "90 x 120 cm", "image_id": wide.id},
            {"dimensions": None, "image_id": wide.id},
            {"dimensions": "120 x 90 cm"},
        ):
            factories.item(session, within, **fields)

        ((item, sentence),) = orientations.turned(session, submission_id=SubmissionId(within.id))

        assert item is lying
        assert "120 x 90 cm" in sentence
        assert "asked to be turned" in sentence
        other = CollectionId(factories.collection(session).id)
        assert list(orientations.turned(session, collection_id=other)) == []
