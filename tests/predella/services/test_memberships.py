import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella.errors import UnknownNamesError
from predella.ids import CollectionId
from predella.models import Account, AuditEntry, Role
from predella.services import accounts, memberships
from tests import factories


def _stranger(session: Session, name: str = "ines") -> Account:
    return accounts.add(session, name=name, display_name="Inês Ōe", roles=[])


class TestChange:
    def test_opens_this_collection_and_no_other(self, session: Session) -> None:
        here, there = factories.collection(session), factories.collection(session)
        account = _stranger(session)

        memberships.change(session, account, here, ["approver", "curator", "approver"])

        _, secret = accounts.issue_token(session, account, name="test")
        principal = accounts.authenticate(session, secret)
        assert principal.scopes == frozenset()
        assert principal.may("approvals:write", here.id)
        assert not principal.may("collections:read", there.id)
        assert principal.reach("approvals:write") == frozenset({CollectionId(here.id)})
        assert [one.roles for one in memberships.of(session, account)] == [["approver", "curator"]]

    def test_a_token_sees_it_at_once_and_never_opens_more_than_it_says(
        self, session: Session
    ) -> None:
        here, there = factories.collection(session), factories.collection(session)
        account = _stranger(session)
        memberships.change(session, account, here, ["curator"])
        _, secret = accounts.issue_token(session, account, name="test")

        memberships.change(session, account, here, ["registrar"])
        memberships.change(session, account, there, ["curator"])

        principal = accounts.authenticate(session, secret)
        assert principal.scopes_in(here.id) == {"collections:read"}
        assert principal.reach("reviews:write") == frozenset({CollectionId(there.id)})

    def test_without_roles_the_account_is_a_stranger_again(self, session: Session) -> None:
        here, account = factories.collection(session), _stranger(session)
        memberships.change(session, account, here, ["curator"])
        _, secret = accounts.issue_token(session, account, name="test")

        memberships.change(session, account, here, [])
        memberships.change(session, account, here, [])

        assert not accounts.authenticate(session, secret).may_somewhere("collections:read")
        assert memberships.of(session, account) == []

    def test_an_admin_of_one_collection_neither_approves_nor_runs_the_house(
        self, session: Session
    ) -> None:
        here, account = factories.collection(session), _stranger(session)

        memberships.change(session, account, here, ["admin"])

        _, secret = accounts.issue_token(session, account, name="test")
        scopes = accounts.authenticate(session, secret).scopes_in(here.id)
        assert "collections:write" in scopes
        assert scopes.isdisjoint({"approvals:write", "accounts:write", "metrics:read"})

    def test_refuses_a_misspelt_role(self, session: Session) -> None:
        with pytest.raises(UnknownNamesError, match="unknown role: curater"):
            memberships.change(
                session, _stranger(session), factories.collection(session), ["curater"]
            )

    def test_each_change_is_entered_once_with_the_collection(self, session: Session) -> None:
        here, account = factories.collection(session), _stranger(session)

        for roles in (["curator"], ["curator"], ["approver"], []):
            memberships.change(session, account, here, roles)

        entries = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.action.in_(["account.granted", "account.ungranted"]))
            .order_by(AuditEntry.seq)
        ).all()
        assert [(one.action, one.details["roles"]) for one in entries] == [
            ("account.granted", ["curator"]),
            ("account.granted", ["approver"]),
            ("account.ungranted", ["approver"]),
        ]
        assert {(one.subject_id, one.collection_id) for one in entries} == {
            (str(account.id), here.id)
        }


class TestReviewers:
    def test_are_the_open_accounts_that_may_review_here(self, session: Session) -> None:
        here, there = factories.collection(session), factories.collection(session)
        everywhere = factories.account(session, Role.CURATOR)
        factories.account(session, Role.REGISTRAR)
        accounts.disable(session, factories.account(session, Role.APPROVER))
        of_here, of_there = _stranger(session, "here"), _stranger(session, "there")
        memberships.change(session, of_here, here, ["approver"])
        memberships.change(session, of_there, there, ["curator"])

        found = memberships.reviewers(session, CollectionId(here.id))

        assert found == [everywhere, of_here]
