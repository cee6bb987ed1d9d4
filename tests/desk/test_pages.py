"""What holds for every page: access for everybody, nothing from elsewhere, and paper."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from predella import db
from predella.ids import AnalysisId
from predella.models import Role
from predella.services import reviews
from tests import factories
from tests.desk import museum
from tests.desk.conftest import Desk, somebody
from tests.pictures import tiny
from tests.services import Bucket

_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
}
_ROWS = b"object_number,filename,sensitivity\n1,1.jpg,review\n2,2.jpg,\n3,1.jpg,secret\n"
_WIDTH = "document.documentElement.scrollWidth"


@pytest.fixture
def addresses(desk: Desk) -> dict[str, str]:
    """Every page of the desk by name, each with something to show."""
    with db.transaction() as session:
        ines = somebody(session, "ines")
        ines.roles = [role.value for role in Role]
        return museum.furnish(session, desk.analyses[0], by=ines)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(desk: Desk, addresses: dict[str, str], scheme: str) -> None:
    context = desk.context(color_scheme=scheme)
    page = desk.watch(context.new_page())
    for name, address in addresses.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        results = Axe().run(page, options=_RULES)
        assert results.violations_count == 0, f"{name}: {results.generate_report()}"
    context.close()
    assert (desk.faults, desk.strangers) == ([], [])


def test_nothing_keeps_anybody_out_of_what_a_key_or_a_colleague_has_opened(
    page: Page, desk: Desk
) -> None:
    here = f"/desk/analyses/{desk.analyses[0]}"
    for key in ("?", "r", "g", "2", "e"):
        page.goto(here)
        page.keyboard.press(key)
        results = Axe().run(page, options=_RULES)
        assert results.violations_count == 0, f"{key}: {results.generate_report()}"
    page.locator("#wording").fill("Mine.")
    with db.transaction() as session:
        jo = factories.account(session, name="jo")
        reviews.amend(session, AnalysisId(desk.analyses[0]), text="Theirs.", account=jo, seen=0)
    page.keyboard.press("Control+s")
    expect(page.locator(".versions")).to_be_visible()

    results = Axe().run(page, options=_RULES)
    assert results.violations_count == 0, results.generate_report()


def test_no_page_is_wider_than_a_small_telephone(desk: Desk, addresses: dict[str, str]) -> None:
    context = desk.context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    too_wide = {}
    for name, address in addresses.items():
        page.goto(address)
        too_wide[name] = page.evaluate(_WIDTH)
    page.goto(addresses["review"])
    page.locator("#reject summary").click()
    too_wide["reject"] = page.evaluate(_WIDTH)
    assert {name: width for name, width in too_wide.items() if width > 320} == {}
    context.close()


def test_every_page_says_what_it_is_and_where_one_is(page: Page, addresses: dict[str, str]) -> None:
    for name, address in addresses.items():
        page.goto(address)
        assert page.locator("h1").count() == 1, name
        assert page.locator("[aria-current=page]").count() == 1, name
        assert not page.title().startswith(" "), name


def test_the_tab_key_goes_from_the_choice_to_what_is_done_with_it(page: Page, desk: Desk) -> None:
    assert desk.analyses
    page.goto("/desk?order=object")
    page.get_by_label("Choose SK-A-1002").focus()
    stops = []
    for _ in range(5):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.textContent.trim()"))

    assert stops == [
        "SK-A-1002",
        "Review the chosen",
        "Sample the clean …",
        "Decide on many …",
        "Start reviewing Enter",
    ]


def test_a_text_is_printed_with_its_picture_and_without_buttons(page: Page, desk: Desk) -> None:
    here = f"/desk/analyses/{desk.analyses[0]}"
    page.goto(here)
    page.wait_for_load_state("networkidle")
    page.emulate_media(media="print")

    expect(page.locator("#text")).to_be_visible()
    expect(page.locator("#viewer")).to_be_visible()
    expect(page.get_by_text("Written by AI")).to_be_visible()
    for hidden in (".bar", ".act", ".tools", ".mend"):
        expect(page.locator(hidden).first).not_to_be_visible()
    page.goto(f"{here}/provenance")
    expect(page.get_by_text("sha256 of the wording").first).to_be_visible()
    expect(page.locator(".bar")).not_to_be_visible()


def test_the_tab_key_comes_by_everything_once(page: Page, desk: Desk) -> None:
    page.goto(f"/desk/analyses/{desk.analyses[0]}")
    expect(page.locator("#viewer canvas").first).to_be_visible()
    page.evaluate("document.body.focus()")
    passed = []
    for _ in range(45):
        page.keyboard.press("Tab")
        passed.append(
            page.evaluate(
                """() => { const e = document.activeElement; return e === document.body ? "" :
                    e.dataset.view || e.id || e.className || e.textContent.trim() }"""
            )
        )
    stops = passed[: passed.index("")] if "" in passed else passed

    assert stops.count("openseadragon-canvas") == 1
    assert [one for one in stops if one in {"in", "out", "fit", "turn", "model"}] == [
        "in",
        "out",
        "fit",
        "turn",
        "model",
    ]
    assert stops[-1] == "approve"


def test_small_pictures_stand_in_the_list(page: Page) -> None:
    page.goto("/desk")
    small = page.locator(".thumb img").first

    expect(small).to_have_js_property("naturalHeight", 192)
    expect(small).to_have_js_property("naturalWidth", 144)


def test_a_search_that_cannot_be_read_says_what_is_known(page: Page) -> None:
    page.goto("/desk?q=nokey:1")

    expect(page.get_by_role("alert")).to_contain_text("unknown key")


def test_a_look_at_a_hand_in_keeps_nobody_out_and_fits_a_small_telephone(
    desk: Desk, s3: Bucket
) -> None:
    with db.transaction() as session:
        somebody(session, "ines").roles = [role.value for role in Role]
        made = factories.collection(session, slug="maps", name="Maps", bucket=s3.name)
        source, named = f"s3://{s3.name}/m.csv", f"{made.name} ({made.slug})"
    s3.client.put_object(Bucket=s3.name, Key="1.jpg", Body=tiny())
    s3.client.put_object(Bucket=s3.name, Key="m.csv", Body=_ROWS)
    context = desk.context(viewport={"width": 320, "height": 640})
    page = desk.watch(context.new_page())
    page.goto("/desk/submissions")
    page.get_by_label("Collection", exact=True).select_option(named)
    page.get_by_label("Manifest or folder").fill(source)
    page.get_by_role("button", name="Only look").click()
    expect(page.locator("h1")).to_have_text("What handing this in would bring")

    results = Axe().run(page, options=_RULES)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate(_WIDTH) <= 320
    page.get_by_role("button", name="Hand in 1 item").click()
    expect(page.locator("h1")).to_have_text("m.csv")
    context.close()
    assert (desk.faults, desk.strangers) == ([], [])
