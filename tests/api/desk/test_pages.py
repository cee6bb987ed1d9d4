"""Every page for every role: who sees it, and that no form forgets its token."""

import re
from http import HTTPStatus
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.desk import rendering
from predella import db
from predella.models import Role
from tests import factories
from tests.api.conftest import Acting

_FOR_READERS = (
    "/desk/lots",
    "/desk/submissions",
    "/desk/exports",
    "/desk/collections",
    "/desk/glossaries",
    "/desk/me",
)


class TestPages:
    @pytest.mark.parametrize("role", list(Role))
    def test_are_shown_to_every_role(self, acting: Acting, role: Role) -> None:
        somebody = acting(role)

        found = {path: somebody.get(path).status_code for path in _FOR_READERS}

        assert set(found.values()) == {HTTPStatus.OK}

    @pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
    def test_of_accounts_are_for_admins(self, acting: Acting, role: Role) -> None:
        somebody = acting(role)

        assert somebody.get("/desk/accounts").status_code == HTTPStatus.FORBIDDEN
        assert "/desk/accounts" not in somebody.get("/desk/me").text

    def test_prove_what_was_decided_and_on_which_words(self, curator: TestClient) -> None:
        with db.transaction() as session:
            made = factories.analysis(session)
            review = factories.review(session, made)
            path, sha256 = f"/desk/analyses/{made.id}/provenance", review.revision_sha256.hex()

        shown = curator.get(path).text

        assert shown.count(sha256) >= 2
        assert "Written by AI" in shown

    def test_mark_where_one_is(self, curator: TestClient) -> None:
        shown = curator.get("/desk/exports").text

        assert '<a href="/desk/exports" aria-current="page">' in shown
        assert shown.count('aria-current="page"') == 1


class TestForms:
    @pytest.mark.parametrize("template", sorted(rendering.TEMPLATES.glob("*.html")), ids=str)
    def test_that_post_carry_the_token_of_the_session(self, template: Path) -> None:
        source = template.read_text()

        forms = re.findall(r'<form[^>]*method="post".*?</form>', source, re.DOTALL)

        # Who signs in has no session yet: there the Origin is looked at.
        known = ("csrf(principal)", "seen()", 'action="/sign-in')
        assert [form for form in forms if not any(one in form for one in known)] == []
