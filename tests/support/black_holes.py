"""Addresses of the loopback that never answer: connecting to them neither succeeds nor fails."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import sys
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def black_hole(host: str, port: int = 0) -> Iterator[int]:
    """Let nobody in at `host`: a listener whose queue is full drops what else arrives. Gives the port."""
    if sys.platform != "linux":
        pytest.skip("only Linux drops connection attempts when the queue of a listener is full")
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        address = listener.getsockname()
        while True:
            filler = stack.enter_context(socket.socket(listener.family))
            filler.setblocking(False)
            assert filler.connect_ex(address) in (0, errno.EINPROGRESS)
            if not select.select([], [filler], [], 0.05)[1]:
                break  # this one waits: the queue is full
        yield address[1]
