"""The body of a response as a stream over the exchange that it comes from."""

from __future__ import annotations

import time
import typing
import warnings
from collections.abc import AsyncIterator, Iterator

from .._config import Countdown
from .._connections.exchange import Exchange, Timeouts, name_peer
from .._content.streams import AsyncByteStream, SyncByteStream
from .._exceptions import TransportError
from .._models.request import Request
from .._network.base import drive
from .._network.runtime import hand_over

if typing.TYPE_CHECKING:
    from .exchange import Exchanges

_NEVER = float("inf")


class _Body:
    # The rest of a body that did not come with its head. Holds the connection until the end, or until it is closed.

    def __init__(
        self,
        exchanges: Exchanges,
        exchange: Exchange,
        timeouts: Timeouts,
        request: Request,
        extensions: dict[str, typing.Any],
    ) -> None:
        self._exchanges = exchanges
        self._exchange: Exchange | None = exchange
        self._timeouts = timeouts
        self._request = request
        self._extensions = extensions

    async def _next(self) -> bytes | None:
        exchange = self._exchange
        if exchange is None:
            return None
        try:
            data = await exchange.next_data(self._timeouts.get("read"))
        except BaseException as error:
            self._release(drop=True)
            name_peer(error, exchange.connection.stream.peer)
            if isinstance(self._timeouts, Countdown):
                self._timeouts.explain(error)
            if getattr(error, "_request", self) is None:
                error.request = self._request  # type: ignore[attr-defined]
            raise
        if data is None:
            if exchange.trailers:
                self._extensions["trailers"] = exchange.trailers
            if not exchange.is_upgraded:
                self._release(drop=False)
        return data

    async def rest(self, limit: int, patience: float) -> bytes | None:
        """What is left of the body. None, and it is closed, if that is more than `limit` bytes or takes longer than `patience` seconds."""
        received = bytearray()
        deadline = min(time.monotonic() + patience, getattr(self._timeouts, "deadline", _NEVER))
        try:
            while len(received) <= limit and (left := deadline - time.monotonic()) > 0:
                read = self._timeouts.get("read")
                self._timeouts = {"read": left if read is None else min(read, left)}
                data = await self._next()
                if data is None:
                    return bytes(received)
                received += data
        except TransportError:
            pass
        self._release(drop=True)
        return None

    def _release(self, drop: bool) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        self._exchange = None
        try:
            if drop:
                self._exchanges._drop(exchange)
            else:
                self._exchanges._give_back(exchange.connection, exchange, time.monotonic())
        except BaseException:
            self._exchanges._reclaim(exchange.connection)
            raise

    def __del__(self) -> None:
        exchange = self._exchange
        if exchange is not None:
            message = f"A response from {exchange.connection.stream.peer} was dropped without being read or closed."
            warnings.warn(message, ResourceWarning, stacklevel=2)
            hand_over(getattr(exchange.connection.key, "realm", None), lambda: self._release(drop=True))  # any thread collects garbage


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
