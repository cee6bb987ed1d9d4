"""``Idempotency-Key``: a request that is sent again does nothing again and is answered as before.

A route below ``/v1`` is made by `Router`; its POST routes then take the header. The answer is kept
in the transaction of what it tells of, so there is never one without the other. What is refused
is rolled back, the answer with it: sent again, it is tried again.
"""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session

from predella.errors import InvalidError, KeyReusedError
from predella.models import Answer
from predella.services import answers
from predella.services.accounts import Principal

HEADER = "Idempotency-Key"
SHOWN_ONCE = frozenset({"create_token", "create_webhook", "rotate_secret"})
"""Operations whose answer is a secret: we store no secrets, so we can keep no such answer."""

_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_KEPT = ("content-type", "etag", "location")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class AnsweredBeforeError(Exception):
    """No fault: the same request was answered already, and this is the answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True)
class Keyed:
    """A request that names itself, so that it is known when it comes again."""

    key: str
    request: str
    sha256: bytes


class Repeatable(APIRoute):
    """A route whose POST may be sent again under the same key."""

    def get_route_handler(self) -> Handler:
        """Return the handler; it keeps the answer before the transaction is committed."""
        handle = super().get_route_handler()
        return partial(_once, handle) if "POST" in (self.methods or ()) else handle


Router: Callable[..., APIRouter] = partial(APIRouter, route_class=Repeatable)


async def keyed(request: Request) -> Keyed | None:
    """Return how a request names itself, if it does and its route takes that.

    Raises:
        InvalidError: the key has no fitting form, or this answer cannot be kept.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    route = request.scope["route"]
    if not isinstance(route, Repeatable):
        return None
    if route.name in SHOWN_ONCE:
        raise InvalidError(
            f"this answer holds a secret and is kept nowhere, so send no {HEADER}; "
            "if the answer is lost, revoke what it told of and ask again"
        )
    if not _KEY.fullmatch(key):
        raise InvalidError(f"{HEADER} has 1 to 255 printable characters of ASCII")
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Keyed(key, f"POST {address}", sha256(await request.body()).digest())


def begin(request: Request, session: Session, principal: Principal, sent: Keyed) -> None:
    """Go on with what was not done yet, and leave word that its answer is to be kept.

    Raises:
        AnsweredBeforeError: it was done.
        KeyReusedError: the key stands for something else.
        StillRunningError: it is being done.
    """
    known = answers.take(session, principal.account, sent.key)
    if known is None:
        request.state.keep = partial(answers.keep, session, principal.account, **vars(sent))
    elif (known.request, known.sha256) == (sent.request, sent.sha256):
        raise AnsweredBeforeError(_again(known))
    else:
        raise KeyReusedError(sent.key, known.request)


async def _once(handle: Handler, request: Request) -> Response:
    try:
        answer = await handle(request)
    except AnsweredBeforeError as before:
        return before.answer
    keep = getattr(request.state, "keep", None)
    if keep is not None:
        headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        body = bytes(answer.body)
        await run_in_threadpool(keep, status=answer.status_code, headers=headers, body=body)
    return answer


def _again(known: Answer) -> Response:
    headers = known.headers | {"Idempotency-Replayed": "true"}
    return Response(known.body, status_code=known.status, headers=headers)
