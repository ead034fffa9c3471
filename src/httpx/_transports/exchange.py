"""One exchange through the pool, for both HTTP transports: take a connection, use it, give it back."""

from __future__ import annotations

import os
import time
import typing
import weakref

from .._config import Limits
from .._connections.establish import Dialer, Route
from .._connections.exchange import Connection, ConnectionDied, Exchange, NeedsHTTP1, Timeouts, name_peer, tell_of_reuse
from .._connections.http1 import HTTP1Connection
from .._connections.proxied import name_proxy, request_through
from .._content.streams import ByteStream
from .._exceptions import ConnectError, PoolTimeout, ReadError, TLSError, TransportError, UnsupportedProtocol, WebSocketError
from .._models.head import Head
from .._models.marks import Setup
from .._models.request import Request
from .._models.response import Response, received_response
from .._models.url import URL
from .._network.addresses import peer_name
from .._network.base import Farewell, Network, Stream
from .._network.runtime import hand_over
from .._network.words import seconds
from .._pool.pool import Pool
from .._printable import printable
from .._protocols.http1.head import KnownHeads
from .body import AsyncBody, SyncBody
from .network_stream import AsyncNetworkStream, NetworkStream

if typing.TYPE_CHECKING:
    from .._connections.trace import Trace


MAX_ATTEMPTS = 4
"""How often a request is sent at most, if the server says each time that it did not process it."""

MAX_MOVES = 32
"""How often it moves to another connection at most, if the server ends each after having processed others."""

_NO_TIMEOUTS: Timeouts = {}
_MAX_KNOWN = 4_096
_NO_ROUTES: tuple[object, dict[tuple[str, str, int | None], Route]] = (object(), {})  # of a realm, by origin; here of nowhere

# A process that was forked must not speak on its parent's connections.
_to_forget_in_children: weakref.WeakSet[Exchanges] = weakref.WeakSet()


def _forget_connections() -> None:
    for exchanges in list(_to_forget_in_children):
        exchanges.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_connections)


class Exchanges:
    """The connections of one transport, and the way that a request goes through them.

    `resend`: whether a request may be sent again that got no answer (see `ConnectionDied`).
    """

    def __init__(self, dialer: Dialer, limits: Limits, resend: bool = True) -> None:
        self._dialer = dialer
        self._pool: Pool[Connection] = Pool(limits)
        self._limits = limits
        self._max_attempts = MAX_ATTEMPTS if resend else 1
        self._multiplexes = dialer.http2
        self._known_http1: set[tuple[str, int]] = set()  # hosts that were offered HTTP/2 and did not take it
        self._known_heads: KnownHeads = {}
        self._routes = _NO_ROUTES
        self._reloading = dialer.reloading()
        self._tls: object = None
        if dialer.http2:
            _require_http2()
        self._farewells: dict[object, Farewell] = {}

    async def handle(self, request: Request, network: Network, is_async: bool) -> Response:
        """Send `request`, and return the head of its response with the body as a stream."""
        timeouts: Timeouts = request.extensions.get("timeout") or _NO_TIMEOUTS
        if self._reloading:
            await self._follow_files(network)
        sent, route = request, self._route(request, network)
        if self._dialer.proxy is not None:
            sent, authorization = request_through(self._dialer.proxy, request, self._dialer.forwards(route.scheme))
            route = route._replace(proxy_authorization=authorization)
        trace = request.extensions.get("trace")
        if trace is not None:
            trace = _told(trace, is_async)
        setup = None
        dead: Connection | None = None  # whose slot is for the one that takes its place
        closings, attempts, moves, began = self._pool.closings, 1, 0, time.monotonic()
        try:
            while True:
                exchange = None if dead is not None else self._take_idle(route, began)
                if exchange is None:
                    setup = Setup()
                    exchange = await self._take(route, network, timeouts, setup, trace, dead)
                    dead = None
                try:
                    exchange.trace = trace
                    head = await exchange.exchange(sent, timeouts)
                    if trace is not None:
                        await trace.is_answered(head)
                    break
                except ConnectionDied as died:
                    dead = None if exchange.connection.multiplexes else exchange.connection
                    moves = min(moves + died.took_others, MAX_MOVES)
                    await self._bury(exchange, died, self._may_try_again(died, attempts, moves), request, closings, trace)
                    attempts += 1
                except NeedsHTTP1 as needed:
                    await self._fail(exchange, needed.refusal, request, closings, trace)
                    route = self._http1_route(route, exchange.connection, needed)
                    attempts += needed.refusal is not None
                except BaseException as error:
                    await self._fail(exchange, error, request, closings, trace)
                    raise
        except BaseException:
            if dead is not None:
                self._reclaim(dead)
            raise
        try:
            now = time.monotonic()
            if trace is not None:
                exchange = trace.over_body(exchange, request)
            response = self._respond(request, exchange, head, attempts, timeouts, is_async, now)
        except BaseException:
            self._reclaim(exchange.connection)
            raise
        response._marks = (began, exchange.sent_at, now, setup)
        if trace is not None and type(response.stream) is ByteStream:
            await trace.body_begins(request)
            await trace.body_ends(request)
        return response

    async def _fail(
        self,
        exchange: Exchange,
        error: BaseException | None,
        request: Request,
        closings: int,
        trace: Trace | None,
        keeps_slot: bool = False,
    ) -> None:
        # The exchange has failed. Raises what there is to be raised in place of `error`.
        self._drop(exchange, error, keeps_slot)
        if isinstance(error, TransportError):
            if trace is not None:
                await trace.failed(error)
            if closings != self._pool.closings:
                raise _closed(request) from error

    async def _bury(
        self, exchange: Exchange, died: ConnectionDied, is_tried_again: bool, request: Request, closings: int, trace: Trace | None
    ) -> None:
        # What is to be said of a connection that died, and done with it. Raises what it died of if that is the end of the request, too.
        keeps_slot = is_tried_again and not exchange.connection.multiplexes
        await self._fail(exchange, died.cause, request, closings, trace, keeps_slot)
        if not is_tried_again:
            if not died.unprocessed:
                tell_of_reuse(died.cause, may_be_resent=True)
            raise died.unwrap() from died.cause.__cause__
        _log_resending(request, died)

    def _may_try_again(self, died: ConnectionDied, attempts: int, moves: int) -> bool:
        # What the server did not process is worth another try; a connection that died is not, the second time. That it ended
        # one after a number of others does not count: where requests are many, it may happen to the same again and again.
        return attempts - moves < (self._max_attempts if died.unprocessed else 2) and self._max_attempts > 1

    def _respond(
        self, request: Request, exchange: Exchange, head: Head, attempts: int, timeouts: Timeouts, is_async: bool, now: float
    ) -> Response:
        connection = exchange.connection
        network_stream = connection.network_stream
        if network_stream is None:
            network_stream = connection.network_stream = (AsyncNetworkStream if is_async else NetworkStream)(connection.stream)
        extensions: dict[str, typing.Any] = {"http_version": head.http_version, "network_stream": network_stream}
        if exchange.stream_id is None:
            extensions["reason_phrase"] = head.reason_phrase
        else:
            extensions["stream_id"] = exchange.stream_id
        if attempts > 1:
            extensions["attempts"] = attempts
        whole = exchange.data_at_hand()
        if whole is not None:
            # The body came with the head: the connection is free before the caller has the response.
            if connection.multiplexes and exchange.trailers:
                extensions["trailers"] = exchange.trailers
            self._give_back(connection, exchange, now)
            return received_response(head, ByteStream(whole), request, extensions)
        if exchange.is_upgraded:
            if connection.multiplexes:
                network_stream = extensions["network_stream"] = (AsyncNetworkStream if is_async else NetworkStream)(exchange.tunnel())
            network_stream._unread = exchange.unread()
        body = (AsyncBody if is_async else SyncBody)(self, exchange, timeouts, request, extensions)
        return received_response(head, body, request, extensions)

    def _route(self, request: Request, network: Network) -> Route:
        try:
            realm = network.realm()
        except RuntimeError:
            raise RuntimeError("An AsyncClient works where asyncio or trio runs: in asyncio.run(main()) or trio.run(main).") from None
        its_realm, routes = self._routes  # as they are now: another thread may have another realm
        if realm is not its_realm or len(routes) > _MAX_KNOWN:
            routes = {}
            self._routes = realm, routes
            _to_forget_in_children.add(self)  # before there is anything to forget, and not for a client that sends nothing
        origin = request.url._origin
        server_hostname = request.extensions.get("sni_hostname")
        if server_hostname:
            return _make_route(request.url, server_hostname, realm, self._tls)
        route = routes.get(origin)
        if route is None:
            route = routes[origin] = _make_route(request.url, None, realm, self._tls)
        return route

    async def _follow_files(self, network: Network) -> None:
        # What was read of files that have been replaced since is good for the exchanges under way, and for no others.
        for context in self._reloading:
            if not context._is_ready:
                await network.in_thread(context._make_ready)
        tls = tuple(context._engine for context in self._reloading)
        if tls != self._tls:
            self._tls, self._routes = tls, _NO_ROUTES
            self._close_all(self._pool.retire(lambda route: route.tls != tls))

    def _http1_route(self, route: Route, connection: Connection, needed: NeedsHTTP1) -> Route:
        if needed.refusal is not None and not (self._dialer.http1 and self._max_attempts > 1):
            needed.__cause__ = needed.__context__ = None  # or who walks along the causes of what is raised would never arrive
            raise needed.refusal
        if not self._dialer.http1:
            peer = connection.stream.peer
            raise WebSocketError(f"{peer} takes no WebSockets over HTTP/2 (RFC 8441), and http1=False rules out HTTP/1.1.")
        return route._replace(http1_only=True)

    def _take_idle(self, route: Route, now: float) -> Exchange | None:
        # Mostly there is one, and it is as it was left.
        connection = self._pool.take_idle(route, now)
        if connection is None:
            return None
        try:
            if (exchange := connection.begin_if_ready()) is not None:
                return exchange
        except BaseException:  # a signal, say
            self._let_go(connection)
            raise
        self._let_go(connection)  # one that multiplexes takes a closer look
        return None

    async def _take(
        self, route: Route, network: Network, timeouts: Timeouts, setup: Setup, trace: Trace | None, dead: Connection | None = None
    ) -> Exchange:
        # `dead` is one to be replaced: by a new one and no other that was used before, which may be as dead, and at once.
        closings = self._pool.closings
        connection, has_slot, has_waited = None, False, False
        try:
            while True:
                closings = self._pool.closings
                if dead is not None:
                    has_slot, dead = self._pool.replace(dead), None
                if not has_slot:
                    alone = self._multiplexes and self._dialer.may_multiplex(route) and (route.host, route.port) not in self._known_http1
                    connection, has_slot, to_close = self._pool.check_out(route, time.monotonic(), alone)
                    if to_close:
                        self._close_all(to_close)
                    if connection is None and not has_slot:
                        connection = await self._wait(route, network, timeouts.get("pool"), alone)
                        has_slot, has_waited = connection is None, True
                if connection is None:
                    connection = await self._open(route, network, timeouts, setup, trace)
                    if not self._pool.opened(connection, time.monotonic(), closings):
                        raise _closed_while_waiting()
                    if route.realm is not None and route.realm not in self._farewells:
                        await self._watch(route.realm, network)
                elif not await self._is_usable(connection, timeouts):
                    if has_waited and not connection.multiplexes:
                        connection.close()
                        dead = connection  # which does not send to the end of the queue who has waited for it
                    else:
                        self._let_go(connection)
                    connection = None
                    continue
                setup.ready_at = time.monotonic()
                return connection.begin()
        except BaseException:
            if has_slot and (connection is None or connection.origin is None):
                self._pool.release_slot(route, closings)
            if connection is not None:
                self._let_go(connection)
            if dead is not None:
                self._reclaim(dead)
            raise

    async def _is_usable(self, connection: Connection, timeouts: Timeouts) -> bool:
        return await connection.is_usable(timeouts.get("connect")) if connection.multiplexes else connection.stream.is_quiet()

    def _let_go(self, connection: Connection) -> None:
        # One that was taken and not used; what it serves already, and no other, it goes on serving.
        if connection.multiplexes and connection.is_open:
            self._close_all(self._pool.check_in(connection, time.monotonic()))
        else:
            connection.close()
            self._pool.discard(connection)

    def _reclaim(self, connection: Connection) -> None:
        # Nobody can say how far things have come (a signal): what is still in use is not used again.
        if self._pool.discard(connection):
            connection.close()

    async def _wait(self, route: Route, network: Network, timeout: float | None, alone: bool) -> Connection | None:
        closings = self._pool.closings
        place, to_close = self._pool.wait(route, network.waiter(), time.monotonic(), alone)
        try:
            self._close_all(to_close)
            in_time = await network.wait(place.waiter, timeout)
        except BaseException:
            may_open, to_close = self._pool.give_up(place, time.monotonic())
            if may_open:
                self._pool.release_slot(route, closings)
            self._close_all(to_close)
            raise
        if closings != self._pool.closings:
            raise _closed_while_waiting()
        if in_time:
            return place.connection
        may_open, to_close = self._pool.give_up(place, time.monotonic())
        if to_close:
            self._close_all(to_close)
        if may_open:
            return None
        stats = self._pool.stats()
        opening = stats.open - stats.idle - stats.in_use
        raise PoolTimeout(
            f"No connection to {peer_name(route.host, route.port)} became free within {seconds(timeout)}: "
            f"{stats.in_use} of {stats.open} open connections are in use"
            f"{f', {opening} being opened,' if opening else ''} and {stats.waiting} requests wait."
        )

    async def _open(self, route: Route, network: Network, timeouts: Timeouts, setup: Setup, trace: Trace | None) -> Connection:
        stream = await self._dialer.dial(network, route, timeouts.get("connect"), getattr(timeouts, "deadline", None), setup, trace)
        try:
            return self._connection_on(stream, route, network)
        except BaseException:
            stream.close()
            raise

    async def _watch(self, realm: object, network: Network) -> None:
        # An event loop that ends takes its connections with it: they are closed before, if it says so.
        itself = weakref.ref(self)

        def end() -> None:
            exchanges = itself()
            if exchanges is not None:
                exchanges._farewells.pop(realm, None)
                exchanges._close_all(exchanges._pool.take_all(lambda connection: getattr(connection.key, "realm", None) is realm))

        farewell = await network.until_end(end)
        if farewell is not None:
            self._farewells[realm] = farewell

    def _connection_on(self, stream: Stream, route: Route, network: Network) -> Connection:
        if self._dialer.speaks_http2(route, stream):
            from .._connections.http2 import HTTP2Connection, LoopHTTP2Connection

            kind = HTTP2Connection if route.realm is None else LoopHTTP2Connection
            connection = kind(route, stream, network, self._pool.resized, self._limits.http2_ping_interval)
            if route.realm is not None:
                connection.watch()
            return connection
        if self._multiplexes and not route.http1_only and len(self._known_http1) < _MAX_KNOWN:
            self._known_http1.add((route.host, route.port))
        return HTTP1Connection(route, stream, network, self._known_heads)

    def _drop(self, exchange: Exchange, error: BaseException | None = None, keeps_slot: bool = False) -> None:
        # The exchange did not come to its end. With `keeps_slot`, the place of its connection in the pool is for another one.
        connection = exchange.connection
        if error is not None:
            name_peer(error, connection.stream.peer)
            if isinstance(error, TLSError) and self._dialer.forwards(getattr(connection.key, "scheme", "")):
                name_proxy(error, connection.stream.peer)
        try:
            usable = exchange.abandon()
        except BaseException:
            self._reclaim(connection)
            raise
        if usable:
            self._close_all(self._pool.check_in(connection, time.monotonic()))
        elif not keeps_slot:
            self._pool.discard(connection)

    def _give_back(self, connection: Connection, exchange: Exchange, now: float) -> None:
        if exchange.finish():
            to_close = self._pool.check_in(connection, now)
        else:
            self._pool.discard(connection)
            to_close = [connection]
        if to_close:
            self._close_all(to_close)

    def settings(self) -> dict[str, typing.Any]:
        """What another transport like this one is made from: all but the connections."""
        return {**self._dialer._asdict(), "limits": self._limits, "resend": self._max_attempts > 1}

    def close(self) -> None:
        """Close all connections; requests in flight fail."""
        self._close_all(self._pool.close())

    async def aclose(self, network: Network) -> None:
        """Close all connections, and wait for the event loop to let go of them."""
        self.close()
        farewell = self._farewells.pop(network.realm(), None)
        if farewell is not None:
            await farewell.aclose()
        await network.settle()

    def forget(self) -> None:
        """Let go of all connections without a word to the servers: they are another process's."""
        for connection in self._pool.forget():
            connection.stream.abandon()

    @staticmethod
    def _close_all(connections: list[Connection]) -> None:
        # They may be those of another event loop, in another thread.
        for connection in connections:
            hand_over(getattr(connection.key, "realm", None), connection.close)


def _told(told: typing.Any, is_async: bool) -> Trace:
    from .._connections.trace import Trace

    return Trace(told, is_async)


def _make_route(url: URL, server_hostname: str | None, realm: object, tls: object) -> Route:
    scheme, host, port = url._origin
    if scheme == "wss":
        scheme = "https"  # the handshake of a WebSocket is a request (RFC 6455 section 1.3); ws goes through proxies by CONNECT
    if port is None or scheme not in ("http", "https", "ws"):
        raise _unsupported(scheme)
    if not host:
        raise UnsupportedProtocol(f"The URL names no host: {printable(str(url))!r}.")
    return Route(scheme, host, port, server_hostname or host.rstrip("."), realm, tls=tls)  # RFC 6066 section 3: without the dot


def _log_resending(request: Request, died: ConnectionDied) -> None:
    import logging

    logging.getLogger("httpx").debug("Sending %s again: %s", request.method, died.cause)


def _closed(request: Request) -> ReadError:
    return ReadError(f"The client was closed while this {request.method} request was under way.")


def _closed_while_waiting() -> ConnectError:
    closed = ConnectError("The client was closed while this request waited for a connection.")
    closed._was_never_sent = True  # type: ignore[attr-defined]  # if it was another client with this transport, it can be
    return closed


def _require_http2() -> None:
    # Says what to install when the client is made, not when its first request is sent.
    from .._protocols.http2 import engine  # noqa: F401


def _unsupported(scheme: str) -> UnsupportedProtocol:
    if not scheme:
        return UnsupportedProtocol("Request URL is missing an 'http://' or 'https://' protocol.")
    return UnsupportedProtocol(f"Request URL has an unsupported protocol '{printable(scheme)}://'.")
