"""Problems as pages, for people; programs get them as JSON."""

import json
from http import HTTPStatus

from fastapi import Request, Response

from api.desk.rendering import page
from api.problems import ProblemResponse
from predella.models import Role
from predella.services import accounts


def suited(request: Request, problem: ProblemResponse) -> Response:
    """Return a problem as whoever asked can read it: a browser on the desk gets a page."""
    on_the_desk = f"{request.url.path}/".startswith(("/desk/", "/sign-in/", "/sign-out/"))
    if not (on_the_desk and "text/html" in request.headers.get("Accept", "")):
        return problem
    said = json.loads(bytes(problem.body))
    shown = page(
        request,
        "problem.html",
        principal=None,
        status=HTTPStatus(problem.status_code),
        code=problem.status_code,
        detail=said["detail"],
        parts_wrong=said.get("errors", ()),
        roles=_giving(said.get("scope")),
        collection=said.get("collection"),
        request_id=said["request_id"],
    )
    kept = ("WWW-Authenticate", "Retry-After")
    shown.headers.update({name: problem.headers[name] for name in kept if name in problem.headers})
    return shown


def _giving(scope: str | None) -> list[Role]:
    """Return the roles that give a scope."""
    return [role for role in Role if scope in accounts.granted([role])]
