from sqlalchemy.orm import Session

from predella.models import Release
from predella.services import entries, releases
from tests import factories


class TestRegister:
    def test_keeps_what_it_was_made_from_and_tells_it_to_catalogs(self, session: Session) -> None:
        spec = factories.spec(base_model="owner/base@main")

        made = session.get_one(Release, releases.register(session, spec))

        assert "base_model" not in made.spec
        assert entries.release(made).base_model == "owner/base@main"

    def test_a_release_that_was_there_stays_what_it_was(self, session: Session) -> None:
        earlier = factories.spec()
        known = releases.register(session, earlier)

        told = factories.spec(code_version=earlier.code_version, base_model="owner/base")

        assert releases.register(session, told) == known
        assert session.get_one(Release, known).base_model is None
