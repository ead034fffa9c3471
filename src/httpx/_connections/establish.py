"""From an origin to a byte stream that its protocol can be spoken on: name, address, TCP, TLS."""

from __future__ import annotations

import time
import typing
from collections.abc import Awaitable

from .._exceptions import CertificateVerifyError, ConnectError, ConnectTimeout
from .._models.marks import Setup
from .._network.addresses import peer_name
from .._network.base import Network, SocketOption, Stream
from .._network.resolver import Resolver, ResolverTypes, forget, resolve
from .._proxy import Proxy
from .proxied import address_of, connect_request, is_http, name_proxy

if typing.TYPE_CHECKING:
    import ssl

    from .trace import Trace

T = typing.TypeVar("T")


class Route(typing.NamedTuple):
    """What makes two connections interchangeable: they lead to the same place, verified as the same name.

    `proxy_authorization` is what a request said to the proxy for a tunnel of its own, `http1_only` that it asks for what HTTP/2 does
    not have, `tls` what was read of files that may be replaced. All else is the same for all connections of a transport.
    """

    scheme: str
    host: str
    port: int
    server_hostname: str
    realm: object
    proxy_authorization: bytes | None = None
    http1_only: bool = False
    tls: object = None


class Dialer(typing.NamedTuple):
    """How connections of one transport are made. `ssl_context` None is the process's default."""

    ssl_context: ssl.SSLContext | None = None
    http1: bool = True
    http2: bool = False
    proxy: Proxy | None = None
    uds: str | None = None
    local_address: str | None = None
    retries: int = 0
    socket_options: typing.Sequence[SocketOption] = ()
    resolver: ResolverTypes = Resolver()

    def reloading(self) -> tuple[typing.Any, ...]:
        """The contexts that follow files which are replaced (`httpx.SSLContext(reload=True)`)."""
        contexts = (self.ssl_context, None if self.proxy is None else self.proxy.ssl_context)
        return tuple(context for context in contexts if getattr(context, "_reloads", False))

    def alpn(self, route: Route) -> tuple[str, ...]:
        """The protocols to offer in a TLS handshake, best first."""
        from .._tls.offer import HTTP_1_1, HTTP_2, HTTP_2_OR_1_1

        if not self.http2 or route.http1_only:
            return HTTP_1_1
        return HTTP_2_OR_1_1 if self.http1 else HTTP_2

    def forwards(self, scheme: str) -> bool:
        """Whether requests for URLs of this scheme are sent to an HTTP proxy, instead of through a tunnel."""
        return self.proxy is not None and scheme == "http" and self.http1 and is_http(self.proxy)

    def may_multiplex(self, route: Route) -> bool:
        """Whether a connection may turn out to speak HTTP/2: if the server agrees, or where nothing else is spoken."""
        return self.http2 and not route.http1_only and (route.scheme == "https" or not self.http1)

    def speaks_http2(self, route: Route, stream: Stream) -> bool:
        """Whether HTTP/2 is what `stream` is for. Raises `ConnectError` if the server wants a protocol that is not allowed."""
        if route.scheme != "https":
            return self.http2 and not self.http1
        chosen = stream.info("ssl_object").selected_alpn_protocol()
        if chosen == "h2" and (not self.http2 or route.http1_only):
            why = "no WebSocket can be opened over" if self.http2 else "this client does not speak"
            raise ConnectError(
                f"{stream.peer} chose HTTP/2, which ssl_context offers and {why}: "
                f"{'' if self.http2 else 'pass http2=True, or '}call set_alpn_protocols(['http/1.1']) on the context."
            )
        if chosen != "h2" and not self.http1:
            raise ConnectError(
                f"{stream.peer} did not agree to HTTP/2, and http1=False rules out HTTP/1.1. "
                "An ssl.SSLContext on which set_alpn_protocols() was called must offer it there: 'h2'."
            )
        return bool(chosen == "h2")

    async def dial(
        self,
        network: Network,
        route: Route,
        timeout: float | None,
        until: float | None = None,
        setup: Setup | None = None,
        trace: Trace | None = None,
    ) -> Stream:
        """Connect, and do the TLS handshake for https, both within `timeout` seconds; if that fails, try again `retries` times.

        `until` is the deadline for all attempts, on the monotonic clock. `setup` gets what each step took, `trace` hears of them.
        """
        steps = _Steps(Setup() if setup is None else setup, trace)
        failures = 0
        while True:
            try:
                deadline = None if timeout is None else time.monotonic() + timeout
                return await self._dial_once(network, route, deadline if until is None else min(deadline or until, until), steps)
            except (ConnectError, ConnectTimeout) as error:
                failures += 1
                if failures > self.retries or isinstance(error, CertificateVerifyError):
                    raise
                if until is not None and time.monotonic() + _pause(failures) >= until:
                    raise
            await network.sleep(_pause(failures))

    async def _dial_once(self, network: Network, route: Route, deadline: float | None, steps: _Steps) -> Stream:
        if self.uds is not None:
            patience = remaining(deadline, self.uds)
            info: dict[str, typing.Any] = {"path": self.uds, "timeout": patience, "socket_options": self.socket_options}
            work = steps.timed("connect", network.connect_unix(self.uds, patience, self.socket_options))
            stream = await steps.told("connection.connect_unix_socket", info, work)
        elif self.proxy is not None:
            stream = await self._connect_through(self.proxy, network, route, deadline, steps)
        else:
            stream = await self._connect(network, route.host, route.port, deadline, steps)
        if route.scheme != "https":
            return stream
        from .secure import secure  # brings `ssl` along

        try:
            left = remaining(deadline, stream.peer)
            info = {"ssl_context": self.ssl_context, "server_hostname": route.server_hostname, "timeout": left}
            work = secure(stream, network, self.ssl_context, route.server_hostname, route.port, left, self.alpn(route))
            return await steps.told("connection.start_tls", info, steps.timed("tls", work))
        except BaseException as error:
            stream.close()
            if self.proxy is not None and isinstance(error, (ConnectError, ConnectTimeout)):
                error.add_note(f"The connection went through the proxy {peer_name(*address_of(self.proxy))}.")
            raise

    async def _connect_through(self, proxy: Proxy, network: Network, route: Route, deadline: float | None, steps: _Steps) -> Stream:
        from .tunnel import open_http_tunnel, open_socks_tunnel

        host, port = address_of(proxy)
        target = peer_name(route.host, route.port)
        by_connect = is_http(proxy) and not self.forwards(route.scheme)
        request = connect_request(proxy, route.host, route.port, route.proxy_authorization) if by_connect else b""
        try:
            stream = await self._connect(network, host, port, deadline, steps)
        except (ConnectError, ConnectTimeout) as error:
            error.add_note(f"{peer_name(host, port)} is the proxy through which the request was to go.")
            raise
        try:
            if proxy.url.scheme == "https":
                stream = await self._secure_proxy(proxy, stream, network, deadline, steps)
            if by_connect or not is_http(proxy):
                if by_connect:
                    tunnel = open_http_tunnel(stream, request, target, deadline)
                else:
                    tunnel = open_socks_tunnel(stream, proxy, route.host, route.port, deadline)
                await steps.told("connection.open_tunnel", {"proxy": proxy, "target": target}, steps.timed("proxy", tunnel))
        except BaseException:
            stream.close()
            raise
        if by_connect or not is_http(proxy):
            stream.peer = target
        return stream

    async def _secure_proxy(self, proxy: Proxy, stream: Stream, network: Network, deadline: float | None, steps: _Steps) -> Stream:
        from .secure import secure

        host, port = address_of(proxy)
        left = remaining(deadline, stream.peer)
        work = secure(stream, network, proxy.ssl_context, host, port, left)
        info = {"ssl_context": proxy.ssl_context, "server_hostname": host, "timeout": left}
        try:
            return await steps.told("connection.start_tls", info, steps.timed("proxy", work))
        except (ConnectError, ConnectTimeout) as error:
            name_proxy(error, stream.peer)
            raise

    async def _connect(self, network: Network, host: str, port: int, deadline: float | None, steps: _Steps) -> Stream:
        info = {
            "host": host,
            "port": port,
            "local_address": self.local_address,
            "timeout": remaining(deadline, host),
            "socket_options": self.socket_options,
        }
        return await steps.told("connection.connect_tcp", info, self._resolve_and_connect(network, host, port, deadline, steps))

    async def _resolve_and_connect(self, network: Network, host: str, port: int, deadline: float | None, steps: _Steps) -> Stream:
        peer = peer_name(host, port)
        addresses = await steps.timed("name", resolve(network, self.resolver, host, port, remaining(deadline, peer)))
        try:
            connecting = network.connect(
                peer,
                addresses,
                remaining(deadline, peer),
                local_address=self.local_address,
                socket_options=self.socket_options,
            )
            return await steps.timed("connect", connecting)
        except (ConnectError, ConnectTimeout):
            forget(self.resolver, host, port)
            raise


class _Steps:
    # What looks at the clock, and what is told, at each step to a connection.
    __slots__ = ("setup", "trace")

    def __init__(self, setup: Setup, trace: Trace | None) -> None:
        self.setup = setup
        self.trace = trace

    async def timed(self, step: str, work: Awaitable[T]) -> T:
        started = time.monotonic()
        result = await work
        # A step that is taken twice, or in two parts, took as long as both.
        setattr(self.setup, step, (getattr(self.setup, step) or 0.0) + time.monotonic() - started)
        return result

    def told(self, step: str, info: dict[str, typing.Any], work: Awaitable[T]) -> Awaitable[T]:
        return work if self.trace is None else self.trace.around(step, info, work)


def remaining(deadline: float | None, peer: str) -> float | None:
    """Seconds until `deadline`. Raises `ConnectTimeout` if there are none."""
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise ConnectTimeout(f"Connecting to {peer} took too long: no time was left for its next step.")
    return left


def _pause(failures: int) -> float:
    # Seconds to wait after so many failures in a row: 0, 0.5, 1, 2, 4, ...
    return 0.0 if failures < 2 else 0.5 * 2.0 ** (failures - 2)
