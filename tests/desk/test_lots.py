"""A lot from the queue to its reversal, in a real browser."""

from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from predella import db
from predella.models import Analysis, Collection, Lot, LotMember, Standing
from tests import factories
from tests.desk.conftest import Desk

_LEFT_TO_READ = 2


def test_a_lot_is_made_read_concluded_and_taken_back(page: Page, desk: Desk) -> None:
    with db.transaction() as session:
        collection = session.scalars(select(Collection)).one()
        collection.review_rules = {"reading_floor": False}
        factories.analyses(session, 80, factories.submission(session, collection))
    assert desk.analyses
    page.goto("/desk")
    page.get_by_role("button", name="Sample the clean …").click()
    expect(page.get_by_label("Make a sampling lot")).to_be_checked()
    page.get_by_label("Quick look").check()
    page.get_by_label("Type the number of texts").fill(
        page.locator("h1").inner_text().partition(" ")[0]
    )
    page.get_by_role("button", name="Do it").click()
    expect(page.locator("h1")).to_have_text("Lot of Paintings")
    expect(page.get_by_role("button", name="Accept the rest by sample")).to_have_count(0)

    lot = page.url
    _read_all_but_two()
    page.reload()
    page.get_by_role("link", name="Go on with the sample").click()
    expect(page.locator("#viewer")).to_be_visible()
    page.wait_for_load_state()
    for _ in range(_LEFT_TO_READ):
        page.keyboard.press("a")
        page.wait_for_timeout(800)
    expect(page.locator("h1")).to_have_text("Nothing is left here")
    page.goto(lot)
    page.get_by_role("button", name="Accept the rest by sample").click()
    expect(page.locator(".lede")).to_contain_text("passed")
    with db.transaction() as session:
        made = session.scalars(select(Lot)).one()
        assert made.accepted_count == made.member_count - made.sample_count > 0
        assert _accepted() == made.accepted_count

    page.get_by_role("button", name="Reopen what it accepted").click()
    expect(page.locator(".lede")).to_contain_text("reverted")
    assert _accepted() == 0


def _read_all_but_two() -> None:
    with db.transaction() as session:
        drawn = session.scalars(
            select(LotMember.analysis_id)
            .where(LotMember.sample_number.is_not(None))
            .order_by(LotMember.sample_number)
        ).all()
        by = factories.account(session)
        for one in drawn[:-_LEFT_TO_READ]:
            factories.review(session, session.get_one(Analysis, one), by=by)


def _accepted() -> int:
    with db.transaction() as session:
        return session.scalars(
            select(func.count()).select_from(Standing).where(Standing.state == "accepted_by_sample")
        ).one()
