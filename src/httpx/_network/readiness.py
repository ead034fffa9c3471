"""Whether a socket has something to read, asked without waiting and without taking it."""

from __future__ import annotations

import functools
import select
import socket
from collections.abc import Callable


def readiness(connection: socket.socket) -> Callable[[], object]:
    """A function whose result is true if there are bytes, or the end, or an error.

    It is asked again and again: making a poll object costs more than asking it. Windows has none.
    """
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        return functools.partial(poll.poll, 0)
    return lambda: select.select([connection], [], [], 0)[0]
