import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from predella import ids
from predella.errors import NotOpenedError
from predella.ids import AnalysisId
from predella.models import Account, Client, Opening, Revision
from predella.services import openings, reviews
from tests import factories


@pytest.fixture
def curator(session: Session) -> Account:
    return factories.account(session)


@pytest.fixture
def wording(session: Session) -> Revision:
    return factories.newest_revision(session, factories.analysis(session))


def _approve(session: Session, wording: Revision, by: Account, client: Client) -> None:
    id_ = AnalysisId(wording.analysis_id)
    reviews.approve(
        session, id_, revision_number=wording.number, account=by, client=client, seconds_seen=60
    )


class TestNote:
    def test_the_first_time_counts(
        self, session: Session, wording: Revision, curator: Account
    ) -> None:
        for _ in range(2):
            openings.note(session, wording, account=curator)

        counted = select(func.count()).select_from(Opening).filter_by(revision_id=wording.id)
        assert session.scalar(counted) == 1

    def test_nothing_open_is_nothing_noted(self, session: Session, curator: Account) -> None:
        openings.note(session, account=curator)

        assert session.scalar(select(func.count()).filter(Opening.account_id == curator.id)) == 0


class TestOpened:
    def test_is_for_each_account_and_each_wording(
        self, session: Session, wording: Revision, curator: Account
    ) -> None:
        other = factories.newest_revision(session, factories.analysis(session))
        openings.note(session, wording, account=curator)
        openings.note(session, other, account=factories.account(session))

        found = openings.opened(session, [wording.id, other.id], account=curator)

        assert found == {wording.id}


class TestApproval:
    def test_at_the_desk_only_of_what_was_open(
        self, session: Session, wording: Revision, curator: Account
    ) -> None:
        with pytest.raises(NotOpenedError, match="open the text"):
            _approve(session, wording, curator, Client.DESK)

        openings.note(session, wording, account=curator)
        _approve(session, wording, curator, Client.DESK)

    def test_who_amends_has_had_it_open(
        self, session: Session, wording: Revision, curator: Account
    ) -> None:
        id_ = AnalysisId(wording.analysis_id)
        amended = reviews.amend(session, id_, text="A vase.", account=curator, seen=0)

        _approve(session, amended, curator, Client.DESK)

    @pytest.mark.parametrize("client", [Client.API, Client.CLI])
    def test_who_names_the_wording_states_to_have_read_it(
        self, session: Session, wording: Revision, curator: Account, client: Client
    ) -> None:
        _approve(session, wording, curator, client)

        assert openings.opened(session, [wording.id], account=curator) == {wording.id}

    def test_the_database_itself_refuses_an_approval_of_what_was_not_open(
        self, session: Session, wording: Revision, curator: Account
    ) -> None:
        with pytest.raises(IntegrityError, match="without having been open"):
            session.execute(
                text(
                    "INSERT INTO review (id, created_at, analysis_id, number, revision_id,"
                    " revision_sha256, account_id, decision, client) VALUES"
                    " (:id, now(), :analysis, 1, :revision, :sha256, :account, 'approved', 'api')"
                ),
                {
                    "id": ids.new(),
                    "analysis": wording.analysis_id,
                    "revision": wording.id,
                    "sha256": wording.sha256,
                    "account": curator.id,
                },
            )
