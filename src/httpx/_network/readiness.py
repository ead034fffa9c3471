"""Whether a socket has something to read, asked without waiting and without taking it."""

from __future__ import annotations

import select
import socket
import typing


class Readiness:
    """Asks about one socket, again and again: making a poll object costs more than asking it. Windows has none."""

    __slots__ = ("_ask", "_socket")

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._ask: typing.Callable[[int], list[typing.Any]] | None = None
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(connection.fileno(), select.POLLIN)
            self._ask = poll.poll

    def is_readable(self) -> bool:
        """Whether there are bytes, or the end, or an error."""
        if self._ask is not None:
            return bool(self._ask(0))
        return bool(select.select([self._socket], [], [], 0)[0])
