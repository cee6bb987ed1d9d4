"""Each gate at the doors themselves: files, deltas and harvesters, of what had left before."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from predella import clock, db
from predella.formats import oai
from predella.ids import CollectionId, SubmissionId
from predella.models import AuditEntry, ExportFormat, Item, Sensitivity, Submission
from predella.services import gates, records, withdrawals
from predella.services.gates import Change
from predella.settings import Settings, get_settings
from predella.storage import Store
from tests import factories
from tests.predella.services.exporting import content, said, written
from tests.services import Bucket

FAR = clock.now().date() + timedelta(days=400)
GATES: dict[str, tuple[Change, Change] | None] = {
    "restricted": (
        Change(sensitivity=Sensitivity.RESTRICTED),
        Change(sensitivity=Sensitivity.NONE),
    ),
    "review": (Change(sensitivity=Sensitivity.REVIEW), Change(sensitivity=Sensitivity.NONE)),
    "ai_processing": (Change(ai_processing=False), Change(ai_processing=True)),
    "export": (Change(exportable=False), Change(exportable=True)),
    "embargo": (Change(embargo_until=FAR), Change(clear=["embargo_until"])),
    "rights": (Change(clear=["rights_work"]), Change(rights_work=factories.PUBLIC_DOMAIN)),
    "withdrawn": None,
}
SECRET = "What nobody outside may read."


@pytest.fixture(autouse=True)
def repository(stranger: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened to harvesters, once everything else has looked at the settings."""
    assert (stranger, settings.oai_email) == (stranger, None)
    monkeypatch.setenv("PREDELLA_PUBLIC_URL", "https://predella.museum.example")
    monkeypatch.setenv("PREDELLA_OAI_EMAIL", "registrar@museum.example")
    get_settings.cache_clear()


@pytest.fixture
def secret(repository: None) -> Item:
    """Its text has been approved; in the same collection there is another one."""
    assert repository is None
    with db.transaction() as session:
        of = factories.collection(
            session, slug="paintings", review_rules={"open_to_harvesters": True}
        )
        other = factories.submission(session, of)
        factories.approved(session, other, object_number="B", text="Anybody may read this.")
        within = factories.submission(session, of)
        made = factories.approved(session, within, object_number="A", text=SECRET)
        session.expunge_all()
    return made


@pytest.fixture
def store(s3: Bucket) -> Store:
    return s3.store


def _turn(item: Item, gate: str, *, close: bool) -> None:
    with db.transaction() as session:
        by, reason = factories.account(session), "a letter of the family"
        if changes := GATES[gate]:
            id_, to = CollectionId(item.collection_id), changes[0] if close else changes[1]
            gates.change(session, id_, item.object_number, to, account=by, reason=reason)
        else:
            turn: Callable[..., Submission] = withdrawals.withdraw if close else withdrawals.restore
            turn(session, SubmissionId(item.submission_id), account=by, reason=reason)


def _harvested(client: TestClient, *, compare: bool) -> dict[str, bool]:
    """Say where harvesters are told the text."""
    if compare:
        with db.transaction() as session:
            records.refresh(session, older_than=timedelta(0))
    name = oai.identifier("paintings/A", "predella.museum.example")
    asked = {
        "ListRecords": {"metadataPrefix": "lido"},
        "GetRecord": {"metadataPrefix": "oai_dc", "identifier": name},
    }
    answers = {
        verb: client.get("/oai", params={"verb": verb} | arguments).text
        for verb, arguments in asked.items()
    }
    assert 'status="deleted"' in answers["GetRecord"] or SECRET in answers["GetRecord"]
    return {verb: SECRET in answer for verb, answer in answers.items()}


class TestWhatHasLeft:
    @pytest.mark.parametrize("gate", GATES)
    def test_is_called_back_at_every_door_and_comes_back(
        self, session: Session, stranger: TestClient, secret: Item, store: Store, gate: str
    ) -> None:
        of, everywhere = (
            CollectionId(secret.collection_id),
            {"ListRecords": True, "GetRecord": True},
        )
        nowhere = dict.fromkeys(everywhere, False)
        first = written(session, of, store)
        assert _harvested(stranger, compare=True) == everywhere

        _turn(secret, gate, close=True)
        at_once = _harvested(stranger, compare=False)
        later = _harvested(stranger, compare=True)
        whole = written(session, of, store)
        delta = written(session, of, store, since=first.id)
        table = written(session, of, store, ExportFormat.CSV)
        _turn(secret, gate, close=False)
        back = written(session, of, store, since=delta.id)

        assert at_once == later == nowhere
        assert said(whole, store).keys() == {"B"}
        assert said(delta, store) == {"A": None}
        assert SECRET.encode() not in content(table, store)
        assert said(back, store) == {"A": SECRET}
        assert _harvested(stranger, compare=True) == everywhere

    @pytest.mark.parametrize("gate", [name for name in GATES if name != "withdrawn"])
    def test_is_counted_in_the_audit_log_by_the_export_that_leaves_it(
        self, session: Session, secret: Item, store: Store, gate: str
    ) -> None:
        _turn(secret, gate, close=True)

        export = written(session, CollectionId(secret.collection_id), store)

        kept = select(AuditEntry).filter_by(action="gates.kept_back", subject_id=str(export.id))
        assert list(session.scalars(kept).one().details.values()) == [1]
