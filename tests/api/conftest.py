import sys
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from structlog.contextvars import merge_contextvars
from structlog.processors import format_exc_info
from structlog.testing import capture_logs
from structlog.typing import EventDict

from api.main import create_app
from predella import db
from predella.models import Role
from predella.services import accounts
from predella.settings import Settings, get_settings

Acting = Callable[..., TestClient]


def token(*roles: Role, name: str = "ines") -> str:
    """Return the secret of a fresh token of a fresh account, which opens whatever it may do."""
    with db.transaction() as session:
        account = accounts.add(session, name=name, display_name=f"{name} Ōe", roles=list(Role))
        _, secret = accounts.issue_token(session, account, name="test")
        account.roles = accounts.known_roles(roles)
        return secret


@pytest.fixture(autouse=True)
def log_lines() -> Iterator[list[EventDict]]:
    """What was logged; pytest shows the bugs among it beside a test that fails."""
    with capture_logs(processors=[merge_contextvars, format_exc_info]) as lines:
        yield lines
    sys.stderr.writelines(line["exception"] for line in lines if "exception" in line)


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """Built once: it keeps nothing between requests."""
    return create_app()


@pytest.fixture
def stranger(app: FastAPI, settings: Settings) -> TestClient:
    """Somebody without a token."""
    assert get_settings() is settings
    return TestClient(app)


@pytest.fixture
def acting(stranger: TestClient) -> Acting:
    """Somebody of these roles, with a token that opens all that they may do."""

    def client(*roles: Role, name: str = "ines") -> TestClient:
        headers = {"Authorization": f"Bearer {token(*roles, name=name)}"}
        return TestClient(stranger.app, headers=headers)

    return client


@pytest.fixture
def admin(acting: Acting) -> TestClient:
    return acting(Role.ADMIN, name="admin")


@pytest.fixture
def curator(acting: Acting) -> TestClient:
    return acting(Role.CURATOR, name="curator")


@pytest.fixture
def approver(acting: Acting) -> TestClient:
    return acting(Role.APPROVER, name="approver")
