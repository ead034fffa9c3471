"""Bodies as streams of bytes: what a request sends, and what a transport returns."""

from __future__ import annotations

import typing
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

from .._exceptions import StreamConsumed

_READ_SIZE = 65_536


class SyncByteStream:
    """The body of a message to or from a `Client`: iterate it once, then close it."""

    def __iter__(self) -> Iterator[bytes]:
        raise NotImplementedError(f"{type(self).__name__} must implement __iter__().")

    def close(self) -> None:
        """Let go of what the stream holds, read to its end or not."""


class AsyncByteStream:
    """The body of a message to or from an `AsyncClient`: iterate it once, then close it."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        raise NotImplementedError(f"{type(self).__name__} must implement __aiter__().")
        yield b""

    async def aclose(self) -> None:
        """Let go of what the stream holds, read to its end or not."""


class ByteStream(AsyncByteStream, SyncByteStream):
    """A body that is in memory; it can be iterated any number of times."""

    __slots__ = ("_bytes",)

    def __init__(self, stream: bytes) -> None:
        self._bytes = stream

    def __iter__(self) -> Iterator[bytes]:
        yield self._bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._bytes


class IteratorByteStream(SyncByteStream):
    """A body from an iterable of bytes, or a file; an iterator or a file runs once, then raises `StreamConsumed`."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream
        self._is_stream_consumed = False
        self._runs_once = hasattr(stream, "__next__") or hasattr(stream, "read")

    def __iter__(self) -> Iterator[bytes]:
        if self._is_stream_consumed and self._runs_once:
            raise StreamConsumed()
        self._is_stream_consumed = True
        if hasattr(self._stream, "read"):
            file: typing.Any = self._stream
            while part := file.read(_READ_SIZE):
                yield part
        else:
            yield from self._stream


class AsyncIteratorByteStream(AsyncByteStream):
    """A body from an async iterable of bytes; an async iterator runs once, then raises `StreamConsumed`."""

    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream
        self._is_stream_consumed = False
        self._runs_once = hasattr(stream, "__anext__")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._is_stream_consumed and self._runs_once:
            raise StreamConsumed()
        self._is_stream_consumed = True
        try:
            async for part in self._stream:
                yield part
        finally:
            # A generator that is left in the middle is closed here and now, not by the garbage collector.
            aclose: typing.Any = getattr(self._stream, "aclose", None)
            if aclose is not None and self._runs_once:
                await aclose()
