import pytest
from sqlalchemy.orm import Session

from predella import ids
from predella.errors import NotFoundError, PermissionDeniedError
from predella.ids import AnalysisId
from predella.models import Collection, Role
from predella.services import accounts, memberships, places, searches, selections
from predella.services.accounts import Principal
from tests import factories


def _analysis(session: Session, within: Collection) -> AnalysisId:
    submission = factories.submission(session, within)
    return AnalysisId(factories.analysis(session, factories.item(session, submission)).id)


def _member(session: Session, *given: tuple[Collection, Role]) -> Principal:
    account = accounts.add(session, name="ines", display_name="Inês Ōe", roles=[])
    for within, role in given:
        memberships.change(session, account, within, [role])
    _, secret = accounts.issue_token(session, account, name="test")
    return accounts.authenticate(session, secret)


class TestRequire:
    def test_a_selection_has_to_be_allowed_wherever_its_texts_lie(self, session: Session) -> None:
        prints, maps, hidden = (
            factories.collection(session, slug=slug) for slug in ("prints", "maps", "hidden")
        )
        for within in (prints, maps, hidden):
            _analysis(session, within)
        by = factories.account(session)
        frozen = {
            text: selections.freeze(
                session, searches.parse(session, text, account=by, within=None), account=by
            ).id
            for text in ("collection:prints", "collection:prints,maps", "collection:prints,hidden")
        }
        member = _member(session, (prints, Role.APPROVER), (maps, Role.CURATOR))
        own, partly, beyond = frozen.values()

        places.require(session, member, "approvals:write", selection_id=own)
        with pytest.raises(PermissionDeniedError, match="in the collection 'maps'"):
            places.require(session, member, "approvals:write", selection_id=partly)
        with pytest.raises(NotFoundError):
            places.require(session, member, "approvals:write", selection_id=beyond)

    def test_who_may_do_it_nowhere_learns_nothing_of_what_there_is(self, session: Session) -> None:
        own, other = factories.collection(session), factories.collection(session)
        member = _member(session, (own, Role.CURATOR))

        for id_ in (_analysis(session, other), ids.new()):
            with pytest.raises(PermissionDeniedError) as denied:
                places.require(session, member, "exports:write", analysis_id=id_)
            assert denied.value.collection is None


class TestForbidden:
    def test_tells_for_each_text_and_scope(self, session: Session) -> None:
        own, other = factories.collection(session), factories.collection(session)
        member = _member(session, (own, Role.CURATOR))
        mine, theirs = _analysis(session, own), _analysis(session, other)

        found = places.forbidden(
            session,
            member,
            [(mine, "reviews:write"), (mine, "approvals:write"), (theirs, "reviews:write")],
        )

        assert [type(one) for one in found] == [type(None), PermissionDeniedError, NotFoundError]
