"""What `HTTPTransport._pool` is: the names of HTTPX that tests of other libraries look at. Nothing of ours uses them."""

from __future__ import annotations

import typing

from .._pool.pool import PoolStats

if typing.TYPE_CHECKING:
    import ssl

    from .._models.url import URL
    from .exchange import Exchanges


class PoolView:
    """The connections of a transport, seen from outside."""

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

    @property
    def _proxy_url(self) -> URL | None:
        proxy = self._exchanges.settings()["proxy"]
        return None if proxy is None else proxy.url

    def __repr__(self) -> str:
        stats = self.stats()
        requests = f"{stats.in_use} active, {stats.waiting} queued"
        return f"<ConnectionPool [Requests: {requests} | Connections: {stats.in_use} active, {stats.idle} idle]>"
