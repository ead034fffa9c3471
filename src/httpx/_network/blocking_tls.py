"""TLS on a blocking socket, as `ssl` has it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
import typing

from .._exceptions import ConnectError, ReadError, ReadTimeout, WriteError, WriteTimeout
from .addresses import seconds
from .base import Stream
from .failures import hand_over, read_error
from .readiness import readiness
from .shared import SharedStream

if typing.TYPE_CHECKING:
    from .._tls.info import TLSInfo

_TOLERANCE = 0.05  # seconds: setting a time-out is a system call
_READ_SIZE = 16_384  # a read gives one record, and none holds more (RFC 8446 section 5.1)


class BlockingTLSStream:
    """An encrypted byte stream on one socket, after the handshake.

    `ssl` knows no time-outs but Python's, which are one for both directions.
    """

    __slots__ = ("_early", "_is_readable", "_socket", "_timeout", "ended_cleanly", "peer", "tls")

    keeps_unsent = False

    def __init__(self, encrypted: ssl.SSLSocket, peer: str, timeout: float | None) -> None:
        self._socket = encrypted
        self._timeout = timeout  # as the socket has it
        self._early: bytes | Exception = b""  # what `is_quiet` came upon, and nobody has received yet
        self._is_readable: typing.Callable[[], object] | None = None
        self.peer = peer
        self.ended_cleanly = True
        self.tls: TLSInfo | None = None

    async def receive(self, timeout: float | None) -> bytes:
        if self._early:
            early, self._early = self._early, b""
            return hand_over(early)
        try:
            if self._timeout != timeout:
                self._set_timeout(timeout)
            return self._socket.read(_READ_SIZE)
        except (BlockingIOError, TimeoutError, ssl.SSLWantReadError) as error:
            raise ReadTimeout(f"Nothing arrived from {self.peer} for {seconds(timeout)}.") from error
        except ssl.SSLEOFError:
            self.ended_cleanly = False
            return b""
        except (OSError, ValueError) as error:
            raise read_error(error, self.peer) from error

    async def send(self, data: bytes, timeout: float | None) -> None:
        try:
            if self._timeout != timeout:
                self._set_timeout(timeout)
            deadline = None if timeout is None else time.monotonic() + timeout
            sent = self._socket.send(data)
            while sent < len(data):  # OpenSSL takes one record at a time
                if deadline is not None and timeout is not None:
                    # A peer that takes a little from time to time does not get more time for it.
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise TimeoutError
                    if left < (self._timeout or 0.0) - _TOLERANCE:
                        self._set_timeout(left)
                sent += self._socket.send(memoryview(data)[sent:])
        except (BlockingIOError, TimeoutError, ssl.SSLWantWriteError) as error:
            raise WriteTimeout(f"{self.peer} accepted no data for {seconds(timeout)}.") from error
        except (OSError, ValueError) as error:
            raise WriteError(f"Sending to {self.peer} failed: {error}") from error

    def send_now(self, data: bytes) -> bool:
        try:
            self._set_timeout(0)
            sent = self._socket.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except (OSError, ValueError) as error:
            raise WriteError(f"Sending to {self.peer} failed: {error}") from error
        if sent < len(data):
            raise WriteError(f"{self.peer} accepts no more data.")
        return True

    def share(self) -> Stream:
        return SharedStream(self._socket, self.peer, self._early, self.tls)

    def _set_timeout(self, timeout: float | None) -> None:
        self._socket.settimeout(timeout)
        self._timeout = timeout

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> Stream:
        from .tls_stream import start_tls_over

        return await start_tls_over(self, context, server_hostname, timeout)

    def receive_nowait(self) -> bytes | None:
        if self._early:
            early, self._early = self._early, b""
            return hand_over(early)
        if self._is_readable is None:
            self._is_readable = readiness(self._socket)
        if not self._is_readable():
            return None
        try:
            self._set_timeout(0)
            return self._socket.read(_READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except ssl.SSLEOFError:
            self.ended_cleanly = False
            return b""
        except (OSError, ValueError) as error:
            raise read_error(error, self.peer) from error

    def is_quiet(self) -> bool:
        if self._early:
            return False
        if self._is_readable is None:
            self._is_readable = readiness(self._socket)
        if not self._is_readable():
            return True
        # That need not be data: TLS 1.3 sends session tickets of its own accord.
        try:
            data = self.receive_nowait()
        except (ReadError, ConnectError) as error:
            self._early = error
            return False
        self._early = data or b""
        return data is None

    def close(self, last_words: bytes = b"") -> None:
        try:
            self._set_timeout(0)
            if last_words:
                self._socket.send(last_words)
            self._socket.unwrap()  # says goodbye (close_notify); its answer is not waited for
        except (OSError, ValueError):
            pass
        finally:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # wakes a thread that waits for data
            self._socket.close()

    def abandon(self) -> None:
        self._socket.close()

    def info(self, name: str) -> typing.Any:
        if name in ("socket", "ssl_object"):
            return self._socket
        if name == "client_addr":
            return self._socket.getsockname()
        if name == "server_addr":
            return self._socket.getpeername()
        if name == "is_readable":
            return not self.is_quiet()
        return None
