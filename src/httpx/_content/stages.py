"""Bodies in stages, asynchronously: pieces in, pieces out.

An async generator that is left before its end needs an event loop to clear it up, and trio warns of it. These are plain
objects, which need nobody.
"""

from __future__ import annotations

import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

In = typing.TypeVar("In")
Out = typing.TypeVar("Out")


class Stage(AsyncIterator[Out], typing.Generic[In, Out]):
    """Takes pieces from `source`, made when the first one is wanted, and gives what `feed` makes of them, at last that of `finish`.

    `close` is awaited at the end, after an error, and by `aclose()`.
    """

    __slots__ = ("_close", "_feed", "_finish", "_is_over", "_make_source", "_pieces", "_source")

    def __init__(
        self,
        source: Callable[[], AsyncIterator[In]],
        feed: Callable[[In], Iterable[Out]],
        finish: Callable[[], Iterable[Out]] = tuple,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._make_source = source
        self._source: AsyncIterator[In] | None = None
        self._feed = feed
        self._finish = finish
        self._close = close
        self._pieces: Iterator[Out] = iter(())
        self._is_over = False

    async def __anext__(self) -> Out:
        try:
            while True:
                for piece in self._pieces:
                    return piece
                if self._is_over:
                    break
                if self._source is None:
                    self._source = self._make_source()
                try:
                    arrived = await self._source.__anext__()
                except StopAsyncIteration:
                    self._is_over = True
                    self._pieces = iter(self._finish())
                else:
                    self._pieces = iter(self._feed(arrived))
        except BaseException:
            await self.aclose()
            raise
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Give nothing more, and close what lies below."""
        self._is_over = True
        self._pieces = iter(())
        close, self._close = self._close, None
        source, self._source = self._source, None
        try:
            if source is not None and (close_source := getattr(source, "aclose", None)) is not None:
                await close_source()
        finally:
            if close is not None:
                await close()


class Pieces(AsyncIterator[Out]):
    """What is in memory already, for `async for`."""

    __slots__ = ("_pieces",)

    def __init__(self, pieces: Iterable[Out]) -> None:
        self._pieces = iter(pieces)

    async def __anext__(self) -> Out:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Give nothing more."""
        self._pieces = iter(())
