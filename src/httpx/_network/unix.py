"""Unix domain sockets: connecting takes no time, unless the server's queue is full."""

from __future__ import annotations

import errno
import os
import socket
import time
import typing
from collections.abc import Iterable

from .._exceptions import ConnectError, ConnectTimeout
from .addresses import reason
from .base import Network
from .words import seconds

_CONNECTED = (0, errno.EISCONN)
_NOT_YET = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINPROGRESS, errno.EALREADY)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05


async def connect_unix(network: Network, path: str, timeout: float | None, options: Iterable[typing.Any]) -> socket.socket:
    """A non-blocking socket, connected to `path`. Raises `ConnectError` or `ConnectTimeout`.

    A server whose queue is full has no room for it yet. The kernel lets those wait for some who block and nobody else (EAGAIN), and tells
    nobody when there is: so it is asked again.
    """
    deadline = float("inf") if timeout is None else time.monotonic() + timeout
    pause = _FIRST_PAUSE
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        for option in options:
            if option[0] == socket.SOL_SOCKET:  # others are those of TCP
                connection.setsockopt(*option)
        connection.setblocking(False)
        while (code := connection.connect_ex(path)) not in _CONNECTED:
            if code not in _NOT_YET:
                raise OSError(code, os.strerror(code))
            left = deadline - time.monotonic()
            if left <= 0:
                raise ConnectTimeout(f"Connecting to {path} took longer than {seconds(timeout)}: the queue of the server is full.")
            await network.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE)
    except OSError as error:
        connection.close()
        raise ConnectError(f"Could not connect to {path}: {reason(error)}") from error
    except BaseException:
        connection.close()
        raise
    return connection
