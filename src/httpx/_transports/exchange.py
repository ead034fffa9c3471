"""One exchange through the pool, for both HTTP transports: take a connection, use it, give it back."""

from __future__ import annotations

import logging
import time
import typing
import warnings
from collections.abc import AsyncIterator, Iterator

from .._config import Limits
from .._connections.establish import Dialer, Route
from .._connections.http1 import ConnectionDied, HTTP1Connection, Timeouts
from .._connections.proxied import request_through
from .._content.streams import AsyncByteStream, ByteStream, SyncByteStream
from .._exceptions import PoolTimeout, TransportError, UnsupportedProtocol
from .._models.headers import Headers
from .._models.request import Request
from .._models.response import Response
from .._network.base import Network, drive
from .._pool.pool import Pool
from .network_stream import AsyncNetworkStream, NetworkStream

logger = logging.getLogger("httpx")
_NO_TIMEOUTS: Timeouts = {}


class Exchanges:
    """The connections of one transport, and the way that a request goes through them."""

    def __init__(self, dialer: Dialer, limits: Limits) -> None:
        self._dialer = dialer
        self._pool: Pool[HTTP1Connection] = Pool(limits)

    async def handle(self, request: Request, network: Network, is_async: bool) -> Response:
        """Send `request`, and return the head of its response with the body as a stream."""
        timeouts = request.extensions.get("timeout") or _NO_TIMEOUTS
        route = _route(request, network)
        sent = request
        if self._dialer.proxy is not None:
            sent, authorization = request_through(self._dialer.proxy, request)
            route = route._replace(proxy_authorization=authorization)
        attempts = 1
        while True:
            connection = await self._take(route, network, timeouts)
            try:
                head = await connection.exchange(sent, timeouts)
                break
            except ConnectionDied as died:
                self._drop(connection)
                if attempts > 1:
                    raise died.cause from died.cause.__cause__
                attempts += 1
                logger.debug("Sending %s again: a reused connection to %s had died.", request.method, connection.stream.peer)
            except BaseException:
                self._drop(connection)
                raise
        extensions: dict[str, typing.Any] = {"http_version": head.http_version, "reason_phrase": head.reason_phrase}
        if attempts > 1:
            extensions["attempts"] = attempts
        headers = Headers._of_head(head.picked, head.parse)
        unread = connection.unread() if connection.is_upgraded else b""
        facade = AsyncNetworkStream if is_async else NetworkStream
        extensions["network_stream"] = facade(connection.stream, unread)
        whole = None if connection.is_upgraded else connection.data_at_hand()
        if whole is not None:
            # The body came with the head: the connection is free before the caller has the response.
            self._give_back(connection)
            return Response._of(head.status_code, headers, ByteStream(whole), request, extensions)
        body = (AsyncBody if is_async else SyncBody)(self, connection, timeouts.get("read"), request, extensions)
        return Response._of(head.status_code, headers, body, request, extensions)

    async def _take(self, route: Route, network: Network, timeouts: Timeouts) -> HTTP1Connection:
        while True:
            connection, may_open, to_close = self._pool.check_out(route, time.monotonic())
            self._close_all(to_close)
            if connection is None and not may_open:
                connection = await self._wait(route, network, timeouts.get("pool"))
            if connection is None:
                return await self._open(route, network, timeouts.get("connect"))
            if connection.is_usable():
                return connection
            self._drop(connection)

    async def _wait(self, route: Route, network: Network, timeout: float | None) -> HTTP1Connection | None:
        place = self._pool.wait(route, network.waiter())
        try:
            in_time = await place.waiter.wait(timeout)
        except BaseException:
            self._close_all(self._pool.give_up(place, time.monotonic()))
            raise
        if in_time:
            return place.connection
        self._close_all(self._pool.give_up(place, time.monotonic()))
        counts = self._pool.counts()
        raise PoolTimeout(
            f"No connection became free within {timeout or 0:g} seconds: {counts['busy']} of {counts['open']} open connections are in use "
            f"and {counts['waiting']} requests wait."
        )

    async def _open(self, route: Route, network: Network, timeout: float | None) -> HTTP1Connection:
        try:
            stream = await self._dialer.dial(network, route, timeout)
        except BaseException:
            self._pool.release_slot()
            raise
        connection = HTTP1Connection(route, stream, network)
        self._pool.opened(connection)
        return connection

    def _drop(self, connection: HTTP1Connection) -> None:
        connection.close()
        self._pool.discard(connection)

    def _give_back(self, connection: HTTP1Connection) -> None:
        if not connection.finish():
            self._drop(connection)
            return
        self._close_all(self._pool.check_in(connection, time.monotonic()))

    def close(self) -> None:
        """Close all connections; requests in flight fail."""
        self._close_all(self._pool.close())

    @staticmethod
    def _close_all(connections: list[HTTP1Connection]) -> None:
        for connection in connections:
            connection.close()


class _Body:
    # The rest of a body that did not come with its head. Holds the connection until the end, or until it is closed.

    def __init__(
        self,
        exchanges: Exchanges,
        connection: HTTP1Connection,
        timeout: float | None,
        request: Request,
        extensions: dict[str, typing.Any],
    ) -> None:
        self._exchanges = exchanges
        self._connection: HTTP1Connection | None = connection
        self._timeout = timeout
        self._request = request
        self._extensions = extensions

    async def _next(self) -> bytes | None:
        connection = self._connection
        if connection is None:
            return None
        try:
            data = await connection.next_data(self._timeout)
        except BaseException as error:
            self._release(drop=True)
            if getattr(error, "_request", self) is None:
                error.request = self._request  # type: ignore[attr-defined]
            raise
        if data is None:
            if connection.trailers:
                self._extensions["trailers"] = connection.trailers
            if not connection.is_upgraded:
                self._release(drop=False)
        return data

    async def rest(self, limit: int, patience: float) -> bytes | None:
        """What is left of the body. None, and it is closed, if that is more than `limit` bytes or takes longer than `patience` seconds."""
        received = bytearray()
        deadline = time.monotonic() + patience
        try:
            while len(received) <= limit and (left := deadline - time.monotonic()) > 0:
                self._timeout = left if self._timeout is None else min(self._timeout, left)
                data = await self._next()
                if data is None:
                    return bytes(received)
                received += data
        except TransportError:
            pass
        self._release(drop=True)
        return None

    def _release(self, drop: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if drop:
            self._exchanges._drop(connection)
        else:
            self._exchanges._give_back(connection)

    def __del__(self) -> None:
        connection = self._connection
        if connection is not None:
            message = f"A response from {connection.stream.peer} was dropped without being read or closed."
            warnings.warn(message, ResourceWarning, stacklevel=2)
            self._release(drop=True)


class SyncBody(_Body, SyncByteStream):
    """The body of a response to a `Client`."""

    def __iter__(self) -> Iterator[bytes]:
        while (data := drive(self._next())) is not None:
            yield data

    def close(self) -> None:
        self._release(drop=True)


class AsyncBody(_Body, AsyncByteStream):
    """The body of a response to an `AsyncClient`."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        data = await self._next()
        if data is None:
            raise StopAsyncIteration
        return data

    async def aclose(self) -> None:
        self._release(drop=True)


def _route(request: Request, network: Network) -> Route:
    scheme, host, port = request.url._origin
    if port is None or scheme not in ("http", "https"):
        raise _unsupported(scheme)
    if not host:
        raise UnsupportedProtocol(f"The URL names no host: {str(request.url)!r}.")
    server_hostname = request.extensions.get("sni_hostname") or host
    return Route(scheme, host, port, server_hostname, network.realm())


def _unsupported(scheme: str) -> UnsupportedProtocol:
    if not scheme:
        return UnsupportedProtocol("The URL has no scheme: it must begin with http:// or https://.")
    return UnsupportedProtocol(f"The URL has the scheme {scheme!r}; this client speaks http and https.")
