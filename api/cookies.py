"""The cookie of a signed-in browser, and the proof that one of our own pages sends a request."""

from hmac import compare_digest
from urllib.parse import urlsplit

from fastapi import Request, Response

from predella.errors import ForgedError, InvalidError
from predella.services.accounts import Principal

_SECURE, _LOCAL = "__Host-predella", "predella"
_AWAY = "-away"
_MINUTES_AWAY = 10
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_DAYS = 7


def secret_of(request: Request) -> str | None:
    """Return what the browser shows, if it shows anything."""
    return request.cookies.get(_name(request))


def give(request: Request, response: Response, secret: str) -> None:
    """Let the browser keep who it is: for this host alone, out of reach of scripts.

    Raises:
        InvalidError: the connection is not encrypted, and does not stay on this machine.
    """
    _set(request, response, _name(request), secret, seconds=_DAYS * 86400)


def take_back(request: Request, response: Response) -> None:
    """Let the browser forget."""
    _delete(request, response, _name(request))


def away_secret_of(request: Request) -> str | None:
    """Return what a browser that comes back from the OpenID provider was given to keep."""
    return request.cookies.get(f"{_name(request)}{_AWAY}")


def give_away_secret(request: Request, response: Response, secret: str) -> None:
    """Let a browser that goes to the OpenID provider keep this until it is back.

    Raises:
        InvalidError: the connection is not encrypted, and does not stay on this machine.
    """
    name = f"{_name(request)}{_AWAY}"
    _set(request, response, name, secret, seconds=_MINUTES_AWAY * 60)


def take_back_away_secret(request: Request, response: Response) -> None:
    """Let the browser forget that it was away."""
    _delete(request, response, f"{_name(request)}{_AWAY}")


async def csrf_of(request: Request) -> str | None:
    """Return the proof that a request carries: a header, or a field of its form."""
    if sent := request.headers.get("X-CSRF-Token"):
        return sent
    if request.headers.get("Content-Type", "").startswith(_FORMS) and secret_of(request):
        field = (await request.form()).get("csrf")
        return field if isinstance(field, str) else None
    return None


def require_own(request: Request, principal: Principal, csrf: str | None) -> None:
    """Go on only with what one of this session's own pages has sent.

    Raises:
        ForgedError: another site may have made the browser send it.
    """
    if request.method in _SAFE or principal.session is None:
        return
    require_same_origin(request)
    if csrf is None or not compare_digest(csrf.encode(), principal.session.csrf.encode()):
        raise ForgedError


def require_same_origin(request: Request) -> None:
    """Go on unless the browser says that another site has made it send this.

    Raises:
        ForgedError: it says so.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        ours = site in {"same-origin", "none"}
    else:
        # Over plain HTTP to another machine no browser sends the header above.
        ours = origin is None or urlsplit(origin).netloc == request.headers.get("Host")
    if not ours:
        raise ForgedError


def _set(request: Request, response: Response, name: str, secret: str, *, seconds: int) -> None:
    if request.url.scheme != "https" and request.url.hostname not in _LOCAL_HOSTS:
        raise InvalidError(
            "nobody signs in over an unencrypted connection: open this page with https, have the"
            " proxy send X-Forwarded-Proto, and name it in PREDELLA_PROXY_ADDRESSES"
        )
    response.set_cookie(
        name,
        secret,
        max_age=seconds,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def _delete(request: Request, response: Response, name: str) -> None:
    secure = request.url.scheme == "https"
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")


def _name(request: Request) -> str:
    return _SECURE if request.url.scheme == "https" else _LOCAL
