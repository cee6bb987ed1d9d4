import pytest
from sqlalchemy.orm import Session

from predella import ids
from predella.errors import InvalidError, NotFoundError
from predella.ids import AnalysisId
from predella.models import Account, Decision
from predella.services import remarks
from tests import factories


@pytest.fixture
def curator(session: Session) -> Account:
    return factories.account(session)


@pytest.fixture
def analysis_id(session: Session) -> AnalysisId:
    return AnalysisId(factories.analysis(session).id)


class TestAdd:
    def test_what_is_said_is_read_by_the_others_in_its_order(
        self, session: Session, analysis_id: AnalysisId, curator: Account
    ) -> None:
        colleague = factories.account(session)

        remarks.add(session, analysis_id, text=" Is this the verso?\x00 ", account=curator)
        remarks.add(session, analysis_id, text="It is.", account=colleague)
        session.expire_all()

        said = remarks.of(session, analysis_id)
        assert [(one.account.name, one.text) for one in said] == [
            (curator.name, "Is this the verso?"),
            (colleague.name, "It is."),
        ]

    def test_a_decision_does_not_silence_anybody(self, session: Session, curator: Account) -> None:
        analysis = factories.analysis(session)
        factories.review(session, analysis, Decision.APPROVED)

        remarks.add(session, AnalysisId(analysis.id), text="A pity.", account=curator)

    @pytest.mark.parametrize("text", [" \n", "x" * 2_001])
    def test_refuses_nothing_and_too_much(
        self, session: Session, analysis_id: AnalysisId, curator: Account, text: str
    ) -> None:
        with pytest.raises(InvalidError):
            remarks.add(session, analysis_id, text=text, account=curator)

    def test_there_is_no_such_analysis(self, session: Session, curator: Account) -> None:
        with pytest.raises(NotFoundError):
            remarks.add(session, AnalysisId(ids.new()), text="A vase.", account=curator)
        with pytest.raises(NotFoundError):
            remarks.of(session, AnalysisId(ids.new()))
