import json
import re
from collections import Counter
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.api.snapshot import agreed, described


@pytest.fixture
def description(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def _operations(description: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in description["paths"].values() for operation in path.values()]


class TestDescription:
    def test_is_the_agreed_one(self) -> None:
        assert json.loads(described()) == agreed(), (
            "the API changed: if that is wanted, run `python -m tests.api.snapshot`, "
            "and read the difference as one whose program depends on it"
        )

    def test_needs_a_token_and_is_served_whole(
        self, curator: TestClient, description: dict[str, Any]
    ) -> None:
        assert curator.get("/v1/openapi.json").json() == json.loads(json.dumps(description))
        assert description["openapi"].startswith("3.1.")

    def test_every_reference_leads_somewhere(self, description: dict[str, Any]) -> None:
        names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(description)))

        assert "$defs" not in json.dumps(description)
        assert names == set(description["components"]["schemas"])

    def test_every_operation_has_an_id_of_its_own_and_says_what_it_does(
        self, description: dict[str, Any]
    ) -> None:
        operations = _operations(description)

        counted = Counter(operation["operationId"] for operation in operations)
        assert set(counted.values()) == {1}
        assert all(operation["summary"] for operation in operations)

    def test_every_body_has_an_example(self, description: dict[str, Any]) -> None:
        bodies = {
            operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            for operation in _operations(description)
            if "requestBody" in operation
        }

        schemas = description["components"]["schemas"]
        assert [ref for ref in bodies if "examples" not in schemas[ref.split("/")[-1]]] == []

    def test_every_problem_is_described_as_a_problem(self, description: dict[str, Any]) -> None:
        for operation in _operations(description):
            for status, answer in operation["responses"].items():
                if status >= "400" and operation["operationId"] != "is_ready":
                    assert list(answer["content"]) == ["application/problem+json"]
