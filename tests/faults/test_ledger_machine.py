"""Every order of claims, ends, silences and awakenings; and mutants that must not survive."""

from collections.abc import Collection, Iterator
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import TextClause, create_engine, text
from sqlalchemy.orm import Session

from predella.ids import ItemId
from predella.services import drafts, ledger
from predella.services import sweep as sweeping
from predella.services.ledger import Claimed
from tests.faults.machine import LedgerMachine

PLAN = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=True,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def machine(database_url: str) -> Iterator[type[LedgerMachine]]:
    engine = create_engine(database_url)
    yield type("Machine", (LedgerMachine,), {"engine": engine})
    engine.dispose()


MUTANT_PLAN = settings(PLAN, max_examples=500, phases=[Phase.generate])


def changed(clause: TextClause, old: str, new: str) -> TextClause:
    assert old in clause.text
    mutant = text(clause.text.replace(old, new))
    return mutant.bindparams(*clause._bindparams.values())


def replaced(module: ModuleType, **names: object) -> SimpleNamespace:
    return SimpleNamespace(**vars(module) | names)


class TestLedger:
    def test_agrees_with_the_model(self, machine: type[LedgerMachine]) -> None:
        run_state_machine_as_test(machine, settings=PLAN)


class TestMutants:
    """Each of these is a plausible mistake; the machine must find all of them."""

    def test_a_finish_that_does_not_ask_for_the_token(
        self, machine: type[LedgerMachine], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loose = changed(ledger._LOCK, "AND item.lease_token = held.token", "")
        monkeypatch.setattr(ledger, "_LOCK", loose)
        self._is_found(machine)

    def test_a_claim_that_mixes_suspects_with_fresh_items(
        self, machine: type[LedgerMachine], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mixed = changed(ledger._CLAIM, "AND NOT EXISTS (SELECT FROM suspect)", "")
        monkeypatch.setattr(ledger, "_CLAIM", mixed)
        self._is_found(machine)

    def test_a_sweep_that_forgets_the_lost_attempt(
        self, machine: type[LedgerMachine], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        forgiving = changed(
            sweeping._ITEMS, "next_attempt_at = now(),", "next_attempt_at = now(), attempt = 0,"
        )
        monkeypatch.setattr(sweeping, "_ITEMS", forgiving)
        self._is_found(machine)

    def test_a_record_that_locks_but_does_not_look(
        self, machine: type[LedgerMachine], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        careful = ledger.lock

        def hasty(session: Session, held: Collection[Claimed]) -> set[ItemId]:
            careful(session, held)
            return {item.id for item in held}

        monkeypatch.setattr(drafts, "ledger", replaced(ledger, lock=hasty))
        self._is_found(machine)

    def _is_found(self, machine: type[LedgerMachine]) -> None:
        with pytest.raises(Exception):  # noqa: B017, PT011
            run_state_machine_as_test(machine, settings=MUTANT_PLAN)
