"""The body of a request as a sequence of parts, whichever kind of iterable gives them."""

from __future__ import annotations

import time
import typing
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Iterator

from .._config import Countdown
from .._exceptions import LocalProtocolError, WriteTimeout
from .._models.request import Request
from .._network.base import Network
from .exchange import Timeouts

PIECE = 262_144
"""Bytes of a body that are handed to the network at a time."""

IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))
"""The methods that mean the same when they are sent twice (RFC 9110 section 9.2.2)."""

_CONTINUE_PATIENCE = 1.0
_GRACE = 0.01  # seconds in which who waits for the peer may say so


Progress = Callable[[int, int | None], typing.Any]
"""The extension `upload_progress`: is told how many bytes of the body have gone out, and how many there are, if that is known."""


class Parts(typing.Protocol):
    """A body's parts, one at a time: what `async for` cannot be written over."""

    async def next(self) -> bytes | None:
        """The next part, None at the end."""
        ...

    async def close(self) -> None:
        """Let go of the iterator."""
        ...


class _SyncParts:
    def __init__(self, iterator: Iterator[bytes], network: Network) -> None:
        self._iterator = iterator
        self._network = network

    async def close(self) -> None:
        return None

    async def next(self) -> bytes | None:
        # Where there is an event loop, reading a file must not block it.
        return await self._network.in_thread(lambda: next(self._iterator, None))


class _AsyncParts:
    def __init__(self, iterator: AsyncIterator[bytes]) -> None:
        self._iterator = iterator

    async def next(self) -> bytes | None:
        try:
            return await self._iterator.__anext__()
        except StopAsyncIteration:
            return None

    async def close(self) -> None:
        aclose = getattr(self._iterator, "aclose", None)
        if aclose is not None:
            await aclose()


def parts_of(stream: typing.Any, network: Network) -> Parts:
    """The parts of a request's body. Raises `RuntimeError` for an async iterable where there is no event loop."""
    if network.realm() is None:
        if not isinstance(stream, Iterable):
            raise RuntimeError("Attempted to send an async request with a sync Client instance.")
        return _SyncParts(iter(stream), network)
    if getattr(stream, "reads_files", False) or not isinstance(stream, AsyncIterable):
        return _SyncParts(iter(stream), network)
    return _AsyncParts(stream.__aiter__())


async def in_time(network: Network, sending: Coroutine[typing.Any, typing.Any, None], timeouts: Timeouts) -> None:
    """Send a body, until the deadline for the whole exchange at most: where parts that keep us waiting do not block, they can be left."""
    if network.realm() is None or not isinstance(timeouts, Countdown):
        await sending
        return
    try:
        await network.within(sending, timeouts.deadline - time.monotonic() + _GRACE)
    except TimeoutError as error:
        if time.monotonic() < timeouts.deadline:
            raise  # it is the body's own
        raise WriteTimeout(
            f"The content of the request was not complete within the {timeouts.total:g} seconds for the whole exchange."
        ) from error


def check_length(sent: int, length: int | None) -> None:
    """Raise `LocalProtocolError` if `sent` bytes are not what the fields of the request have promised."""
    if sent != (length or 0):
        if length is None:
            raise LocalProtocolError("The request has content, but neither Content-Length nor Transfer-Encoding.")
        amount = (
            f"little data for declared Content-Length: {sent}"
            if sent < length
            else f"much data for declared Content-Length: at least {sent}"
        )
        raise LocalProtocolError(f"Too {amount} bytes, where it says {length}.")


def continue_patience(timeouts: Timeouts) -> float:
    """Seconds to wait for "100 Continue" before the body is sent all the same (RFC 9110 section 10.1.1)."""
    return min(_CONTINUE_PATIENCE, timeouts.get("read") or _CONTINUE_PATIENCE)


def is_replayable(request: Request) -> bool:
    """Whether the body of `request` can be sent once more: it is in memory, in a file that can go back, or what can be iterated again."""
    return bool(getattr(request.stream, "can_repeat", False))


def is_repeatable(request: Request) -> bool:
    """Whether `request` may be sent once more although the server may have acted on it (RFC 9110 section 9.2.2)."""
    return request.method in IDEMPOTENT and is_replayable(request)
