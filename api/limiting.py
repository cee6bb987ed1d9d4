"""How often somebody may ask, counted in Redis for all processes of the API together."""

from functools import cache
from math import ceil
from time import time

import redis
import structlog
from fastapi import Response
from limits import parse
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from predella.errors import TooManyError
from predella.settings import get_settings

log = structlog.get_logger()

_TIMEOUT_SECONDS = 1.0


def check(key: str, limit: str) -> dict[str, str]:
    """Count one request under this key, and return the headers that tell what is left.

    ``limit`` is written like ``600/minute``. Where there is no Redis, or while it is away,
    nobody counts, and everybody may go on.

    Raises:
        TooManyError: the limit is reached.
    """
    limiter, item = _limiter(), parse(limit)
    if limiter is None:
        return {}
    try:
        allowed = limiter.hit(item, key)
        stats = limiter.get_window_stats(item, key)
    except redis.RedisError as error:
        log.warning("rate_not_counted", reason=str(error))
        return {}
    reset = max(1, ceil(stats.reset_time - time()))
    if not allowed:
        raise TooManyError(f"no more than {item}", wait=reset)
    return {
        "RateLimit-Policy": f'"default";q={item.amount};w={item.get_expiry()}',
        "RateLimit": f'"default";r={stats.remaining};t={reset}',
    }


def limit_account(account: str, response: Response) -> None:
    """Count one request of this account.

    Raises:
        TooManyError: there were more than ``PREDELLA_RATE_LIMIT``.
    """
    response.headers.update(check(f"account:{account}", get_settings().rate_limit))


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
