import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from predella import db
from predella.cli import app
from predella.models import CatalogRecord, Item, ItemState, Stage
from predella.services import ledger
from tests import factories


def fall_silent() -> None:
    """Leave one item with a worker that is no more."""
    with db.transaction() as session:
        factories.item(session, next_attempt_at=func.now())
    with db.transaction() as session:
        ledger.claim(session, Stage.PREPARE, worker="gone", limit=1, lease_seconds=90)
        session.execute(
            text("UPDATE item SET lease_until = now() - interval '1 s' WHERE state = 'leased'")
        )


@pytest.mark.usefixtures("settings")
class TestOnce:
    def test_takes_back_what_a_silent_worker_holds(self, session: Session) -> None:
        fall_silent()

        result = CliRunner().invoke(app, ["sweep", "--once"])

        assert result.exit_code == 0
        assert session.scalars(select(Item.state)).one() is ItemState.WAITING

    def test_gives_what_is_approved_its_moment_for_harvesters(self, session: Session) -> None:
        of = factories.collection(session, review_rules={"open_to_harvesters": True})
        factories.approved(session, factories.submission(session, of))
        session.commit()

        CliRunner().invoke(app, ["sweep", "--once"])

        assert session.scalars(select(CatalogRecord.collection_id)).one() == of.id


@pytest.mark.usefixtures("settings")
class TestForEver:
    def test_outlives_a_database_that_cuts_every_connection_and_ends_when_told(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PREDELLA_SWEEP_SECONDS", "0.2")
        program = Path(sysconfig.get_path("scripts")) / "predella"
        with subprocess.Popen([sys.executable, program, "sweep"]) as process:
            try:
                for _ in range(3):
                    fall_silent()
                    until_nothing_is_leased(session)
                    cut_every_connection(session)
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0
            finally:
                process.kill()


def cut_every_connection(session: Session) -> None:
    session.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    )


def until_nothing_is_leased(session: Session) -> None:
    leased = select(func.count()).where(Item.state == ItemState.LEASED)
    deadline = time.monotonic() + 30
    while session.scalar(leased):
        assert time.monotonic() < deadline
        session.rollback()
        time.sleep(0.1)
