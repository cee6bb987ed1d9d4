"""The way out: one POST to a judged place, without being led astray.

No redirect is followed, no proxy of the environment is used, and no body is read.
"""

import ssl
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

import httpcore2
from typing_extensions import override

from predella.errors import UnavailableError
from predella.outside import patience
from predella.outside.places import Address, Place

_CONNECT_SECONDS = 5.0
_TOTAL_SECONDS = 10.0
"""To the head of the answer, however slowly that drips."""


class Answer(NamedTuple):
    """The head of an answer."""

    status: int
    retry_after: timedelta | None
    """How long it asks to be left alone."""


def post(place: Place, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send this, and return how it was answered; redirects are not followed.

    Raises:
        UnavailableError: no answer came; the message says why.
    """
    target = httpcore2.URL(
        scheme=place.url.raw_scheme,
        host=place.url.raw_host,
        port=place.port,
        target=place.url.raw_path,
    )
    named = {"Host": place.url.netloc.decode("ascii"), "Content-Length": str(len(body)), **headers}
    way = _Way(place.addresses, time.monotonic() + _TOTAL_SECONDS)
    try:
        with (
            httpcore2.ConnectionPool(ssl.create_default_context(), network_backend=way) as pool,
            pool.stream("POST", target, headers=list(named.items()), content=body) as response,
        ):
            return Answer(response.status, patience.asked(response.headers))
    except httpcore2.TimeoutException as error:
        raise UnavailableError(f"{place.url.host} did not answer in time") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
        raise UnavailableError(f"{place.url.host}: {error or type(error).__name__}") from error


class _Way(httpcore2.NetworkBackend):
    """Connects to the judged addresses, whatever the name means by now, until the time is up."""

    def __init__(self, addresses: tuple[Address, ...], end: float) -> None:
        self._addresses, self._end = addresses, end
        self._backend = httpcore2.SyncBackend()

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        for address in self._addresses[:-1]:
            try:
                return self._connect(address, port)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connect(self._addresses[-1], port)

    def _connect(self, address: Address, port: int) -> httpcore2.NetworkStream:
        seconds = min(_CONNECT_SECONDS, _left(self._end, httpcore2.ConnectTimeout))
        return _Timed(self._backend.connect_tcp(str(address), port, seconds), self._end)


class _Timed(httpcore2.NetworkStream):
    """A stream whose reads and writes all end by one point in time."""

    def __init__(self, stream: httpcore2.NetworkStream, end: float) -> None:
        self._stream, self._end = stream, end

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._end, httpcore2.ReadTimeout))

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._end, httpcore2.WriteTimeout))

    @override
    def close(self) -> None:
        self._stream.close()

    @override
    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(self._end, httpcore2.ConnectTimeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._end)

    @override
    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(end: float, error: type[httpcore2.TimeoutException]) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise error
    return left
