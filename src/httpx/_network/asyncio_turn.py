"""What the streams of one event loop have in common: the buffer for what arrives, and what goes out together."""

from __future__ import annotations

import asyncio
import collections
import time
import typing
import weakref

from .._exceptions import WriteError
from .words import sending_failed

if typing.TYPE_CHECKING:
    from .asyncio_network import AsyncioStream

BUFFER_SIZE = 262_144
"""Bytes received, or decrypted, at a time."""

_SMALL = 16_384  # bytes that a message holds at most to wait for others
_PATIENCE = 0.001  # seconds from the arrival of what tasks were woken for, after which nothing waits for them any more

_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Turn] = weakref.WeakKeyDictionary()


class Turn:
    """The turns of one event loop.

    Where many tasks have a request under way, several answers arrive in one turn of the event loop, and the tasks that it wakes send their
    next requests. These go out together when the last of them has run. One by one, each would find the processor's caches filled with
    other things and the server asleep: that takes a quarter of a request's CPU time, and more until the answers are there.

    A task that nobody else was woken with sends at once, and so do all when a task has taken its time.
    """

    __slots__ = ("__weakref__", "began", "buffer", "held", "woken")

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(BUFFER_SIZE))
        self.woken = 0  # tasks that have been woken to receive, and have not run yet
        self.began = 0.0  # when the first of them was
        self.held: collections.deque[tuple[AsyncioStream, bytes]] = collections.deque()

    def holds(self, stream: AsyncioStream, data: bytes) -> bool:
        """Whether `data` waits to be sent with what other tasks send; else what has waited has been sent, and it is next."""
        if self.woken and len(data) <= _SMALL and time.monotonic() - self.began < _PATIENCE:
            if not self.held:
                stream._loop.call_soon(self.send)  # the last of the tasks may have nothing to send
            self.held.append((stream, data))
            return True
        if self.held:
            self.send()
        return False

    def send(self) -> None:
        """Send what has waited. Whose connection is broken is told when it receives."""
        while self.held:
            stream, data = self.held.popleft()
            try:
                stream._send_at_once(data)
            except WriteError as error:
                stream._break(error)
            except BaseException:  # a signal, say
                stream._break(sending_failed(stream.peer, "it was interrupted"))
                raise


def turn_of(loop: asyncio.AbstractEventLoop) -> Turn:
    """What the streams of this event loop have in common."""
    return _turns.get(loop) or _turns.setdefault(loop, Turn())
