"""Signing in and out."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api import cookies, signing_in
from api.dependencies import DbSession, Somebody
from api.desk.rendering import page
from predella.errors import AuthenticationError, TooManyError
from predella.models import Account
from predella.services import passwords, sessions

router = APIRouter(include_in_schema=False)

Next = Annotated[str, Query(max_length=2000)]
OwnOrigin = Depends(cookies.require_same_origin)


@router.get("/")
def home() -> Response:
    """Lead to the desk."""
    return RedirectResponse(signing_in.DESK, HTTPStatus.SEE_OTHER)


@router.get("/sign-in")
def show_sign_in(request: Request, next: Next = signing_in.DESK) -> Response:  # noqa: A002  (the name in the address)
    """Ask for a name and a password."""
    return _form(request, next)


@router.post("/sign-in", dependencies=[OwnOrigin])
def sign_in(
    request: Request,
    session: DbSession,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
    next: Annotated[str, Form(max_length=2000)] = signing_in.DESK,  # noqa: A002
) -> Response:
    """Sign in, or say that it did not work without saying why."""
    name = name.strip().casefold()
    address = request.client.host if request.client else "unknown"
    try:
        account = passwords.verify(session, name, password, address=address)
    except TooManyError as error:
        refused = _form(
            request, next, name=name, wrong=str(error), status=HTTPStatus.TOO_MANY_REQUESTS
        )
        refused.headers["Retry-After"] = str(error.wait)
        return refused
    if account is None:
        wrong = "This name and this password do not fit. Look for capital letters, and try again."
        return _form(request, next, name=name, wrong=wrong, status=HTTPStatus.UNAUTHORIZED)
    return _signed_in(request, session, account, next)


@router.get("/sign-in/once/{secret}")
def show_link(request: Request, secret: str) -> Response:
    """Ask for one more click: what looks at addresses on its own must not use the link up."""
    return page(request, "sign_in_once.html", principal=None, secret=secret, wrong=None)


@router.post("/sign-in/once/{secret}", dependencies=[OwnOrigin])
def follow_link(request: Request, session: DbSession, secret: str) -> Response:
    """Sign in with a link that an operator has handed out."""
    try:
        account = sessions.follow_link(session, secret)
    except AuthenticationError as error:
        return page(
            request,
            "sign_in_once.html",
            principal=None,
            status=HTTPStatus.UNAUTHORIZED,
            secret=secret,
            wrong=str(error),
        )
    return _signed_in(request, session, account, signing_in.DESK)


@router.post("/sign-out")
def sign_out(request: Request, session: DbSession, principal: Somebody) -> Response:
    """Sign out of this browser."""
    if principal.session is not None:
        sessions.end(session, principal.session)
    return _left(request)


@router.post("/sign-out/everywhere")
def sign_out_everywhere(request: Request, session: DbSession, principal: Somebody) -> Response:
    """Sign out of every browser, this one too."""
    sessions.end_all(session, principal.account)
    return _left(request)


def _form(
    request: Request,
    back: str,
    *,
    name: str = "",
    wrong: str | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    return page(
        request,
        "sign_in.html",
        principal=None,
        status=status,
        next=signing_in.safe(back),
        name=name,
        wrong=wrong,
    )


def _signed_in(request: Request, session: DbSession, account: Account, back: str) -> Response:
    """Begin a session of its own: what the browser showed before opens nothing any more."""
    sessions.end_of(session, cookies.secret_of(request) or "")
    secret = sessions.begin(session, account, user_agent=request.headers.get("User-Agent", ""))
    answer = RedirectResponse(signing_in.safe(back), HTTPStatus.SEE_OTHER)
    cookies.give(request, answer, secret)
    return answer


def _left(request: Request) -> Response:
    answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    cookies.take_back(request, answer)
    return answer
