from collections.abc import Sequence

import pytest
from sqlalchemy.orm import Session

from predella.errors import InvalidError
from predella.ids import AnalysisId, SelectionId
from predella.models import Account, Analysis, Selection
from predella.services import openings, searches, selections
from tests import factories


@pytest.fixture
def curator(session: Session) -> Account:
    return factories.account(session)


@pytest.fixture
def made(session: Session) -> Sequence[Analysis]:
    within = factories.collection(session, slug="sk")
    return factories.analyses(session, 4, factories.submission(session, within))


def _freeze(session: Session, by: Account, query: str = "collection:sk") -> Selection:
    return selections.freeze(
        session, searches.parse(session, query, account=by, within=None), account=by
    )


def _open(session: Session, made: Sequence[Analysis], by: Account) -> None:
    wordings = [factories.newest_revision(session, one) for one in made]
    openings.note(session, *wordings, account=by)


class TestFreeze:
    def test_keeps_the_order_of_risk_and_names_the_list_by_its_hash(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        first, second = _freeze(session, curator), _freeze(session, curator)

        assert first.count == len(made)
        assert first.query == "collection:sk"
        assert first.sha256 == second.sha256
        factories.revision(session, made[0], text="A green vase.", account=curator)
        assert _freeze(session, curator).sha256 != first.sha256

    def test_takes_the_first_so_many(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        assert made
        search = searches.parse(session, "collection:sk", account=curator, within=None)

        assert selections.freeze(session, search, account=curator, limit=3).count == 3

    def test_refuses_nothing_and_too_many(
        self,
        session: Session,
        made: Sequence[Analysis],
        curator: Account,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assert made
        with pytest.raises(InvalidError, match="finds nothing"):
            _freeze(session, curator, "collection:sk state:approved")
        monkeypatch.setattr(selections, "MAX_MEMBERS", 3)
        with pytest.raises(InvalidError, match="more than 3"):
            _freeze(session, curator)

    def test_takes_these_alone_and_of_them_only_what_is_found(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        elsewhere = factories.analysis(session)
        query = searches.parse(session, "collection:sk", account=curator, within=None)

        frozen = selections.freeze(
            session, query, account=curator, only=[AnalysisId(made[2].id), AnalysisId(elsewhere.id)]
        )

        members = session.scalars(selections.members(SelectionId(frozen.id)))
        assert list(members) == [made[2].id]

    def test_can_be_searched_for(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        frozen = _freeze(session, curator)
        factories.analysis(session)

        query = searches.parse(session, f"selection:{frozen.id}", account=curator, within=None)

        assert set(searches.page(session, query).ids) == {one.id for one in made}


class TestCollections:
    def test_are_those_of_the_texts(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        assert made
        other = factories.submission(session, factories.collection(session, name="Aquatints"))
        factories.analyses(session, 2, other)
        factories.collection(session)
        everything = SelectionId(_freeze(session, curator, "").id)
        some = SelectionId(_freeze(session, curator).id)

        names = [one.name for one in selections.collections(session, everything)]

        assert names == ["Aquatints", "Paintings"]
        assert [one.slug for one in selections.collections(session, some)] == ["sk"]


class TestOpened:
    def test_counts_what_the_account_has_had_open(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        _open(session, made[:3], curator)
        _open(session, made, factories.account(session))
        selection_id = SelectionId(_freeze(session, curator).id)

        assert selections.opened(session, selection_id, account=curator) == 3

    def test_counts_each_once_that_anybody_has_had_open(
        self, session: Session, made: Sequence[Analysis], curator: Account
    ) -> None:
        _open(session, made[:3], curator)
        _open(session, made[:2], factories.account(session))
        selection_id = SelectionId(_freeze(session, curator).id)

        assert selections.opened(session, selection_id) == 3
