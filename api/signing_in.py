"""Where somebody has to sign in first, and where that leads to afterwards."""

from http import HTTPStatus
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse

DESK = "/desk"


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
