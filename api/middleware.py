"""What holds for every request, before and after any route."""

from http import HTTPStatus
from time import perf_counter

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from api.desk import problem_pages
from api.problems import ProblemResponse, problem
from predella import ids

log = structlog.get_logger()

_REQUEST_ID = "X-Request-ID"
_NO_STORE = "no-store"


class Requests:
    """Give each request an id and safe headers, log it, and answer a bug with a 500.

    Every log line written on its behalf carries the id; a caller who quotes the header
    gives us the lines.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, watched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(ids.new())
        status = 0
        began = perf_counter()

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                headers = MutableHeaders(scope=message)
                _mark(headers, request_id)
                # What a part of us wants told with every answer, a refusal included.
                headers.update(scope.get("state", {}).get("headers", {}))
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_marked)
            except Exception:  # the edge of the process
                log.exception("request_failed", method=scope["method"], path=scope["path"])
                if status:
                    raise  # too late for an answer: the server must cut the connection
                await _answer(_broken(), scope, receive, send_marked)
            finally:
                _log(scope, status, perf_counter() - began)


class BodyLimit:
    """Refuse a body of more than so many bytes, before or while it is read."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app, self._max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, unless its body is or becomes too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            refused = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._sentence())
            await _answer(refused, scope, receive, send)
            return
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._max_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._sentence())
            return message

        await self._app(scope, receive_counted, send)

    def _sentence(self) -> str:
        return f"a request body may have {self._max_bytes:,} bytes; send less, or in parts"


def _mark(headers: MutableHeaders, request_id: str) -> None:
    headers[_REQUEST_ID] = request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    # With no-referrer Chromium sends our own forms with the origin "null".
    headers["Referrer-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", _NO_STORE)


async def _answer(told: ProblemResponse, scope: Scope, receive: Receive, send: Send) -> None:
    answer = await run_in_threadpool(problem_pages.suited, Request(scope), told)
    await answer(scope, receive, send)


def _broken() -> ProblemResponse:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "something broke on our side and was logged; quote the request id when you report it",
    )


def _log(scope: Scope, status: int, seconds: float) -> None:
    log.info(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=status,
        milliseconds=round(seconds * 1000, 1),
        account=scope.get("state", {}).get("account"),
    )
