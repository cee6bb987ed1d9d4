"""What went wrong, as RFC 9457 tells it: ``application/problem+json``."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi.responses import JSONResponse
from structlog.contextvars import get_contextvars

MEDIA_TYPE = "application/problem+json"


class ProblemResponse(JSONResponse):
    """One problem, as an answer."""

    media_type = MEDIA_TYPE


def body(
    status: HTTPStatus,
    detail: str,
    *,
    kind: str = "about:blank",
    title: str | None = None,
    extensions: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return what says what is wrong and, in ``detail``, what to do about it."""
    return {
        "type": kind,
        "title": title or status.phrase,
        "status": status,
        "detail": detail,
        "request_id": get_contextvars().get("request_id"),
        **(extensions or {}),
    }


def problem(
    status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None
) -> ProblemResponse:
    """Return an answer whose status says what kind of problem it is."""
    return ProblemResponse(body(status, detail), status_code=status, headers=headers)


def invalid(errors: Sequence[Mapping[str, object]]) -> ProblemResponse:
    """Return the answer to a request whose parts are wrong: which, and how."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    content = body(
        status,
        "parts of the request are missing or wrong; see errors",
        kind="/problems/invalid-request",
        title="The request is malformed",
        extensions={"errors": errors},
    )
    return ProblemResponse(content, status_code=status)
