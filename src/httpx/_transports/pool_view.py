"""What `HTTPTransport._pool` is: the names of HTTPX that tests of other libraries look at. Nothing of ours uses them."""

from __future__ import annotations

import sys
import typing

from .._auth.basic import basic_authorization
from .._pool.pool import PoolStats

if typing.TYPE_CHECKING:
    import ssl

    from .._proxy import Proxy
    from .exchange import Exchanges


class PoolView:
    """The connections of a transport, seen from outside.

    That of a transport with an HTTP proxy passes for httpcore's, where that has been imported: pytest-httpx asks for it.
    """

    __slots__ = ("_exchanges",)

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges

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
    def _ssl_context(self) -> ssl.SSLContext | None:
        context: ssl.SSLContext | None = self._exchanges.settings()["ssl_context"]
        return context

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
