"""What holds for every page of reviewing: access for everybody, nothing from elsewhere."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.desk.conftest import Desk

_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
}
_WIDTH = "document.documentElement.scrollWidth"


def _addresses(desk: Desk) -> list[str]:
    here = f"/desk/analyses/{desk.analyses[0]}"
    return ["/desk", "/desk?q=nowhere", "/desk?q=nokey:1", here, f"{here}/provenance"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(desk: Desk, scheme: str) -> None:
    context = desk.context(color_scheme=scheme)
    page = desk.watch(context.new_page())
    for address in _addresses(desk):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        results = Axe().run(page, options=_RULES)
        assert results.violations_count == 0, f"{address}: {results.generate_report()}"
    context.close()
    assert (desk.faults, desk.strangers) == ([], [])


def test_no_page_is_wider_than_a_small_telephone(desk: Desk) -> None:
    context = desk.context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    for address in _addresses(desk):
        page.goto(address)
        assert page.evaluate(_WIDTH) <= 320, address
    page.goto(f"/desk/analyses/{desk.analyses[0]}")
    page.locator("#reject summary").click()
    assert page.evaluate(_WIDTH) <= 320
    context.close()


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
