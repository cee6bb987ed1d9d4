"""Predella's kinds of error, and the framework's own, as problems."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from math import ceil

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_jsonable_python
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from api import signing_in
from api.desk import problem_pages
from api.preconditions import PreconditionFailedError, PreconditionMissingError
from api.problems import ProblemResponse, body, invalid, problem
from predella import errors
from predella.errors import PredellaError

log = structlog.get_logger()

# The first that fits: the narrower kinds come first.
_STATUS: dict[type[PredellaError], HTTPStatus] = {
    PreconditionMissingError: HTTPStatus.PRECONDITION_REQUIRED,
    PreconditionFailedError: HTTPStatus.PRECONDITION_FAILED,
    errors.StaleRevisionError: HTTPStatus.PRECONDITION_FAILED,
    errors.AuthenticationError: HTTPStatus.UNAUTHORIZED,
    errors.PermissionDeniedError: HTTPStatus.FORBIDDEN,
    errors.ForgedError: HTTPStatus.FORBIDDEN,
    errors.SignInRefusedError: HTTPStatus.FORBIDDEN,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.MissingObjectError: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooManyError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_TOLD: dict[type[PredellaError], tuple[str, ...]] = {
    errors.StaleRevisionError: ("seen", "newest"),
    errors.OpenCheckError: ("checks",),
    errors.AlreadyDecidedError: ("decision", "reviewer"),
    errors.ClaimedError: ("colleague", "until"),
    errors.CountMismatchError: ("expected", "actual"),
    errors.BatchRefusedError: ("forbidden", "results"),
    errors.QueryError: ("position",),
    errors.TooSoonError: ("wait",),
}
"""What a program wants to know beside the sentence."""
_DATABASE_AWAY = (OperationalError, PoolTimeoutError)
_RETRY = {"Retry-After": "5"}
_CHALLENGE = 'Bearer realm="predella"'


def install(app: FastAPI) -> None:
    """Make the application answer every error with a problem."""
    for kind in (PredellaError, RequestValidationError, HTTPException, *_DATABASE_AWAY):
        app.add_exception_handler(kind, _handle)


def _handle(request: Request, error: Exception) -> Response:
    if isinstance(error, errors.AuthenticationError) and signing_in.is_wanted(request):
        return signing_in.first(request)
    return problem_pages.suited(request, _problem(error))


def _problem(error: Exception) -> ProblemResponse:
    match error:
        case PredellaError() if status_of(error) is not HTTPStatus.INTERNAL_SERVER_ERROR:
            return ProblemResponse(
                describe(error), status_code=status_of(error), headers=_headers(error)
            )
        case RequestValidationError():
            return invalid([_part(found["loc"], found["msg"]) for found in error.errors()])
        case HTTPException():
            status = HTTPStatus(error.status_code)
            return problem(status, error.detail, headers=error.headers)
        case OperationalError() | PoolTimeoutError():
            return _database_away(error)
        case _:
            raise error


def describe(error: PredellaError) -> dict[str, object]:
    """Return the problem that tells of one of our own errors."""
    return body(
        status_of(error),
        str(error),
        kind=kind_of(type(error)),
        title=_first_sentence(type(error)),
        extensions=_extensions(error),
    )


def status_of(error: PredellaError) -> HTTPStatus:
    """Return the status that stands for this kind of error."""
    return next(
        (status for kind, status in _STATUS.items() if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def kind_of(error: type[PredellaError]) -> str:
    """Return the problem type: ``StaleRevisionError`` is ``/problems/stale-revision``."""
    words = re.findall("[A-Z][a-z]*", error.__name__.removesuffix("Error"))
    return f"/problems/{'-'.join(words).lower()}"


def _first_sentence(error: type[PredellaError]) -> str:
    return (error.__doc__ or error.__name__).partition("\n")[0].removesuffix(".")


def _extensions(error: PredellaError) -> Mapping[str, object]:
    match error:
        case PreconditionFailedError():
            return {"current": error.current.model_dump(mode="json")}
        case errors.PermissionDeniedError():
            return {
                "scope": error.missing,
                "roles": list(error.roles),
                "collection": error.collection,
            }
        case _:
            names = next((_TOLD[kind] for kind in _TOLD if isinstance(error, kind)), ())
            return {name: to_jsonable_python(getattr(error, name)) for name in names}


def _headers(error: PredellaError) -> Mapping[str, str] | None:
    match error:
        case errors.PermissionDeniedError():
            scope = f'error="insufficient_scope", scope="{error.missing}"'
            return {"WWW-Authenticate": f"{_CHALLENGE}, {scope}"}
        case PreconditionFailedError():
            return {"ETag": error.etag}
        case errors.AuthenticationError():
            return {"WWW-Authenticate": _CHALLENGE}
        case errors.TooManyError() | errors.TooSoonError() | errors.StillRunningError():
            return {"Retry-After": str(ceil(error.wait))}
        case errors.UnavailableError():
            return _RETRY
        case _:
            return None


def _part(location: tuple[str | int, ...], message: str) -> Mapping[str, object]:
    """Say which part is wrong; what was sent is not repeated, it may be a secret."""
    where, *path = location
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
    return {"in": where, "pointer": pointer, "detail": message}


def _database_away(error: Exception) -> ProblemResponse:
    log.warning("database_unavailable", error=str(error).partition("\n")[0])
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the database does not answer or is busy; nothing was changed, try again in a moment",
        headers=_RETRY,
    )
