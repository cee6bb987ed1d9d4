"""How often somebody may ask, counted in Redis for all processes of the API together."""

from dataclasses import dataclass
from functools import cache
from math import ceil
from time import time

import redis
import structlog
from fastapi import Request
from limits import parse
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from predella.errors import TooManyError
from predella.settings import get_settings

log = structlog.get_logger()

_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True)
class Count:
    """What counting one request has found."""

    allowed: bool
    amount: int
    window: int
    """Seconds for which the amount is meant."""
    left: int
    reset: int
    """Seconds until there is more."""

    @property
    def headers(self) -> dict[str, str]:
        """Tell it in the fields ``RateLimit-Policy`` and ``RateLimit``."""
        return {
            "RateLimit-Policy": f'"default";q={self.amount};w={self.window}',
            "RateLimit": f'"default";r={self.left};t={self.reset}',
        }


def count(key: str, limit: str) -> Count | None:
    """Count one request under this key; ``limit`` is written like ``600/minute``.

    Where there is no Redis, or while it is away, nobody counts, and everybody may go on.
    """
    limiter, item = _limiter(), parse(limit)
    if limiter is None:
        return None
    try:
        allowed = limiter.hit(item, key)
        stats = limiter.get_window_stats(item, key)
    except redis.RedisError as error:
        log.warning("rate_not_counted", reason=str(error))
        return None
    reset = max(1, ceil(stats.reset_time - time()))
    return Count(allowed, item.amount, item.get_expiry(), stats.remaining, reset)


def limit_account(account: str, request: Request) -> None:
    """Count one request of this account; whatever it is answered tells how many are left.

    Raises:
        TooManyError: there were more than ``PREDELLA_RATE_LIMIT``.
    """
    limit = get_settings().rate_limit
    counted = count(f"account:{account}", limit)
    if counted is None:
        return
    request.state.headers = counted.headers
    if not counted.allowed:
        raise TooManyError(f"no more than {parse(limit)}", wait=counted.reset)


@cache
def _limiter() -> SlidingWindowCounterRateLimiter | None:
    broker = get_settings().broker_url.get_secret_value()
    if not broker.startswith(("redis", "rediss", "unix")):
        return None
    return SlidingWindowCounterRateLimiter(
        RedisStorage(
            broker,
            key_prefix="predella:rate",
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
        )
    )
