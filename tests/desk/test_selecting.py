"""Choosing many texts in the queue, and deciding on all of them at once, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from predella import db
from predella.models import Collection, Review
from tests import factories
from tests.desk.conftest import Desk

Decisions = Callable[[], list[str]]

_MANY = 1_000


def _choose(page: Page, *numbers: str) -> None:
    for number in numbers:
        page.get_by_label(f"Choose {number}").check()


def _freeze_all(page: Page, query: str = "state:needs_review") -> None:
    page.goto(f"/desk?q={query}")
    page.get_by_label("that the search finds").check()
    page.get_by_role("button", name="Decide on").click()
    expect(page.locator("h1")).to_contain_text("at once")


def _go_on(page: Page, number: str) -> None:
    page.get_by_label("Type the number of texts").fill(number)
    page.get_by_role("button", name="Do it").click()


def _reject(page: Page, number: str) -> None:
    page.get_by_label("Reject all of them").check()
    page.get_by_label("Why?").select_option("style")
    _go_on(page, number)


def test_the_chosen_are_read_one_after_the_other_and_no_others(
    page: Page, decisions: Decisions
) -> None:
    page.goto("/desk?order=object")
    _choose(page, "SK-A-1001", "SK-A-1002")
    page.get_by_role("button", name="Review 2 chosen").click()
    expect(page.locator("h1")).to_have_text("Composition no. 13")
    page.wait_for_load_state()
    page.keyboard.press("a")
    expect(page.locator("h1")).to_have_text("Composition no. 14")
    page.wait_for_timeout(350)
    page.keyboard.press("a")

    expect(page.locator("h1")).to_have_text("Nothing is left here")
    assert decisions() == ["approved", "approved"]


def test_a_page_is_ticked_and_unticked_at_once(page: Page) -> None:
    page.goto("/desk")
    page.get_by_role("link", name="Tick all on this page").click()
    expect(page.get_by_role("button", name="Review 3 chosen")).to_be_visible()
    page.get_by_role("link", name="Tick none").click()

    expect(page.get_by_role("button", name="Review the chosen")).to_be_visible()
    assert page.locator("input[name=id]:checked").count() == 0


def test_nothing_chosen_is_said_and_nothing_is_done(page: Page, decisions: Decisions) -> None:
    page.goto("/desk?order=object")
    page.get_by_role("button", name="Decide on").click()

    expect(page.get_by_role("alert")).to_contain_text("Nothing was chosen")
    expect(page.locator(".texts tbody tr")).to_have_count(3)
    assert decisions() == []


def test_a_thousand_are_rejected_and_taken_back(page: Page, desk: Desk) -> None:
    with db.transaction() as session:
        within = factories.submission(session, session.scalars(select(Collection)).one())
        factories.analyses(session, _MANY, within)
        query = f"submission:{within.id}"
    assert desk.analyses
    _freeze_all(page, query)
    _reject(page, "1,000")
    expect(page.get_by_role("status").first).to_contain_text("1,000 texts were rejected.")

    page.get_by_role("button", name="Take it back: reopen 1,000 texts").click()

    expect(page.get_by_role("status").first).to_contain_text("1,000 texts were reopened.")
    with db.transaction() as session:
        counted = select(Review.decision, func.count()).group_by(Review.decision)
        assert dict(session.execute(counted).all()) == {"rejected": _MANY, "reopened": _MANY}
    page.goto(f"/desk?q={query} state:needs_review")
    expect(page.get_by_label("all 1,000 texts that the search finds")).to_be_visible()


def test_only_what_one_has_had_open_is_approved(
    page: Page, desk: Desk, decisions: Decisions
) -> None:
    page.goto(f"/desk/analyses/{desk.analyses[1]}")
    _freeze_all(page)
    expect(page.get_by_text("by you: 1")).to_be_visible()
    page.get_by_label("Approve the one that you have had open").check()
    _go_on(page, "3")

    expect(page.get_by_role("status").first).to_contain_text("1 text was approved. 2 were left")
    refused = page.locator(".pairs > div", has_text="you have not had it open")
    expect(refused).to_contain_text("SK-A-1000")
    expect(refused).to_contain_text("SK-A-1002")
    assert decisions() == ["approved"]


def test_another_number_does_nothing_and_forgets_nothing(page: Page, decisions: Decisions) -> None:
    _freeze_all(page)
    _reject(page, "2")

    expect(page.get_by_role("alert")).to_contain_text("These are 3 texts, and another number")
    expect(page.get_by_label("Reject all of them")).to_be_checked()
    expect(page.get_by_label("Why?")).to_have_value("style")
    assert decisions() == []


def test_a_rejection_without_a_reason_asks_for_one(page: Page, decisions: Decisions) -> None:
    _freeze_all(page)
    page.get_by_label("Reject all of them").check()
    _go_on(page, "3")

    expect(page.get_by_role("alert")).to_have_text("Say why they are rejected. Nothing was done.")
    assert decisions() == []


def test_who_sends_it_twice_sees_what_was_done_once(page: Page, decisions: Decisions) -> None:
    _freeze_all(page)
    again = page.context.new_page()
    again.goto(page.url)
    for one in (page, again):
        _reject(one, "3")
        expect(one.locator(".note")).to_contain_text("3 texts were rejected.")

    assert decisions() == ["rejected"] * 3


def test_a_colleague_sees_the_list_and_does_not_decide_on_it(page: Page, desk: Desk) -> None:
    _freeze_all(page)
    other = desk.context("jo").new_page()
    other.goto(page.url)

    expect(other.locator(".note")).to_contain_text("Ines has frozen this list")
    expect(other.get_by_role("button", name="Do it")).to_have_count(0)
    other.context.close()


def test_all_of_it_works_without_scripts(desk: Desk, decisions: Decisions) -> None:
    context = desk.context(java_script_enabled=False)
    page = context.new_page()
    page.goto("/desk?order=object")
    page.get_by_role("link", name="Tick all on this page").click()
    page.get_by_label("Choose SK-A-1000").uncheck()
    page.get_by_role("button", name="Decide on").click()
    _reject(page, "2")
    expect(page.get_by_role("status").first).to_contain_text("2 texts were rejected.")
    page.get_by_role("button", name="Take it back: reopen 2 texts").click()

    expect(page.get_by_role("status").first).to_contain_text("2 texts were reopened.")
    assert decisions() == ["rejected", "rejected", "reopened", "reopened"]
    context.close()


@pytest.mark.parametrize("key", ["?", "a"])
def test_the_keys_are_one_key_away_and_do_nothing_behind_their_list(
    page: Page, desk: Desk, decisions: Decisions, key: str
) -> None:
    page.goto(f"/desk/analyses/{desk.analyses[1]}")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Take the last decision back")
    page.keyboard.press(key)
    page.wait_for_timeout(300)
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).not_to_be_visible()
    assert decisions() == []
