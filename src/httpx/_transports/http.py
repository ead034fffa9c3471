"""The transports that speak HTTP: the same exchanges, driven by a thread or awaited."""

from __future__ import annotations

import ssl
import typing

from .._config import DEFAULT_LIMITS, Limits
from .._connections.establish import Dialer
from .._models.request import Request
from .._models.response import Response
from .._network.base import Network, SocketOption, drive
from .._network.blocking import BlockingNetwork
from .._network.runtime import current_network
from .._tls.default import resolve_ssl_context
from .base import AsyncBaseTransport, BaseTransport
from .exchange import Exchanges


class HTTPTransport(BaseTransport):
    """Sends the requests of a `Client` over the network.

    Its connections are its own, and all of them have its one TLS configuration: `ssl_context`, or what `verify` and
    `cert` say (see `httpx.SSLContext`). `uds` is the path of a unix socket to connect to instead of the URL's host,
    `local_address` the address to connect from, `socket_options` are arguments for `socket.setsockopt`. `trust_env` is
    accepted for compatibility: no environment variable is read here.
    """

    def __init__(
        self,
        verify: ssl.SSLContext | str | bool = True,
        cert: typing.Any = None,
        trust_env: bool = True,
        http1: bool = True,
        *,
        limits: Limits = DEFAULT_LIMITS,
        uds: str | None = None,
        local_address: str | None = None,
        socket_options: typing.Iterable[SocketOption] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        context = resolve_ssl_context(verify, cert, ssl_context)
        self._exchanges = Exchanges(Dialer(context, uds, local_address, tuple(socket_options or ())), limits)
        self._pool = self._exchanges._pool
        self._network: Network = _BLOCKING

    def handle_request(self, request: Request) -> Response:
        return drive(self._exchanges.handle(request, self._network, False))

    def close(self) -> None:
        self._exchanges.close()


class AsyncHTTPTransport(AsyncBaseTransport):
    """Sends the requests of an `AsyncClient` over the network of the runtime that it is awaited in.

    The parameters are those of `HTTPTransport`.
    """

    def __init__(
        self,
        verify: ssl.SSLContext | str | bool = True,
        cert: typing.Any = None,
        trust_env: bool = True,
        http1: bool = True,
        *,
        limits: Limits = DEFAULT_LIMITS,
        uds: str | None = None,
        local_address: str | None = None,
        socket_options: typing.Iterable[SocketOption] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        context = resolve_ssl_context(verify, cert, ssl_context)
        self._exchanges = Exchanges(Dialer(context, uds, local_address, tuple(socket_options or ())), limits)
        self._pool = self._exchanges._pool
        self._network: Network | None = None

    async def handle_async_request(self, request: Request) -> Response:
        network = self._network
        if network is None:
            network = self._network = current_network()
        return await self._exchanges.handle(request, network, True)

    async def aclose(self) -> None:
        self._exchanges.close()
        if self._network is not None:
            await self._network.settle()


_BLOCKING = BlockingNetwork()
