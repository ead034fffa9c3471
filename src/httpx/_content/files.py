"""Files and iterables of bytes that a caller gives as content: how long they are, how they are read, and read again."""

from __future__ import annotations

import io
import os
import typing
from collections.abc import AsyncGenerator, AsyncIterable, Iterator

from .._exceptions import StreamConsumed

READ_SIZE = 262_144


def is_async_file(content: object) -> bool:
    """Whether `content` is an async iterable, or a file whose `read` is a coroutine function."""
    if isinstance(content, AsyncIterable):
        return True
    read = getattr(content, "read", None)
    if read is None or isinstance(content, io.IOBase):
        return False
    import inspect

    return inspect.iscoroutinefunction(read)


def total_length(content: typing.Any) -> int | None:
    """The size of a file, None if it cannot be told. Asked of the file itself: the system knows only what is on the disk."""
    if isinstance(content, os.PathLike):
        return os.stat(content).st_size
    place = _places(content)
    return None if place is None else place[1]


def remaining_length(content: typing.Any) -> int | None:
    """How much of a file follows its present position, None if it cannot be told."""
    if isinstance(content, os.PathLike):
        return os.stat(content).st_size
    place = _places(content)
    return None if place is None else max(place[1] - place[0], 0)


def position(content: typing.Any) -> int | None:
    """The position of a file that can return to it, else None."""
    try:
        return int(content.tell()) if content.seekable() else None
    except (AttributeError, OSError, ValueError):
        return None


def _places(file: typing.Any) -> tuple[int, int] | None:
    if not hasattr(file, "read"):
        return None
    try:
        start = int(file.tell())
        end = file.seek(0, os.SEEK_END)
        end = int(file.tell() if end is None else end)
        file.seek(start)
    except (AttributeError, OSError, ValueError):
        # A pipe, or a file whose end is known only to who has read it, such as one that decompresses.
        return None
    return start, end


class _Reader:
    def __init__(self, content: typing.Any, start: int | None) -> None:
        if isinstance(content, io.TextIOBase):
            raise TypeError("A file to be sent must be opened in binary mode ('rb'), not text mode: it is bytes that go over the wire.")
        self._content = content
        self._start = start
        self._has_begun = False

    @property
    def can_repeat(self) -> bool:
        """Whether it can be iterated now: for the first time, or once more."""
        content = self._content
        if not self._has_begun or isinstance(content, os.PathLike):
            return True
        if hasattr(content, "read"):
            return self._start is not None
        return not (hasattr(content, "__next__") or hasattr(content, "__anext__"))

    def _begin(self, is_repeatable: bool) -> None:
        if self._has_begun and not is_repeatable:
            raise StreamConsumed()
        self._has_begun = True


class FileReader(_Reader):
    """Iterates the bytes of a file, from `start` each time, of the file at a path, or of an iterable.

    An iterator, and a file that cannot go back, can be read once: then `StreamConsumed` is raised. Raises `TypeError` for
    a file in text mode.
    """

    def __iter__(self) -> Iterator[bytes]:
        content = self._content
        if isinstance(content, os.PathLike):
            with open(content, "rb") as file:
                while part := file.read(READ_SIZE):
                    yield part
            return
        if not hasattr(content, "read"):
            self._begin(is_repeatable=not hasattr(content, "__next__"))
            yield from content
            return
        self._begin(is_repeatable=self._rewind())
        while part := content.read(READ_SIZE):
            yield part

    def _rewind(self) -> bool:
        if self._start is None:
            return False
        try:
            self._content.seek(self._start)
        except (AttributeError, OSError):
            return False
        return True


class AsyncFileReader(_Reader):
    """Iterates the bytes of an async file or an async iterable, as `FileReader` does those of a sync one."""

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        content = self._content
        if hasattr(content, "read"):
            self._begin(is_repeatable=await self._rewind())
            while part := await content.read(READ_SIZE):
                yield part
            return
        runs_once = hasattr(content, "__anext__")
        self._begin(is_repeatable=not runs_once)
        try:
            async for part in content:
                yield part
        finally:
            # A generator that is left in the middle is closed here and now, not by the garbage collector.
            aclose: typing.Any = getattr(content, "aclose", None)
            if aclose is not None and runs_once:
                await aclose()

    async def _rewind(self) -> bool:
        if self._start is None:
            return False
        try:
            await self._content.seek(self._start)
        except (AttributeError, OSError, TypeError):
            return False
        return True
