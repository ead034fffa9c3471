"""Bodies as streams of bytes: what a request sends, and what a transport returns."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

from .files import AsyncFileReader, FileReader, position
from .stages import Pieces


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

    can_repeat = True

    def __init__(self, stream: bytes) -> None:
        self._bytes = stream

    def __iter__(self) -> Iterator[bytes]:
        yield self._bytes

    def __aiter__(self) -> AsyncIterator[bytes]:
        return Pieces((self._bytes,))


class IteratorByteStream(SyncByteStream):
    """A body from an iterable of bytes, or from a file, which goes out from where it stands.

    It can be iterated again if the iterable can, or if the file can go back; else `StreamConsumed` is raised.
    """

    reads_files = True
    """Iterating it runs a caller's iterator: not to be done on an event loop."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._reader = FileReader(stream, start=position(stream))

    @property
    def can_repeat(self) -> bool:
        """Whether it can be iterated once more."""
        return self._reader.can_repeat

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._reader)


class AsyncIteratorByteStream(AsyncByteStream):
    """A body from an async iterable of bytes or an async file; what runs only once then raises `StreamConsumed`."""

    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._async_reader = AsyncFileReader(stream, start=None)

    @property
    def can_repeat(self) -> bool:
        """Whether it can be iterated once more."""
        return self._async_reader.can_repeat

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._async_reader.__aiter__()
