"""How often somebody may ask, counted in Redis for all processes of the API together."""

from functools import cache
from math import ceil
from time import time

import redis
import structlog
from fastapi import Response
from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from predella.errors import PredellaError
from predella.settings import get_settings

log = structlog.get_logger()

_TIMEOUT_SECONDS = 1.0


class TooManyError(PredellaError):
    """This was asked too often; wait, then ask again."""

    def __init__(self, limit: str, *, retry_after: int) -> None:
        super().__init__(f"no more than {limit}; ask again in {retry_after} s")
        self.limit, self.retry_after = limit, retry_after


def check(key: str, limit: str, *, without_redis: bool = True) -> dict[str, str]:
    """Count one try under this key, and return the headers that tell what is left.

    ``limit`` is written like ``600/minute``. While Redis is away nobody can count: then the
    answer is ``without_redis``, and only a door that guards a password says no.

    Raises:
        TooManyError: the limit is reached, or nobody counts and that must not be.
    """
    item = parse(limit)
    try:
        allowed = _limiter().hit(item, key)
        left, reset = _left(item, key)
    except redis.RedisError as error:
        log.warning("rate_not_counted", reason=str(error))
        if not without_redis:
            raise TooManyError(str(item), retry_after=30) from error
        return {}
    if not allowed:
        raise TooManyError(str(item), retry_after=reset)
    return {
        "RateLimit-Policy": f'"default";q={item.amount};w={item.get_expiry()}',
        "RateLimit": f'"default";r={left};t={reset}',
    }


def limit_account(account: str, response: Response) -> None:
    """Count one request of this account.

    Raises:
        TooManyError: there were more than ``PREDELLA_RATE_LIMIT``.
    """
    response.headers.update(check(f"account:{account}", get_settings().rate_limit))


def _left(item: RateLimitItem, key: str) -> tuple[int, int]:
    stats = _limiter().get_window_stats(item, key)
    return stats.remaining, max(1, ceil(stats.reset_time - time()))


@cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(
        RedisStorage(
            get_settings().broker_url.get_secret_value(),
            key_prefix="predella:rate",
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
        )
    )
