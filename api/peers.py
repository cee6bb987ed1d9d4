"""Proxies in front of us: what they say of a request is believed, what others say is not.

Who connects to us is known for certain only before anything has read ``X-Forwarded-For``. So
this reads both headers, that one and the name of the account, and the server has to leave them
alone: ``python -m api`` starts it so.
"""

from functools import cache
from ipaddress import ip_address
from typing import Any, cast

import structlog
from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from predella.errors import AuthenticationError
from predella.models import Way
from predella.services.accounts import Principal
from predella.settings import Settings

log = structlog.get_logger()

_THIS_MACHINE = ["127.0.0.1", "::1"]


class Peers:
    """Note for whom a proxy of ours vouches, then who is in front of it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._networks = settings.proxy_addresses
        self._header = settings.proxy_header
        trusted = [str(network) for network in self._networks] or _THIS_MACHINE
        # The server has types of its own for what it passes on.
        self._app: Any = ProxyHeadersMiddleware(cast(Any, app), trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] == "http":
            scope.setdefault("state", {})["vouched"] = self._vouched(scope)
        await self._app(scope, receive, send)

    def _vouched(self, scope: Scope) -> str | None:
        names = Headers(scope=scope).getlist(self._header) if self._header else []
        return _one(names) if names and self._is_ours(scope) else None

    def _is_ours(self, scope: Scope) -> bool:
        peer = scope["client"][0] if scope.get("client") else None
        try:
            ours = peer is not None and any(ip_address(peer) in one for one in self._networks)
        except ValueError:
            ours = False
        if not ours:
            _say_ignored(self._header or "")
        return ours


def vouched(request: Request) -> str | None:
    """Return the account that a proxy of ours says this browser has signed in as."""
    name: str | None = getattr(request.state, "vouched", None)
    return name


def require_same(request: Request, principal: Principal) -> None:
    """Go on only while the proxy vouches for the account of this session, if it vouches at all.

    Raises:
        AuthenticationError: it vouches for another account, or no longer for the one that it
            has brought in.
    """
    name, session = vouched(request), principal.session
    brought = session is not None and session.way is Way.PROXY
    if name != principal.account.name and (name is not None or brought):
        raise AuthenticationError("you are signed in as somebody else by now; sign in again")


def _one(names: list[str]) -> str | None:
    """Return the name, as accounts are called; two of them may mean that one was smuggled in."""
    if len(names) != 1:
        log.warning("proxy_header_twice")
        return None
    return names[0].strip().casefold() or None


@cache
def _say_ignored(header: str) -> None:
    """Log it once: whoever sends it for mischief must not fill the log."""
    log.warning(
        "proxy_header_ignored", header=header, reason="not sent by PREDELLA_PROXY_ADDRESSES"
    )
