"""Signing in where somebody else vouches: an OpenID provider, or a proxy in front of us."""

import secrets
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api import cookies, oidc, signing_in
from api.dependencies import DbSession
from api.desk.rendering import page
from predella import db
from predella.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    PredellaError,
    SignInRefusedError,
    UnavailableError,
)
from predella.models import Account, Way
from predella.services import accounts, identities, sessions, sign_in_flows
from predella.services.identities import Person
from predella.settings import get_settings

router = APIRouter(include_in_schema=False)

_STATUS: dict[type[PredellaError], HTTPStatus] = {
    AuthenticationError: HTTPStatus.UNAUTHORIZED,
    SignInRefusedError: HTTPStatus.FORBIDDEN,
    ConflictError: HTTPStatus.CONFLICT,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Answer(BaseModel):
    """What a provider sends a browser back with."""

    code: str = ""
    state: str = ""
    error: str = ""
    issuer: str | None = Field(default=None, alias="iss")


@router.get("/sign-in/oidc")
def leave(request: Request, session: DbSession, next: str = signing_in.DESK) -> Response:  # noqa: A002  (the name in the address)
    """Send the browser to the OpenID provider."""
    signing_in.limit(request)
    begun = sign_in_flows.drawn()
    try:
        answer = RedirectResponse(_provider().authorization_address(begun), HTTPStatus.SEE_OTHER)
    except UnavailableError as error:
        return _failed(request, error)
    # Several pages may be away at once: each comes back with a state of its own.
    browser = cookies.away_secret_of(request) or secrets.token_urlsafe(32)
    sign_in_flows.begin(session, begun, browser=browser, back=signing_in.safe(next))
    cookies.give_away_secret(request, answer, browser)
    return answer


@router.get("/sign-in/oidc/callback")
def come_back(request: Request, session: DbSession, told: Annotated[Answer, Query()]) -> Response:
    """Sign in for whom the provider vouches, or say why not and what to do."""
    signing_in.limit(request)
    provider = _provider()
    try:
        # In a transaction of its own: it stays used, and nothing waits for the provider.
        with db.transaction() as own:
            browser = cookies.away_secret_of(request) or ""
            returned = sign_in_flows.finish(own, told.state, browser=browser)
        if told.error or not told.code:
            raise _declined(told.error)
        person = provider.identify(told.code, returned, issuer=told.issuer)
        account = _admitted(session, person)
    except tuple(_STATUS) as refusal:
        return _failed(request, refusal)
    answer = signing_in.enter(request, session, account, way=Way.OIDC, back=returned.back)
    cookies.take_back_away_secret(request, answer)
    return answer


def by_proxy(request: Request, session: Session, name: str, back: str) -> Response:
    """Sign in the account that a proxy of ours vouches for; it opens none."""
    signing_in.limit(request)
    if _is_in(session, request, name):
        # A new session would spoil what its other pages are about to send.
        return RedirectResponse(signing_in.safe(back), HTTPStatus.SEE_OTHER)
    try:
        account = accounts.by_name(session, name)
    except NotFoundError:
        account = None
    if account is None or account.disabled_at is not None:
        why = (
            f"you are signed in as {name!r}, and no account of this name is open here; ask whoever"
            " runs predella for you to open one"
        )
        return _failed(request, SignInRefusedError(why))
    return signing_in.enter(request, session, account, way=Way.PROXY, back=back)


def end_address() -> str | None:
    """Return where one signs out of the provider, if it offers that and answers."""
    provider = oidc.provider()
    try:
        return provider.end_session_address() if provider else None
    except UnavailableError:
        return None


def _is_in(session: Session, request: Request, name: str) -> bool:
    try:
        secret = cookies.secret_of(request) or ""
        return sessions.authenticate(session, secret).account.name == name
    except AuthenticationError:
        return False


def _provider() -> oidc.Provider:
    provider = oidc.provider()
    if provider is None:
        raise NotFoundError("OpenID provider", "is set up here; see PREDELLA_OIDC_ISSUER")
    return provider


def _admitted(session: Session, person: Person) -> Account:
    mapping = identities.roles_of(get_settings().oidc_roles or "")
    return identities.sign_in(session, person, mapping=mapping)


def _declined(error: str) -> PredellaError:
    if error in {"temporarily_unavailable", "server_error"}:
        return UnavailableError("the sign-in provider has trouble of its own; try again in a while")
    if error == "access_denied":
        return SignInRefusedError(
            "the sign-in provider did not let you through, or you turned back; begin again, or ask"
            " whoever keeps your account there"
        )
    return AuthenticationError(
        "the sign-in provider did not say who you are; begin again, and if it happens again, tell"
        " whoever runs predella for you"
    )


def _failed(request: Request, error: PredellaError) -> Response:
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    return page(request, "sign_in_failed.html", principal=None, status=status, why=str(error))
