"""Signing in at an OpenID provider and out again, in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from predella.embedded.home import first_free
from predella.settings import Settings
from tests.api.server import serving
from tests.desk.conftest import Desk
from tests.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, issuing

_ALL = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}


@pytest.fixture
def issuer(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    assert settings.oidc_issuer is None
    with issuing() as made:
        monkeypatch.setenv("PREDELLA_OIDC_ISSUER", made.url)
        monkeypatch.setenv("PREDELLA_OIDC_CLIENT_ID", CLIENT_ID)
        monkeypatch.setenv("PREDELLA_OIDC_CLIENT_SECRET", CLIENT_SECRET)
        monkeypatch.setenv("PREDELLA_OIDC_ROLES", "curators=curator")
        monkeypatch.setenv("PREDELLA_OIDC_LABEL", "Sign in with your museum account")
        yield made


@pytest.fixture
def door(
    issuer: Issuer, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """A desk with an empty queue, before which nobody is signed in."""
    assert issuer.url
    port = first_free(0)
    monkeypatch.setenv("PREDELLA_PUBLIC_URL", f"http://127.0.0.1:{port}/")
    with serving(tmp_path / "api.log", port) as address:
        yield Desk(address, browser, [])
    assert "Traceback" not in (tmp_path / "api.log").read_text()


def test_goes_to_the_provider_and_comes_back_to_the_page_that_was_wanted(
    door: Desk, issuer: Issuer
) -> None:
    context = door.browser.new_context(base_url=door.address)
    page = door.watch(context.new_page())

    page.goto("/desk/lots")
    assert Axe().run(page, options=_ALL).violations_count == 0
    page.get_by_role("link", name="Sign in with your museum account").click()

    page.wait_for_url("**/desk/lots")
    expect(page.get_by_role("link", name="Zoë Ōe")).to_be_visible()
    assert all(url.startswith(issuer.url) for url in door.strangers)

    page.get_by_role("link", name="Zoë Ōe").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_text("You are not signed in here.")).to_be_visible()
    assert Axe().run(page, options=_ALL).violations_count == 0
    page.get_by_role("link", name="Sign out of the provider too").click()
    page.wait_for_url(f"{issuer.url}/end?*")
    context.close()
    assert door.faults == []


def test_says_what_to_do_when_no_group_fits(door: Desk, issuer: Issuer) -> None:
    issuer.person["groups"] = []
    context = door.browser.new_context(base_url=door.address)
    page = door.watch(context.new_page())

    page.goto("/sign-in/oidc")

    expect(page.get_by_role("alert")).to_contain_text("(curators)")
    assert Axe().run(page, options=_ALL).violations_count == 0
    page.get_by_role("link", name="Begin again").click()
    expect(page.get_by_label("Password")).to_be_visible()
    context.close()
    assert door.faults == []
