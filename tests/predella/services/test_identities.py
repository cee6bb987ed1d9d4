from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from predella.errors import (
    AuthenticationError,
    ConflictError,
    InvalidError,
    NotFoundError,
    SignInRefusedError,
    UnknownNamesError,
)
from predella.models import AuditEntry, Role
from predella.services import identities, sessions
from predella.services.identities import Person
from tests import factories

ISSUER = "https://id.example/realms/museum"
MAPPING = {"curators": frozenset({Role.CURATOR}), "heads": frozenset({Role.APPROVER})}


def _person(subject: str = "1", name: str = "ines", *groups: str, issuer: str = ISSUER) -> Person:
    return Person(issuer, subject, name, "Inês Ōe", frozenset(groups or {"curators"}))


class TestRolesOf:
    def test_a_group_gives_roles_and_may_be_written_like_a_directory_does(self) -> None:
        found = identities.roles_of(
            " heads of department=approver, heads of department = curator,ou=desk=admin,"
        )

        assert found == {
            "heads of department": {Role.APPROVER, Role.CURATOR},
            "ou=desk": {Role.ADMIN},
        }

    def test_a_group_with_a_comma_is_written_in_quotes(self) -> None:
        found = identities.roles_of(
            '"prints, drawings=curator", "prints, drawings=approver",\n "the ""old"" desk=admin"'
        )

        assert found == {
            "prints, drawings": {Role.APPROVER, Role.CURATOR},
            'the "old" desk': {Role.ADMIN},
        }

    @pytest.mark.parametrize(
        "setting", ['"prints, drawings"=curator', '"prints, drawings=curator', '"a=curator" b']
    )
    def test_says_where_quotes_go(self, setting: str) -> None:
        with pytest.raises(InvalidError, match="around a whole pair"):
            identities.roles_of(setting)

    @pytest.mark.parametrize("setting", ["", " , ", "curators", "=curator"])
    def test_says_how_it_is_written(self, setting: str) -> None:
        with pytest.raises(InvalidError, match="group=role"):
            identities.roles_of(setting)

    @pytest.mark.parametrize("setting", ["a=curater", "a=", "a=Curator", "a=curator@prints"])
    def test_names_a_role_that_there_is_not(self, setting: str) -> None:
        with pytest.raises(UnknownNamesError, match="PREDELLA_OIDC_ROLES"):
            identities.roles_of(setting)


class TestSignIn:
    def test_the_same_subject_of_another_provider_is_somebody_else(self, session: Session) -> None:
        identities.sign_in(session, _person(), mapping=MAPPING)

        with pytest.raises(SignInRefusedError, match="not linked to you"):
            identities.sign_in(session, _person(issuer="https://evil.example"), mapping=MAPPING)

    @pytest.mark.parametrize(
        ("called", "name"),
        [("Inês.Ōe", "ines.oe"), ("INES@Museum.Example", "ines@museum.example"), ("ﬁne", "fine")],
    )
    def test_a_name_is_made_one_of_ours(self, session: Session, called: str, name: str) -> None:
        account = identities.sign_in(session, _person(name=called), mapping=MAPPING)

        assert account.name == name

    def test_a_name_that_looks_like_a_taken_one_is_taken(self, session: Session) -> None:
        factories.account(session, Role.ADMIN, name="ines")

        with pytest.raises(SignInRefusedError, match="predella account link ines"):
            identities.sign_in(session, _person(name="Inês"), mapping=MAPPING)

    def test_what_changes_roles_is_entered(self, session: Session) -> None:
        identities.sign_in(session, _person(), mapping=MAPPING)
        identities.sign_in(session, _person("1", "ines", "heads", "curators"), mapping=MAPPING)
        identities.sign_in(session, _person("1", "ines", "heads", "curators"), mapping=MAPPING)

        changed = session.scalars(
            select(AuditEntry.details).where(AuditEntry.action == "account.changed")
        ).all()
        assert [one["roles"] for one in changed] == [["approver", "curator"]]

    def test_two_first_sign_ins_at_once_open_one_account(self, database_url: str) -> None:
        engine = create_engine(database_url)
        barrier = Barrier(2)

        def sign_in() -> UUID:
            with Session(engine) as own, own.begin():
                own.connection()
                barrier.wait(20)
                return identities.sign_in(own, _person(), mapping=MAPPING).id

        with ThreadPoolExecutor(2) as pool:
            ids = {one.result(30) for one in [pool.submit(sign_in) for _ in range(2)]}
        engine.dispose()

        assert len(ids) == 1


class TestLink:
    def test_one_person_signs_in_to_one_account(self, session: Session) -> None:
        ines, zoe = (factories.account(session, name=name) for name in ("ines", "zoe"))
        identities.link(session, ines, issuer=ISSUER, subject="1")

        with pytest.raises(ConflictError, match="already"):
            identities.link(session, zoe, issuer=ISSUER, subject="1")

    def test_is_entered_with_its_end(self, session: Session) -> None:
        ines = factories.account(session, name="ines")
        identities.link(session, ines, issuer=ISSUER, subject="1")
        identities.unlink(session, ines, issuer=ISSUER, subject="1")

        entered = session.scalars(
            select(AuditEntry).where(AuditEntry.action.like("account.%linked")).order_by("seq")
        ).all()
        assert [one.action for one in entered] == ["account.linked", "account.unlinked"]
        assert {one.subject_id for one in entered} == {str(ines.id)}


class TestUnlink:
    def test_signs_out_and_lets_nobody_in_any_more(self, session: Session) -> None:
        ines = identities.sign_in(session, _person(), mapping=MAPPING)
        secret = sessions.begin(session, ines)

        identities.unlink(session, ines, issuer=ISSUER, subject="1")

        with pytest.raises(AuthenticationError):
            sessions.authenticate(session, secret)
        with pytest.raises(SignInRefusedError):
            identities.sign_in(session, _person(), mapping=MAPPING)

    def test_of_another_account_is_not_found(self, session: Session) -> None:
        identities.sign_in(session, _person(), mapping=MAPPING)

        with pytest.raises(NotFoundError):
            identities.unlink(
                session, factories.account(session, name="zoe"), issuer=ISSUER, subject="1"
            )
