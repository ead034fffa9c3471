"""The transports that speak HTTP: the same exchanges, driven by a thread or awaited."""

from __future__ import annotations

import os
import sys
import typing

from .._config import DEFAULT_LIMITS, Limits
from .._connections.establish import Dialer
from .._models.request import Request
from .._models.response import Response
from .._network.base import Network, SocketOption, drive
from .._network.blocking import BlockingNetwork
from .._network.resolver import Resolver, ResolverTypes
from .._network.runtime import current_network
from .._pool.pool import PoolStats
from .._proxy import Proxy
from .._tls.default import is_ssl_context, resolve_ssl_context
from .._types import CertTypes, ProxyTypes, VerifyTypes
from .base import AsyncBaseTransport, BaseTransport
from .exchange import Exchanges
from .httpcore_pools import ask, method_in_place, pool_in_place
from .pool_view import PoolView

if typing.TYPE_CHECKING:
    import ssl


class HTTPTransport(BaseTransport):
    """Sends the requests of a `Client` over the network.

    Its connections are its own, and all of them have its one TLS configuration.

    * `ssl_context`: how servers are verified, or what `verify` and `cert` say; see `httpx.SSLContext`.
    * `http1`, `http2`: the protocols that may be spoken; at least one of them.
    * `limits`: how many connections there may be; see `httpx.Limits`.
    * `proxy`: what all requests go through: a URL or an `httpx.Proxy`.
    * `uds`: the path of a unix domain socket to connect to instead of the URL's host.
    * `local_address`: the address to connect from.
    * `retries`: how often connecting is tried again after a failure, with a pause that grows from 0 to 0.5, 1, 2, ...
      seconds. A request that was sent is never repeated by this.
    * `socket_options`: arguments for `socket.setsockopt`, set on each connection before it is made.
    * `resolver`: a function from host name and port to IP addresses; the system's resolver by default, see `httpx.Resolver`.
    * `resend`: whether a request that got no answer may be sent again: once if a connection that was used before turned
      out to be dead and the method allows it, and if an HTTP/2 server says that it did not process the request.
      `response.extensions["attempts"]` tells.
    * `trust_env`: accepted for compatibility; no environment variable is read here.
    """

    def __init__(
        self,
        verify: VerifyTypes = True,
        cert: CertTypes | None = None,
        trust_env: bool = True,
        http1: bool = True,
        http2: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        proxy: ProxyTypes | None = None,
        uds: str | None = None,
        local_address: str | None = None,
        retries: int = 0,
        socket_options: typing.Iterable[SocketOption] | None = None,
        *,
        ssl_context: ssl.SSLContext | None = None,
        resend: bool = True,
        resolver: ResolverTypes | None = None,
    ) -> None:
        dialer = _dialer(verify, cert, http1, http2, proxy, uds, local_address, retries, socket_options, ssl_context, resolver)
        self._exchanges = Exchanges(dialer, limits, resend)
        self._pool: typing.Any = PoolView(self._exchanges, is_async=False)
        self._network: Network = _BLOCKING

    def handle_request(self, request: Request) -> Response:
        if (type(self._pool) is not PoolView or "httpcore" in sys.modules) and (method := method_in_place(self._pool, is_async=False)):
            answer = drive(ask(method, request, is_async=False))
            if answer is not None:
                return answer
        return drive(self._exchanges.handle(request, self._network, False))

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return _restore, (type(self), _settings(self))

    def pool_stats(self) -> PoolStats:
        """How many connections are open, idle and in use at this moment, and how many requests wait for one."""
        return self._exchanges._pool.stats()

    def close(self) -> None:
        pool = pool_in_place(self._pool)
        if pool is None:
            self._exchanges.close()
        else:
            pool.close()


class AsyncHTTPTransport(AsyncBaseTransport):
    """Sends the requests of an `AsyncClient` over the network of the runtime that it is awaited in.

    The parameters are those of `HTTPTransport`.
    """

    def __init__(
        self,
        verify: VerifyTypes = True,
        cert: CertTypes | None = None,
        trust_env: bool = True,
        http1: bool = True,
        http2: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        proxy: ProxyTypes | None = None,
        uds: str | None = None,
        local_address: str | None = None,
        retries: int = 0,
        socket_options: typing.Iterable[SocketOption] | None = None,
        *,
        ssl_context: ssl.SSLContext | None = None,
        resend: bool = True,
        resolver: ResolverTypes | None = None,
    ) -> None:
        dialer = _dialer(verify, cert, http1, http2, proxy, uds, local_address, retries, socket_options, ssl_context, resolver)
        self._exchanges = Exchanges(dialer, limits, resend)
        self._pool: typing.Any = PoolView(self._exchanges, is_async=True)
        self._network: Network | None = None  # whichever is running, asked each time

    async def handle_async_request(self, request: Request) -> Response:
        if (type(self._pool) is not PoolView or "httpcore" in sys.modules) and (method := method_in_place(self._pool, is_async=True)):
            answer = await ask(method, request, is_async=True)
            if answer is not None:
                return answer
        return await self._exchanges.handle(request, self._network or current_network(), True)

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return _restore, (type(self), _settings(self))

    def pool_stats(self) -> PoolStats:
        """How many connections are open, idle and in use at this moment, and how many requests wait for one."""
        return self._exchanges._pool.stats()

    async def aclose(self) -> None:
        pool = pool_in_place(self._pool)
        if pool is None:
            await self._exchanges.aclose(self._network or current_network())
        else:
            await pool.aclose()


_BLOCKING = BlockingNetwork()


def _settings(transport: HTTPTransport | AsyncHTTPTransport) -> dict[str, typing.Any]:
    if pool_in_place(transport._pool) is not None:
        raise TypeError("A transport whose _pool has been replaced cannot be pickled.")
    return transport._exchanges.settings()


def _restore(kind: type[typing.Any], settings: dict[str, typing.Any]) -> typing.Any:
    return kind(**settings)


def _dialer(
    verify: VerifyTypes,
    cert: CertTypes | None,
    http1: bool,
    http2: bool,
    proxy: ProxyTypes | None,
    uds: str | None,
    local_address: str | None,
    retries: int,
    socket_options: typing.Iterable[SocketOption] | None,
    ssl_context: ssl.SSLContext | None,
    resolver: ResolverTypes | None,
) -> Dialer:
    # What the arguments of both transports amount to.
    if not (http1 or http2):
        raise ValueError("http1=False and http2=False leave no protocol to speak.")
    if proxy is not None and uds is not None:
        raise ValueError("uds= and proxy= both say where to connect to: leave one of them out.")
    if proxy is not None and not isinstance(proxy, Proxy):
        proxy = Proxy(proxy)
    if proxy is not None and proxy.ssl_context is not None and not is_ssl_context(proxy.ssl_context):
        kind = type(proxy.ssl_context).__name__
        raise TypeError(f"ssl_context= of a Proxy is an ssl.SSLContext, such as httpx.SSLContext(), not {kind}.")
    if resolver is not None and not callable(resolver):
        raise TypeError(f"resolver= is an httpx.Resolver, or a function of host name and port, not {type(resolver).__name__}.")
    return Dialer(
        ssl_context=resolve_ssl_context(verify, cert, ssl_context),
        http1=http1,
        http2=http2,
        proxy=proxy,
        uds=None if uds is None else os.fspath(uds),
        local_address=local_address,
        retries=retries,
        socket_options=tuple(socket_options or ()),
        resolver=resolver or Resolver(),
    )
