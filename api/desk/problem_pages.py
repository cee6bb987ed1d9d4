"""Problems as pages, for people; programs get them as JSON."""

import json
from http import HTTPStatus

from fastapi import Request, Response
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api import cookies
from api.desk.rendering import page
from api.problems import ProblemResponse
from predella import db
from predella.errors import AuthenticationError
from predella.models import Role
from predella.services import accounts, sessions
from predella.services.accounts import Principal


def suited(request: Request, problem: ProblemResponse) -> Response:
    """Return a problem as whoever asked can read it: a browser on the desk gets a page."""
    among_ours = f"{request.url.path}/".startswith(("/desk/", "/sign-in/", "/sign-out/"))
    if not (among_ours and "text/html" in request.headers.get("Accept", "")):
        return problem
    if problem.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        return _page(request, problem, None)
    try:
        with db.transaction() as session:
            return _page(request, problem, _signed_in(session, request))
    except SQLAlchemyError:
        return _page(request, problem, None)


def _signed_in(session: Session, request: Request) -> Principal | None:
    """Return whose navigation and language the page has; that of the request has ended."""
    secret = cookies.secret_of(request)
    try:
        return sessions.authenticate(session, secret) if secret else None
    except AuthenticationError:
        return None


def _page(request: Request, problem: ProblemResponse, principal: Principal | None) -> Response:
    said = json.loads(bytes(problem.body))
    shown = page(
        request,
        "problem.html",
        principal=principal,
        status=HTTPStatus(problem.status_code),
        code=problem.status_code,
        detail=said["detail"],
        parts_wrong=said.get("errors", ()),
        roles=_giving(said.get("scope")),
        collection=said.get("collection"),
        request_id=said["request_id"],
    )
    kept = ("Allow", "WWW-Authenticate", "Retry-After")
    shown.headers.update({name: problem.headers[name] for name in kept if name in problem.headers})
    return shown


def _giving(scope: str | None) -> list[Role]:
    """Return the roles that give a scope."""
    return [role for role in Role if scope in accounts.granted([role])]
