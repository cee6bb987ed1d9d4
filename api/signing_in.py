"""Where somebody has to sign in first, and where that leads to afterwards."""

from http import HTTPStatus
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from api import cookies, limiting
from predella.errors import TooManyError
from predella.models import Account, Way
from predella.services import sessions

DESK = "/desk"
_TRIES = "60/minute"
"""From one address, where no password is asked for; a whole museum may share one."""


def is_wanted(request: Request) -> bool:
    """Say whether a person looks for a page, who can be asked to sign in."""
    wants_page = "text/html" in request.headers.get("Accept", "")
    return wants_page and (request.url.path == DESK or request.url.path.startswith(f"{DESK}/"))


def first(request: Request) -> RedirectResponse:
    """Send the browser to the sign-in page, and back to this one afterwards."""
    back = request.url.path if request.method == "GET" else DESK
    if request.method == "GET" and request.url.query:
        back = f"{back}?{request.url.query}"
    return RedirectResponse(f"/sign-in?next={quote(back)}", HTTPStatus.SEE_OTHER)


def safe(address: str) -> str:
    """Return a page of the desk: this one if it is one, else the first."""
    parts = urlsplit(address)
    ours = not parts.scheme and not parts.netloc and "\\" not in address
    if ours and (parts.path == DESK or parts.path.startswith(f"{DESK}/")):
        return address
    return DESK


def enter(
    request: Request, session: Session, account: Account, *, way: Way, back: str = DESK
) -> RedirectResponse:
    """Begin a session of its own: what the browser showed before opens nothing any more."""
    sessions.end_of(session, cookies.secret_of(request) or "")
    agent = request.headers.get("User-Agent", "")
    secret = sessions.begin(session, account, way=way, user_agent=agent)
    answer = RedirectResponse(safe(back), HTTPStatus.SEE_OTHER)
    cookies.give(request, answer, secret)
    return answer


def limit(request: Request) -> None:
    """Count one try to sign in from this address.

    Raises:
        TooManyError: there were too many of late.
    """
    counted = limiting.count(f"sign-in:{address_of(request)}", _TRIES)
    if counted is not None and not counted.allowed:
        raise TooManyError("too many tries to sign in from this address", wait=counted.reset)


def address_of(request: Request) -> str:
    """Return where a request came from."""
    return request.client.host if request.client else "unknown"
