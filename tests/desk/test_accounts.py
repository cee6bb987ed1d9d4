"""Giving roles at the desk: without scripts, for everybody, on a small screen too."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from predella import db
from predella.models import Collection, Role
from predella.services import accounts, memberships, sessions
from tests import factories
from tests.desk.conftest import Desk
from tests.desk.test_pages import _RULES, _WIDTH


@pytest.fixture
def address() -> str:
    """The page of somebody who is curator in the whole house and approver of prints."""
    with db.transaction() as session:
        factories.collection(session, slug="maps", name="Maps and plans")
        prints = factories.collection(session, slug="prints", name="Prints")
        account = factories.account(session, Role.CURATOR, name="carla")
        memberships.change(session, account, prints, [Role.APPROVER])
        return f"/desk/accounts/{account.id}"


def _signed_in(desk: Desk, **options: Any) -> Page:
    context = desk.context(**options)
    with db.transaction() as session:
        admin = factories.account(session, Role.ADMIN, name="head")
        secret = sessions.begin(session, admin)
    context.add_cookies([{"name": "predella", "value": secret, "url": desk.address}])
    return desk.watch(context.new_page())


def test_roles_are_given_and_taken_without_scripts(desk: Desk, address: str) -> None:
    page = _signed_in(desk, java_script_enabled=False)
    page.goto(address)

    page.get_by_label("Registrar: ").first.check()
    page.get_by_role("button", name="Keep the roles").click()
    expect(page.locator(".note.good")).to_have_text("Kept.")
    page.get_by_text("Give roles in a collection").click()
    given = page.locator("details", has_text="Give roles in a collection")
    given.get_by_label("Collection", exact=True).select_option(label="Maps and plans (maps)")
    given.get_by_label("Curator: ").check()
    given.get_by_role("button", name="Give these roles").click()

    expect(page.get_by_role("group", name="Maps and plans")).to_be_visible()
    prints = page.get_by_role("group", name="Prints")
    prints.get_by_label("Approver: ").uncheck()
    prints.get_by_role("button", name="Keep").click()
    expect(prints).to_have_count(0)
    with db.transaction() as session:
        account = accounts.by_name(session, "carla")
        assert account.roles == ["curator", "registrar"]
        (left,) = memberships.of(session, account)
        assert session.get_one(Collection, left.collection_id).slug == "maps"
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_keep_nobody_out(desk: Desk, address: str, scheme: str) -> None:
    page = _signed_in(desk, color_scheme=scheme)
    for one in (address, "/desk/accounts", "/desk/me"):
        page.goto(one)
        results = Axe().run(page, options=_RULES)
        assert results.violations_count == 0, results.generate_report()
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate(_WIDTH) <= 320, one
        page.set_viewport_size({"width": 1440, "height": 900})
    page.context.close()
    assert (desk.faults, desk.strangers) == ([], [])
