import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from predella import db
from predella.settings import Settings


@pytest.mark.usefixtures("settings")
class TestAfterCommit:
    def test_runs_once_the_transaction_has_committed(self) -> None:
        seen: list[str] = []

        with db.transaction() as session:
            db.after_commit(session, lambda: seen.append("rung"))
            with session.begin_nested():
                session.execute(text("SELECT 1"))
            assert not seen, "a savepoint is not a commit"

        assert seen == ["rung"]

    def test_does_not_run_after_a_rollback(self) -> None:
        seen: list[str] = []

        def fail_after_asking() -> None:
            with db.transaction() as session:
                db.after_commit(session, lambda: seen.append("rung"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail_after_asking()

        assert not seen

    def test_does_not_run_when_the_commit_itself_fails(self) -> None:
        seen: list[str] = []
        deferred = "CREATE TEMP TABLE t (x int UNIQUE DEFERRABLE INITIALLY DEFERRED)"

        def fail_in_the_commit() -> None:
            with db.transaction() as session:
                db.after_commit(session, lambda: seen.append("rung"))
                session.execute(text(deferred))
                session.execute(text("INSERT INTO t VALUES (1), (1)"))

        with pytest.raises(IntegrityError):
            fail_in_the_commit()

        assert not seen


class TestEngine:
    def test_speaks_utc_and_outlives_a_cut_connection(self, settings: Settings) -> None:
        assert settings.database_url
        with db.transaction() as session:
            assert session.scalar(text("SHOW timezone")) == "UTC"
            pid = session.scalar(text("SELECT pg_backend_pid()"))
        with db.engine().connect() as other:
            if other.scalar(text("SELECT pg_backend_pid()")) == pid:
                with db.engine().connect() as killer:
                    killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
                other.invalidate()

        with db.transaction() as session:
            assert session.scalar(text("SELECT 1")) == 1


@pytest.mark.usefixtures("settings")
class TestRoleOfTheService:
    @pytest.mark.parametrize(
        "statement",
        [
            "ALTER TABLE analysis DISABLE TRIGGER ALL",
            "DROP TABLE review",
            "CREATE TABLE note (words text)",
            "UPDATE analysis SET text = 'better'",
            "DELETE FROM review",
            "TRUNCATE export_line",
            "UPDATE standing SET state = 'approved'",
            "UPDATE revision SET text = 'better'",
        ],
    )
    def test_may_not_undo_what_the_owner_settled(self, statement: str) -> None:
        with (
            db.engine().connect() as connection,
            pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        ):
            connection.execute(text(statement))
