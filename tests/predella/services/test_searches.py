from datetime import timedelta
from hashlib import md5

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella import clock
from predella.checks import CheckName
from predella.errors import InvalidError, QueryError
from predella.ids import AnalysisId, CollectionId
from predella.models import Account, Analysis, Collection, Decision, ReviewState, Standing
from predella.services import checkups, claims, collections, remarks, searches
from predella.services.searches import Order, Search
from tests import factories

HARD = "USER: what is this? ASSISTANT: a vase. " + factories.TEXT
"""It leaks the prompt."""
SOFT = "In 1642 the light fell on the table. " + factories.TEXT
"""It names a year."""


@pytest.fixture
def within(session: Session) -> Collection:
    made = factories.collection(session, slug="sk")
    off = {"off": ["length", "near_duplicate", "reused_sentence"]}
    collections.choose_thresholds(session, made, off)
    return made


def _written(
    session: Session, within: Collection, number: str, text: str, *, mean_logprob: float
) -> AnalysisId:
    submission = factories.submission(session, within)
    item = factories.item(session, submission, object_number=number)
    made = factories.analysis(session, item, text=text, mean_logprob=mean_logprob)
    checkups.run(session, [factories.newest_revision(session, made).id])
    return AnalysisId(made.id)


@pytest.fixture
def three(session: Session, within: Collection) -> dict[str, AnalysisId]:
    """Named for what is found in them."""
    return {
        "clean": _written(session, within, "SK-C-1", factories.TEXT, mean_logprob=-0.9),
        "soft": _written(session, within, "SK-B-1", SOFT, mean_logprob=-0.5),
        "hard": _written(session, within, "SK-A-1", HARD, mean_logprob=-0.1),
    }


def _parsed(session: Session, text: str, account: Account | None = None) -> Search:
    asker = account or factories.account(session)
    return searches.parse(session, text, account=asker, within=None)


def _found(
    session: Session, text: str, order: Order = Order.OLDEST, *, by: Account | None = None
) -> list[AnalysisId]:
    query = _parsed(session, f"collection:sk {text}", by)
    page = searches.page(session, query, order=order)
    assert searches.count(session, query) == len(page.ids)
    assert list(session.scalars(searches.select(query, order=order))) == page.ids
    return list(page.ids)


class TestParse:
    @pytest.mark.parametrize(
        ("text", "known"),
        [
            ("stat:approved", "state, check"),
            ("state:done", "needs_review"),
            ("state:<done", "needs_review"),
            ("check:colour", "colour_absent"),
            ("severity:loud", "hard, soft, info"),
            ("is:lost", "held, mine, claimed"),
            ("has:colour", "comment"),
            ("conf:high", "0 to 1"),
            ("conf:nan", "0 to 1"),
            ("kind:poem", "formal_analysis"),
            ("edited:perhaps", "yes, no"),
            ("submission:1", "no id"),
            ("language:>en", "no meaning"),
        ],
    )
    def test_says_what_is_known(self, session: Session, text: str, known: str) -> None:
        with pytest.raises(QueryError, match=known):
            _parsed(session, f"vase {text}")

    def test_a_slug_that_nothing_has_is_no_empty_list(
        self, session: Session, within: Collection
    ) -> None:
        assert within
        with pytest.raises(QueryError, match=r"no collection is called 'ks'; there are .*sk") as no:
            _parsed(session, "-collection:sk,ks")

        assert no.value.position == 16


class TestPage:
    def test_finds_by_what_the_checks_say(
        self, session: Session, three: dict[str, AnalysisId]
    ) -> None:
        clean, soft, hard = three.values()

        assert _found(session, "check:none") == [clean]
        assert _found(session, "check:any") == _found(session, "-check:none") == [soft, hard]
        assert _found(session, "is:held") == _found(session, "severity:hard") == [hard]
        assert _found(session, "check:leak") == [hard]
        assert _found(session, "check:date,none") == [clean, soft]
        assert _found(session, "-check:date") == [clean, hard]

    def test_finds_by_confidence_object_and_words(
        self, session: Session, three: dict[str, AnalysisId]
    ) -> None:
        clean, soft, hard = three.values()

        assert _found(session, "conf:<0.5") == [clean]
        assert _found(session, "conf:>=0.5 conf:<0.9") == [soft]
        assert _found(session, "object:SK-A-*,SK-B-1") == [soft, hard]
        assert _found(session, "-object:SK-A-*") == [clean, soft]
        assert _found(session, "TABLE light") == [soft]
        assert _found(session, '"100%_"') == []

    def test_finds_by_state_and_by_how_far_it_has_come(
        self, session: Session, three: dict[str, AnalysisId]
    ) -> None:
        clean, soft, hard = three.values()
        factories.review(session, session.get_one(Analysis, clean))
        factories.review(session, session.get_one(Analysis, hard), Decision.REJECTED)

        assert _found(session, "state:needs_review") == [soft]
        assert _found(session, "state:>=needs_review") == [clean, soft]
        assert _found(session, "state:approved,rejected") == [clean, hard]
        assert _found(session, "-state:approved state:>rejected") == [soft]
        assert _found(session, "state:approved state:rejected") == []

    def test_finds_by_where_it_comes_from(
        self, session: Session, within: Collection, three: dict[str, AnalysisId]
    ) -> None:
        clean, soft, hard = three.values()
        item = factories.item(session, factories.submission(session, within), language="nl")
        dutch = factories.analysis(session, item)

        assert _found(session, "language:nl") == [dutch.id]
        assert _found(session, f"submission:{item.submission_id}") == [dutch.id]
        assert _found(session, "kind:formal_analysis language:en") == [clean, soft, hard]
        assert _found(session, "kind:alt_text") == []

    def test_a_text_whose_amendment_was_undone_is_not_edited(
        self, session: Session, three: dict[str, AnalysisId]
    ) -> None:
        clean, soft, hard = three.values()
        analysis, author = session.get_one(Analysis, clean), factories.account(session)
        factories.revision(session, analysis, text="Another.", account=author)

        assert _found(session, "edited:yes") == [clean]
        assert _found(session, "another") == [clean]
        assert _found(session, "edited:no") == [soft, hard]

    def test_finds_by_comments(self, session: Session, three: dict[str, AnalysisId]) -> None:
        clean, soft, hard = three.values()
        for said in ("Is this the verso?", "It is."):
            remarks.add(session, soft, text=said, account=factories.account(session))

        assert _found(session, "has:comment") == [soft]
        assert _found(session, "-has:comment") == [clean, hard]

    def test_what_is_mine_is_what_nobody_has_touched_since(
        self, session: Session, three: dict[str, AnalysisId]
    ) -> None:
        me, colleague = factories.account(session), factories.account(session)
        clean, soft, hard = (session.get_one(Analysis, id_) for id_ in three.values())
        factories.revision(session, clean, text="Mine.", account=me)
        factories.revision(session, soft, text="Mine.", account=me)
        factories.review(session, soft, Decision.REJECTED, by=colleague)
        factories.review(session, hard, Decision.REJECTED, by=me)

        assert _found(session, "is:mine", by=me) == [clean.id, hard.id]
        assert _found(session, "is:mine", by=colleague) == [soft.id]
        assert _found(session, "-is:mine", by=me) == [soft.id]
        assert _found(session, "is:mine state:needs_review", by=me) == [clean.id]
        assert _found(session, "is:mine") == []
        assert _found(session, "is:mine,held", by=me) == [clean.id, hard.id]

    def test_an_undo_makes_it_mine_and_an_amendment_again_a_colleague_s(
        self, session: Session, three: dict[str, AnalysisId]
    ) -> None:
        me, colleague = factories.account(session), factories.account(session)
        clean = session.get_one(Analysis, three["clean"])
        rejected = factories.review(session, clean, Decision.REJECTED, by=colleague)
        factories.review(session, clean, Decision.REOPENED, by=me, undoes_id=rejected.id)
        assert _found(session, "is:mine", by=me) == [clean.id]

        factories.revision(session, clean, text="Hers.", account=colleague)

        assert _found(session, "is:mine", by=me) == []
        assert _found(session, "is:mine", by=colleague) == [clean.id]
        assert _found(session, "-is:mine", by=me) == list(three.values())

    def test_a_claim_that_ran_out_is_none(
        self, session: Session, three: dict[str, AnalysisId], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        me = factories.account(session)
        claims.hold(session, three["clean"], account=me)
        assert _found(session, "is:claimed") == [three["clean"]]
        assert _found(session, "is:claimed,held") == [three["clean"], three["hard"]]

        later = clock.now() + timedelta(minutes=11)
        monkeypatch.setattr(clock, "now", lambda: later)

        assert _found(session, "is:claimed") == []

    def test_orders_by_risk_confidence_object_and_age(
        self, session: Session, three: dict[str, AnalysisId]
    ) -> None:
        clean, soft, hard = three.values()

        assert _found(session, "", Order.RISK) == [hard, soft, clean]
        assert _found(session, "", Order.CONFIDENCE) == [clean, soft, hard]
        assert _found(session, "", Order.OBJECT) == [hard, soft, clean]
        assert _found(session, "", Order.NEWEST) == [hard, soft, clean]
        shuffled = sorted(three.values(), key=lambda id_: md5(str(id_).encode()).digest())  # noqa: S324
        assert _found(session, "", Order.RANDOM) == shuffled

    @pytest.mark.parametrize("order", Order)
    @pytest.mark.parametrize("state", ["", "state:needs_review", "state:>rejected"])
    def test_page_by_page_it_is_the_whole(
        self, session: Session, within: Collection, order: Order, state: str
    ) -> None:
        made = factories.analyses(session, 7, factories.submission(session, within))
        factories.approvals(session, made[:3])
        query = _parsed(session, f"collection:sk {state}")
        whole = list(session.scalars(searches.select(query, order=order)))

        pages, cursor = [], None
        while True:
            page = searches.page(session, query, order=order, after=cursor, limit=2)
            pages.append(page.ids)
            if (cursor := page.next) is None:
                break

        assert [id_ for ids in pages for id_ in ids] == whole

    @pytest.mark.parametrize("number", [0, 1, 3, 11])
    def test_keeps_to_the_collections_that_may_be_seen(self, session: Session, number: int) -> None:
        seen = [factories.submission(session) for _ in range(number)]
        wanted = {one.id for within in seen for one in factories.analyses(session, 2, within)}
        factories.analyses(session, 2)
        reach = frozenset(CollectionId(one.collection_id) for one in seen)
        query = searches.parse(session, "", account=factories.account(session), within=reach)
        whole = list(session.scalars(searches.select(query)))

        pages, cursor = [], None
        while True:
            page = searches.page(session, query, after=cursor, limit=2)
            pages.append(page.ids)
            if (cursor := page.next) is None:
                break

        assert [id_ for ids in pages for id_ in ids] == whole
        assert set(whole) == wanted
        assert searches.count(session, query) == len(wanted)
        counted = searches.facets(session, within=reach)
        assert counted.states[ReviewState.NEEDS_REVIEW] == len(wanted)

    @pytest.mark.parametrize("order", Order)
    @pytest.mark.parametrize("cursor", ["", "x", "1 2", "0.5 \0", "x y z"])
    def test_refuses_a_cursor_of_another_list(
        self, session: Session, order: Order, cursor: str
    ) -> None:
        with pytest.raises(InvalidError, match="cursor"):
            searches.page(session, _parsed(session, ""), order=order, after=cursor)


class TestFacets:
    def test_counts_states_and_what_is_open_to_decide(
        self, session: Session, within: Collection, three: dict[str, AnalysisId]
    ) -> None:
        factories.approvals(
            session, factories.analyses(session, 2, factories.submission(session, within))
        )

        counted = searches.facets(session, CollectionId(within.id), within=None)

        assert counted.states[ReviewState.NEEDS_REVIEW] == len(three)
        assert counted.states[ReviewState.APPROVED] == 2
        assert counted.states[ReviewState.REJECTED] == 0
        assert (counted.held, counted.clean) == (1, 1)
        assert counted.checks == {CheckName.DATE: 1, CheckName.LEAK: 1}
        assert searches.facets(session, within=None).held >= counted.held


class TestStanding:
    def test_counts_follow_the_newest_wording(
        self, session: Session, three: dict[str, AnalysisId]
    ) -> None:
        analysis, author = session.get_one(Analysis, three["hard"]), factories.account(session)

        revision = factories.revision(session, analysis, text=factories.TEXT, account=author)
        checkups.run(session, [revision.id])

        standing = session.scalars(select(Standing).filter_by(analysis_id=analysis.id)).one()
        assert (standing.hard, standing.soft, standing.info) == (0, 0, 0)
        assert standing.calm == standing.confidence == pytest.approx(0.9048, abs=1e-3)
