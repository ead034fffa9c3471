"""What `HTTPTransport._pool` is: the names of HTTPX that programs look at, and set. Nothing of ours uses them."""

from __future__ import annotations

import importlib
import sys
import typing

from .._auth.basic import basic_authorization
from .._pool.pool import PoolStats
from .._tls.default import create_ssl_context

if typing.TYPE_CHECKING:
    import ssl

    from .._proxy import Proxy
    from .exchange import Exchanges


_LIMITS = ("max_connections", "max_keepalive_connections", "keepalive_expiry")
_SETTINGS = ("http1", "http2", "retries", "local_address", "uds", "socket_options")


class PoolView:
    """The connections of a transport, seen from outside.

    That of a transport with an HTTP proxy passes for httpcore's, where that has been imported: pytest-httpx asks for it.
    """

    __slots__ = ("_exchanges", "_is_async", "_substitute")

    def __init__(self, exchanges: Exchanges, is_async: bool) -> None:
        self._exchanges = exchanges
        self._is_async = is_async
        self._substitute: typing.Any = None  # a pool of httpcore's, through which all requests go then

    def stats(self) -> PoolStats:
        """What `pool_stats()` of the transport gives."""
        return self._exchanges._pool.stats()

    @property
    def connections(self) -> list[object]:
        """As many objects as there are open connections."""
        return [object() for _ in range(self.stats().open)]

    @property
    def _requests(self) -> list[object]:
        # As many as there are connections in use, and requests that wait for one.
        stats = self.stats()
        return [object() for _ in range(stats.in_use + stats.waiting)]

    @property
    def _ssl_context(self) -> ssl.SSLContext:
        context: ssl.SSLContext | None = self._exchanges.settings()["ssl_context"]
        return create_ssl_context() if context is None else context

    @property
    def _network_backend(self) -> typing.Any:
        # Programs put their own there to decide on addresses. They expect httpcore below, and so it is, from then on.
        return (self._substitute or self._as_httpcores(None))._network_backend

    @_network_backend.setter
    def _network_backend(self, backend: typing.Any) -> None:
        self._substitute = self._as_httpcores(backend)

    def _as_httpcores(self, backend: typing.Any) -> typing.Any:
        httpcore: typing.Any = importlib.import_module("httpcore")
        kind = httpcore.AsyncConnectionPool if self._is_async else httpcore.ConnectionPool
        proxy = self._proxy
        if proxy is not None:
            proxy = httpcore.Proxy(str(proxy.url), proxy.raw_auth, proxy.headers.raw, proxy.ssl_context)
        settings = {name: getattr(self, f"_{name}") for name in (*_LIMITS, *_SETTINGS)}
        return kind(ssl_context=self._ssl_context, proxy=proxy, network_backend=backend, **settings)

    def close(self) -> None:
        """Close the connections."""
        self._exchanges.close()

    async def aclose(self) -> None:
        """Close the connections."""
        self._exchanges.close()

    def __getattr__(self, name: str) -> typing.Any:
        setting = name.removeprefix("_")
        if setting in _LIMITS:
            return getattr(self._exchanges.settings()["limits"], setting)
        if setting in _SETTINGS:
            return self._exchanges.settings()[setting]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def _connections(self) -> list[object]:
        return self.connections

    @property  # type: ignore[misc]
    def __class__(self) -> type[typing.Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        httpcore, proxy = sys.modules.get("httpcore"), self._proxy
        if httpcore is None or proxy is None or not proxy.url.scheme.startswith("http"):
            return PoolView
        posed: type[typing.Any] = httpcore.HTTPProxy
        return posed

    @property
    def _proxy(self) -> Proxy | None:
        proxy: Proxy | None = self._exchanges.settings()["proxy"]
        return proxy

    @property
    def _proxy_url(self) -> typing.Any:
        # A URL of httpcore, where there is one.
        httpcore, proxy = sys.modules.get("httpcore"), self._proxy
        return proxy and (proxy.url if httpcore is None else httpcore.URL(str(proxy.url)))

    @property
    def _proxy_headers(self) -> list[tuple[bytes, bytes]]:
        proxy = self._proxy
        if proxy is None:
            return []
        basic = [] if proxy.auth is None else [(b"Proxy-Authorization", basic_authorization(*proxy.auth).encode("ascii"))]
        return [*basic, *proxy.headers.raw]

    def __repr__(self) -> str:
        stats = self.stats()
        requests = f"{stats.in_use} active, {stats.waiting} queued"
        return f"<ConnectionPool [Requests: {requests} | Connections: {stats.in_use} active, {stats.idle} idle]>"
