"""Reviewing with the keyboard, in a real browser."""

from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from predella import db
from predella.ids import AnalysisId
from predella.models import Client, Regeneration, RejectionReason
from predella.services import accounts, preferences, reviews
from tests import factories
from tests.desk.conftest import Desk

Decisions = Callable[[], list[str]]

_DECIDED = "Approved SK-A-1000."


@pytest.fixture
def reading(page: Page, desk: Desk) -> Page:
    """The first text, on screen."""
    page.goto(f"/desk/analyses/{desk.analyses[0]}?order=object")
    expect(page.locator("#viewer canvas").first).to_be_visible()
    return page


def test_one_key_approves_once_and_brings_the_next_text(
    reading: Page, decisions: Decisions
) -> None:
    reading.keyboard.press("a")

    expect(reading.locator("h1")).to_have_text("Composition no. 13")
    expect(reading.locator("h1")).to_be_focused()
    expect(reading.locator("#status")).to_contain_text("Approved SK-A-1000. 2 left")
    expect(reading.locator(".strip")).to_contain_text("SK-A-1000")
    assert "/desk/analyses/" in reading.url
    assert decisions() == ["approved"]


def test_a_double_press_decides_once(reading: Page, decisions: Decisions) -> None:
    reading.evaluate(
        """() => { const press = () => document.body.dispatchEvent(
            new KeyboardEvent('keydown', {key: 'a', bubbles: true}));
            press(); setTimeout(press, 60); setTimeout(press, 200) }"""
    )

    expect(reading.locator("h1")).to_have_text("Composition no. 13")
    reading.wait_for_timeout(500)
    assert decisions() == ["approved"]


def test_every_text_can_be_decided_with_keys_alone(page: Page, decisions: Decisions) -> None:
    page.goto("/desk?order=object")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Composition no. 12")
    page.wait_for_load_state()
    page.keyboard.press("s")
    expect(page.locator("h1")).to_have_text("Composition no. 13")
    page.wait_for_timeout(350)
    page.keyboard.press("r")
    page.keyboard.press("3")
    expect(page.locator("h1")).to_have_text("Composition no. 14")
    page.wait_for_timeout(350)
    page.keyboard.press("a")
    expect(page.locator("h1")).to_have_text("Composition no. 12")
    page.keyboard.press("d")
    expect(page.locator("#text")).not_to_contain_text("1642")
    page.wait_for_timeout(350)
    page.keyboard.press("a")
    expect(page.locator("h1")).to_have_text("Nothing is left here")

    assert decisions() == ["rejected", "approved", "approved"]


def test_letters_typed_into_a_field_never_decide(reading: Page, decisions: Decisions) -> None:
    reading.keyboard.press("e")
    expect(reading.locator("#wording")).to_be_focused()
    reading.keyboard.type("arsuedc2 1")
    reading.locator("#remarks summary").click()
    reading.locator("#remark").click()
    reading.keyboard.type("arsu")
    reading.wait_for_timeout(300)

    assert decisions() == []
    expect(reading.locator("h1")).to_have_text("Composition no. 12")


def test_letters_never_decide_while_the_picture_has_the_focus(
    reading: Page, decisions: Decisions
) -> None:
    reading.locator(".openseadragon-canvas").click()
    for key in "arsdfjk":
        reading.keyboard.press(key)
    reading.wait_for_timeout(300)

    assert decisions() == []
    expect(reading.locator("#reject")).not_to_have_attribute("open", "")
    assert reading.evaluate("document.activeElement.closest('#viewer') !== null")


def test_an_undo_takes_the_last_decision_back_also_after_a_reload(
    reading: Page, decisions: Decisions
) -> None:
    reading.keyboard.press("a")
    expect(reading.locator("h1")).to_have_text("Composition no. 13")
    reading.reload()
    reading.keyboard.press("u")

    expect(reading.locator("h1")).to_have_text("Composition no. 12")
    expect(reading.locator("#status")).to_contain_text("Taken back.")
    assert decisions() == ["approved", "reopened"]


def test_an_undo_brings_a_deleted_sentence_back(reading: Page) -> None:
    reading.keyboard.press("d")
    expect(reading.locator("#text")).not_to_contain_text("1642")
    reading.keyboard.press("u")

    expect(reading.locator("#text")).to_contain_text("1642")


def test_an_amended_wording_is_approved_in_one_step(reading: Page, decisions: Decisions) -> None:
    reading.keyboard.press("e")
    reading.locator("#wording").fill("A strong diagonal divides the field.")
    reading.keyboard.press("Control+Enter")

    expect(reading.locator("h1")).to_have_text("Composition no. 13")
    expect(reading.locator(".strip")).to_contain_text("amended")
    assert decisions() == ["approved"]


def test_a_saved_wording_is_not_approved_and_shows_what_changed(
    reading: Page, decisions: Decisions
) -> None:
    reading.keyboard.press("e")
    reading.locator("#wording").fill("A strong diagonal divides the field.")
    reading.keyboard.press("Control+s")

    expect(reading.locator("#text")).to_contain_text("A strong diagonal divides the field.")
    expect(reading.locator("#status")).to_contain_text("Wording saved. It is not approved yet.")
    reading.keyboard.press("c")
    expect(reading.locator("#changed del").first).to_be_visible()
    assert decisions() == []


def test_a_draft_outlives_a_reload(reading: Page) -> None:
    reading.keyboard.press("e")
    reading.locator("#wording").fill("Half a thought")
    reading.reload()

    expect(reading.locator("#wording")).to_have_value("Half a thought")


def test_a_wording_that_came_meanwhile_keeps_the_one_that_was_typed(
    reading: Page, desk: Desk, decisions: Decisions
) -> None:
    reading.keyboard.press("e")
    reading.locator("#wording").fill("Mine is better.")
    _amend(desk.analyses[0], "Theirs is shorter.")
    reading.keyboard.press("Control+Enter")

    expect(reading.locator("h1")).to_have_text("This text has changed since you read it")
    expect(reading.locator(".versions")).to_contain_text("Theirs is shorter.")
    expect(reading.locator("#mine")).to_have_value("Mine is better.")
    assert decisions() == []

    reading.get_by_role("button", name="Put mine on top").click()
    expect(reading.locator("#text")).to_contain_text("Mine is better.")


def test_a_decision_that_came_meanwhile_is_shown_and_not_doubled(
    reading: Page, desk: Desk, decisions: Decisions
) -> None:
    with db.transaction() as session:
        reviews.reject(
            session,
            AnalysisId(desk.analyses[0]),
            revision_number=0,
            account=factories.account(session, name="jo"),
            client=Client.CLI,
            reason=RejectionReason.STYLE,
        )
    reading.keyboard.press("a")

    expect(reading.locator("h1")).to_contain_text("A colleague has decided on this text")
    assert decisions() == ["rejected"]


def test_two_people_are_never_given_the_same_text(desk: Desk, page: Page) -> None:
    other = desk.context("jo").new_page()
    page.goto("/desk/review")
    other.goto("/desk/review")

    # The first has claimed all three, so that their pictures come ahead of time.
    expect(page.locator("h1")).to_have_text("Composition no. 12")
    expect(other.locator("h1")).to_have_text("Nothing is left here")
    other.context.close()


def test_who_asks_a_colleague_goes_on_with_the_next_text(
    reading: Page, decisions: Decisions
) -> None:
    with db.transaction() as session:
        jo = factories.account(session, name="jo").id
    reading.reload()
    reading.keyboard.press("2")
    reading.locator("#colleague").select_option(str(jo))
    reading.locator("#ask-note").fill("Is this a lute?")
    reading.get_by_role("button", name="Ask", exact=True).click()

    expect(reading.locator("h1")).to_have_text("Composition no. 13")
    assert decisions() == ["needs_second"]


def test_a_finding_is_dismissed_with_a_reason(reading: Page) -> None:
    reading.locator("#finding-1 .dismiss summary").click()
    reading.locator("#why-1").fill("It stands on the frame.")
    reading.get_by_role("button", name="Dismiss", exact=True).click()

    expect(reading.locator(".more", has_text="Dismissed findings")).to_be_visible()


def test_facts_and_the_models_view_are_one_key_away(reading: Page) -> None:
    expect(reading.get_by_text("Nobody", exact=True)).not_to_be_visible()
    reading.keyboard.press("f")
    expect(reading.get_by_text("Nobody", exact=True)).to_be_visible()

    reading.keyboard.press("m")
    expect(reading.locator("[data-view=model]")).to_have_attribute("aria-pressed", "true")


def test_a_claim_that_runs_out_is_announced_and_can_be_kept(reading: Page) -> None:
    reading.evaluate("document.getElementById('sheet').dataset.until = Date.now() / 1000 + 30")
    expect(reading.locator("#lease")).to_be_visible()
    reading.locator("#keep").click()

    expect(reading.locator("#lease")).not_to_be_visible()


def test_approving_works_without_scripts(desk: Desk, decisions: Decisions) -> None:
    context = desk.context(java_script_enabled=False)
    page = context.new_page()
    page.goto("/desk?order=object")
    page.get_by_role("link", name="Start reviewing").click()
    page.get_by_role("button", name="Approve", exact=True).click()

    expect(page.locator("h1")).to_have_text("Composition no. 13")
    expect(page.locator(".said")).to_have_text(_DECIDED)
    page.locator("#reject summary").click()
    page.get_by_role("button", name="Colour").click()
    expect(page.locator("h1")).to_have_text("Composition no. 14")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_have_text("Composition no. 13")
    assert decisions() == ["approved", "rejected", "reopened"]
    context.close()


def _amend(analysis_id: UUID, text: str) -> None:
    with db.transaction() as session:
        jo = factories.account(session, name="jo")
        reviews.amend(session, AnalysisId(analysis_id), text=text, account=jo, seen=0)


def test_single_keys_can_be_turned_off(page: Page, desk: Desk, decisions: Decisions) -> None:
    with db.transaction() as session:
        ines = accounts.by_name(session, "ines")
        preferences.choose(session, ines, {"single_keys": False})
    page.goto(f"/desk/analyses/{desk.analyses[0]}?order=object")
    for key in "arsu":
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert decisions() == []

    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_have_text("Composition no. 13")
    assert decisions() == ["approved"]


def test_a_new_text_is_asked_for_in_place_of_one(reading: Page, decisions: Decisions) -> None:
    reading.keyboard.press("g")
    reading.locator("#regenerate-reason").select_option("colour")
    reading.get_by_label("Names a date").check()
    reading.get_by_role("button", name="Ask for a new text").click()

    expect(reading.locator("h1")).to_have_text("Composition no. 13")
    expect(reading.locator("#status")).to_contain_text("Asked for a new text for SK-A-1000.")
    assert decisions() == ["superseded"]
    with db.transaction() as session:
        assert session.scalars(select(Regeneration.without)).all() == [["date"]]
