"""Signing in and out."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api import cookies, peers, signing_in
from api.dependencies import DbSession, Somebody
from api.desk import single_sign_on
from api.desk.rendering import page
from predella.errors import AuthenticationError, SignInRefusedError, TooManyError
from predella.models import Way
from predella.services import passwords, sessions
from predella.services.accounts import Principal
from predella.settings import get_settings

router = APIRouter(include_in_schema=False)

Next = Annotated[str, Query(max_length=2000)]
OwnOrigin = Depends(cookies.require_same_origin)


@router.get("/")
def home() -> Response:
    """Lead to the desk."""
    return RedirectResponse(signing_in.DESK, HTTPStatus.SEE_OTHER)


@router.get("/sign-in")
def show_sign_in(
    request: Request,
    session: DbSession,
    next: Next = signing_in.DESK,  # noqa: A002  (the name in the address)
    *,
    by_hand: bool = False,
) -> Response:
    """Ask for a name and a password, unless a proxy vouches; ``by_hand`` asks all the same."""
    vouched = peers.vouched(request)
    if vouched is not None and not by_hand:
        return single_sign_on.by_proxy(request, session, vouched, next)
    return _form(request, next, by_hand=by_hand)


@router.post("/sign-in", dependencies=[OwnOrigin])
def sign_in(
    request: Request,
    session: DbSession,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
    next: Annotated[str, Form(max_length=2000)] = signing_in.DESK,  # noqa: A002
) -> Response:
    """Sign in, or say that it did not work without saying why."""
    if not get_settings().passwords:
        raise SignInRefusedError("nobody signs in with a password here; take the other way")
    name = name.strip().casefold()
    try:
        account = passwords.verify(session, name, password, address=signing_in.address_of(request))
    except TooManyError as error:
        refused = _form(
            request, next, name=name, wrong=str(error), status=HTTPStatus.TOO_MANY_REQUESTS
        )
        refused.headers["Retry-After"] = str(error.wait)
        return refused
    if account is None:
        wrong = "This name and this password do not fit. Look for capital letters, and try again."
        return _form(request, next, name=name, wrong=wrong, status=HTTPStatus.UNAUTHORIZED)
    return signing_in.enter(request, session, account, way=Way.PASSWORD, back=next)


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
    return signing_in.enter(request, session, account, way=Way.LINK)


@router.post("/sign-out")
def sign_out(request: Request, session: DbSession, principal: Somebody) -> Response:
    """Sign out of this browser."""
    if principal.session is not None:
        sessions.end(session, principal.session)
    return _left(request, principal)


@router.post("/sign-out/everywhere")
def sign_out_everywhere(request: Request, session: DbSession, principal: Somebody) -> Response:
    """Sign out of every browser, this one too."""
    sessions.end_all(session, principal.account)
    return _left(request, principal)


def _form(
    request: Request,
    back: str,
    *,
    name: str = "",
    wrong: str | None = None,
    by_hand: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    settings = get_settings()
    return page(
        request,
        "sign_in.html",
        principal=None,
        status=status,
        next=signing_in.safe(back),
        name=name,
        wrong=wrong,
        by_hand=by_hand,
        provider=settings.oidc_issuer,
        label=settings.oidc_label,
        end_address=single_sign_on.end_address() if by_hand else None,
        vouched=peers.vouched(request),
        passwords=settings.passwords,
    )


def _left(request: Request, principal: Principal) -> Response:
    """Show the way in again; who would be let in unasked is told that they are out."""
    unasked = principal.session is not None and principal.session.way in {Way.OIDC, Way.PROXY}
    answer = RedirectResponse(f"/sign-in{'?by_hand=true' if unasked else ''}", HTTPStatus.SEE_OTHER)
    cookies.take_back(request, answer)
    return answer
