import json
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from predella.ids import CollectionId
from predella.models import AuditEntry, Decision, ExportFormat, ExportState, Role
from predella.services import accounts, audits, collections, exports
from tests import factories
from tests.services import Bucket, UrlOf, sqlalchemy_url


@pytest.fixture
def owner(postgres: UrlOf, database_url: str) -> Iterator[Engine]:
    """Who may do everything, disabling triggers included."""
    name = make_url(database_url).database
    assert name is not None
    engine = create_engine(sqlalchemy_url(postgres(name)))
    yield engine
    engine.dispose()


def _actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


def _decide(session: Session, *decisions: Decision) -> None:
    for decision in decisions:
        factories.review(session, factories.analysis(session), decision)
    session.commit()


def _tamper(owner: Engine, statement: str) -> None:
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        connection.execute(text(statement))
        connection.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))


class TestEntries:
    def test_a_decision_is_entered_whoever_writes_it(self, session: Session) -> None:
        review = factories.review(session, factories.analysis(session))

        entry = session.scalars(select(AuditEntry).filter_by(action="review.approved")).one()
        assert entry.account_id == review.account_id
        assert entry.subject_id == str(review.analysis_id)
        assert entry.details["id"] == str(review.id)
        assert entry.details["revision_sha256"] == f"\\x{review.revision_sha256.hex()}"

    def test_an_amendment_is_entered_and_the_models_own_wording_is_not(
        self, session: Session
    ) -> None:
        analysis = factories.analysis(session)
        assert "revision.written" not in _actions(session)

        by = factories.account(session)
        factories.revision(session, analysis, text="Dull reds lead the eye.", account=by)

        entry = session.scalars(select(AuditEntry).filter_by(action="revision.written")).one()
        assert "text" not in entry.details

    def test_what_changes_in_the_house_is_entered_under_who_did_it(self, session: Session) -> None:
        admin = factories.account(session, Role.ADMIN)
        curator = factories.account(session, Role.CURATOR)
        token, secret = accounts.issue_token(session, admin, name="test")
        accounts.authenticate(session, secret)

        accounts.disable(session, curator)

        entry = session.scalars(select(AuditEntry).filter_by(action="account.disabled")).one()
        assert (entry.account_id, entry.subject_id) == (admin.id, str(curator.id))
        made = session.scalars(select(AuditEntry).filter_by(action="token.made")).one()
        assert (made.account_id, made.subject_id) == (None, str(token.id))
        assert secret not in json.dumps(made.details)

    def test_the_use_of_a_token_changes_nothing_in_the_house(self, session: Session) -> None:
        admin = factories.account(session, Role.ADMIN)
        secret = accounts.issue_token(session, admin, name="test")[1]
        before = _actions(session)

        accounts.authenticate(session, secret)

        assert _actions(session) == before

    def test_of_a_collection_only_what_changed_is_entered(self, session: Session) -> None:
        collection = factories.collection(session)

        collections.choose_thresholds(session, collection, {"reused_in": 20})

        entry = session.scalars(select(AuditEntry).filter_by(action="collection.changed")).one()
        assert set(entry.details) == {"thresholds"}
        assert entry.collection_id == collection.id

    def test_a_hand_in_and_an_export_are_entered(self, session: Session) -> None:
        factories.submission(session)
        factories.export(session)

        assert {"submission.created", "export.created"} <= set(_actions(session))

    def test_how_an_export_ends_is_entered_under_nobody(self, session: Session) -> None:
        written, failed = factories.export(session), factories.export(session)
        written.state, written.sha256, written.line_count = ExportState.WRITTEN, b"\1" * 32, 7
        written.withdrawn_count = 2
        failed.state, failed.error = ExportState.FAILED, "the bucket is gone"
        session.flush()
        written.size = 12
        session.flush()

        ends = select(AuditEntry).where(AuditEntry.action.in_(["export.written", "export.failed"]))
        entries = {entry.action: entry for entry in session.scalars(ends)}
        assert entries["export.written"].subject_id == str(written.id)
        assert entries["export.written"].collection_id == written.collection_id
        assert entries["export.written"].account_id is None
        assert entries["export.written"].details["texts"] == 5
        assert entries["export.written"].details["withdrawn"] == 2
        assert entries["export.written"].details["sha256"] == "\\x" + "01" * 32
        assert entries["export.failed"].details == {"error": "the bucket is gone"}
        assert _actions(session).count("export.written") == 1

    def test_notes_are_entered_beside_them(self, session: Session) -> None:
        account = factories.account(session)

        audits.note(
            session,
            action="session.opened",
            subject_kind="account",
            subject_id=account.id,
            account=account,
        )

        assert _actions(session)[-1] == "session.opened"


class TestForgery:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_entry SET details = '{}'",
            "DELETE FROM audit_entry",
            (
                "INSERT INTO audit_entry (action, subject_kind, subject_id, details, number, hash)"
                " VALUES ('session.opened', 'account', 'x', '{}', 1, 'x')"
            ),
            (
                "INSERT INTO audit_entry (action, subject_kind, subject_id, details)"
                " VALUES ('review.approved', 'analysis', 'x', '{}')"
            ),
            "SELECT predella_enter_house('token.made', 'token', NULL, NULL, '{}')",
        ],
    )
    def test_the_service_may_neither_change_nor_forge_an_entry(
        self, session: Session, statement: str
    ) -> None:
        factories.account(session)

        with pytest.raises(DBAPIError, match=r"permission denied|made by the database alone"):
            session.execute(text(statement))

    def test_even_the_owner_has_to_disable_a_trigger_first(
        self, session: Session, owner: Engine
    ) -> None:
        _decide(session, Decision.APPROVED)

        with pytest.raises(DBAPIError, match="append-only"), owner.begin() as connection:
            connection.execute(text("UPDATE audit_entry SET details = '{}'"))
        with pytest.raises(DBAPIError, match="append-only"), owner.begin() as connection:
            connection.execute(text("DELETE FROM audit_entry"))


class TestVerify:
    def test_an_untouched_chain_holds_and_new_entries_are_told(self, session: Session) -> None:
        _decide(session, Decision.APPROVED, Decision.REJECTED)
        head = audits.seal(session)
        sealed = len(_actions(session))
        factories.account(session)

        verdict = audits.verify(session)

        assert (verdict.sealed, verdict.unsealed) == (sealed, 1)
        assert verdict.head == head
        assert verdict.broken is None

    def test_nothing_at_all_holds(self, session: Session) -> None:
        assert audits.seal(session) is None
        assert audits.verify(session).broken is None

    @pytest.mark.parametrize(
        ("statement", "what"),
        [
            ("UPDATE audit_entry SET account_name = 'mallory' WHERE number = 2", "was changed"),
            ("DELETE FROM audit_entry WHERE number = 2", "is gone"),
            ("UPDATE audit_entry SET previous_hash = hash WHERE number = 2", "does not follow"),
        ],
    )
    def test_names_the_first_entry_that_the_owner_tampered_with(
        self, session: Session, owner: Engine, statement: str, what: str
    ) -> None:
        _decide(session, Decision.APPROVED, Decision.REJECTED)
        audits.seal(session)
        session.commit()

        _tamper(owner, statement)

        broken = audits.verify(session).broken
        assert broken is not None
        assert broken.number == 2
        assert what in broken.what

    @pytest.mark.usefixtures("settings")
    def test_misses_the_head_that_an_export_remembers(
        self, session: Session, owner: Engine, s3: Bucket
    ) -> None:
        item = factories.approved(session)
        collection = collections.get(session, CollectionId(item.collection_id))
        made = exports.create(
            session,
            collection,
            account=factories.account(session, Role.REGISTRAR),
            format=ExportFormat.JSONL,
        )
        session.commit()
        exports.write_waiting(s3.store)
        session.refresh(made)
        assert made.audit_head is not None
        assert audits.verify(session).broken is None

        _tamper(owner, "UPDATE audit_entry SET number = NULL, previous_hash = NULL, hash = NULL")

        broken = audits.verify(session).broken
        assert broken is not None
        assert str(made.id) in broken.what


class TestSeal:
    def test_whoever_commits_late_comes_later_in_the_chain(
        self, session: Session, database_url: str
    ) -> None:
        factories.account(session)
        engine = create_engine(database_url)
        with Session(engine) as other:
            factories.account(other, name="quick")
            other.commit()
            audits.seal(other)
            other.commit()
        engine.dispose()
        session.commit()

        audits.seal(session)

        by_place = select(AuditEntry.seq).order_by(AuditEntry.number)
        assert list(session.scalars(by_place)) == [2, 1]
        assert audits.verify(session).broken is None

    def test_two_at_once_make_one_chain(self, session: Session, database_url: str) -> None:
        for _ in range(20):
            factories.account(session)
        session.commit()
        engine = create_engine(database_url)

        def seal() -> None:
            with Session(engine) as own, own.begin():
                audits.seal(own)

        threads = [threading.Thread(target=seal) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        engine.dispose()

        verdict = audits.verify(session)
        assert (verdict.sealed, verdict.unsealed, verdict.broken) == (20, 0, None)

    def test_deciding_does_not_wait_for_deciding(self, session: Session, database_url: str) -> None:
        _decide(session, Decision.APPROVED)
        factories.review(session, factories.analysis(session))
        engine = create_engine(database_url, connect_args={"options": "-c lock_timeout=500"})

        with Session(engine) as other:
            factories.review(
                other, factories.analysis(other), by=factories.account(other, name="o")
            )
            other.commit()
        engine.dispose()
