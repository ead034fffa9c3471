"""What the byte streams have in common, whoever waits for them."""

from __future__ import annotations

import contextlib
import socket
import typing

from .._exceptions import ConnectError, ReadError

if typing.TYPE_CHECKING:
    from .._tls.info import TLSInfo

MIN_READ_SIZE, MAX_READ_SIZE = 16_384, 262_144
"""Bytes that a read asks for. Most responses are smaller; a read that is filled doubles the size of the next one."""


class PeekingStream:
    """A stream that finds out whether it is quiet by receiving: what it comes upon is kept for who receives next."""

    __slots__ = ("_peeked", "ended_cleanly", "peer", "tls")

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.ended_cleanly = True
        self.tls: TLSInfo | None = None
        self._peeked: bytes | Exception = b""

    def receive_nowait(self) -> bytes | None:
        raise NotImplementedError("How to receive depends on who waits.")

    def is_quiet(self) -> bool:
        if self._peeked:
            return False
        try:
            data = self.receive_nowait()
        except (ReadError, ConnectError) as error:
            self._peeked = error
            return False
        self._peeked = data or b""
        return data is None

    def _take_peeked(self) -> bytes:
        # A failure may hold the reason why the server hangs up.
        peeked, self._peeked = self._peeked, b""
        if isinstance(peeked, Exception):
            raise peeked
        return peeked


class SocketStream(PeekingStream):
    """A stream on one socket."""

    __slots__ = ("_socket",)

    keeps_unsent = False

    def __init__(self, connection: socket.socket, peer: str) -> None:
        super().__init__(peer)
        self._socket = connection

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            try:
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # wakes a thread that waits for data; also where it is of `ssl`
            finally:
                self._socket.close()

    def abandon(self) -> None:
        self._socket.close()

    def info(self, name: str) -> typing.Any:
        if name == "socket":
            return self._socket
        if name == "client_addr":
            return self._socket.getsockname()
        if name == "server_addr":
            return self._socket.getpeername()
        if name == "is_readable":
            return not self.is_quiet()
        return None
