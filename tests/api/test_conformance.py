"""Whatever is sent, the API answers as its description says, and never with a bug.

Schemathesis makes requests out of the description: fitting ones, broken ones, with NUL, lone
surrogates, numbers of a hundred digits. The same ones every time.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as settings_of
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Config, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import select

from predella import db
from predella.models import ExportState, Item, Role
from predella.settings import Settings, get_settings
from tests import factories
from tests.api.conftest import token

_SETTINGS = settings_of(
    # Of fitting and of broken requests, for each operation: less than a minute in all.
    max_examples=12,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def secret(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """The token of somebody who may do everything, as often as they like."""
    assert settings
    monkeypatch.setenv("PREDELLA_RATE_LIMIT", "1000000/minute")
    get_settings.cache_clear()
    return token(*Role, name="everybody")


@pytest.fixture
def known(secret: str) -> dict[str, str]:
    """What there is, by the name that it has in addresses."""
    assert secret
    with db.transaction() as session:
        analysis = factories.analysis(session, text="A low horizon. A red sail.")
        item = session.scalars(select(Item)).one()
        export = factories.export(session, state=ExportState.FAILED, error="the bucket is gone")
        found = {
            "collection_id": item.collection_id,
            "submission_id": item.submission_id,
            "analysis_id": analysis.id,
            "finding_id": factories.finding(session, analysis).id,
            "export_id": export.id,
            "operation_id": export.id,
            "account_id": factories.account(session, Role.CURATOR).id,
        }
        return {name: str(id_) for name, id_ in found.items()}


class TestEveryOperation:
    def test_answers_as_described_whatever_is_sent(
        self, app: FastAPI, secret: str, known: dict[str, str], subtests: pytest.Subtests
    ) -> None:
        headers = {"Authorization": f"Bearer {secret}"}
        for operation in _operations(app, headers):
            there = {one.name for one in operation.path_parameters} & known.keys()
            for mode in GenerationMode:
                cases = operation.as_strategy(
                    mode, path_parameters={name: known[name] for name in there}
                )
                with subtests.test(f"{operation.label}, {mode.value}"):
                    _try(cases, headers)


def _operations(app: FastAPI, headers: dict[str, str]) -> Iterator[Any]:
    config = Config.from_dict({"generation": {"with-security-parameters": False}})
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", app, headers=headers, config=config)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        yield found.ok()


def _try(cases: SearchStrategy[Any], headers: dict[str, str]) -> None:
    @_SETTINGS
    @given(cases)
    def answers_as_described(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=_CHECKS)

    # Some requests have no part that could be broken.
    with suppress(Unsatisfiable):
        answers_as_described()
