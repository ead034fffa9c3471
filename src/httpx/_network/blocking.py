"""The network on blocking sockets, for threads."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import sys
import threading
import time
import typing

from .._exceptions import ConnectError, ConnectTimeout, ReadTimeout, WriteError, WriteTimeout
from .addresses import connect_error, literal_address, look_up_within, new_socket, peer_name, reason
from .base import SocketOption, T
from .failures import handshake_error, read_error

_MIN_READ_SIZE = 16_384  # most responses are smaller; a read that is filled doubles the size of the next one
_MAX_READ_SIZE = 262_144
_HAS_KERNEL_TIMEOUTS = sys.platform != "win32"


class BlockingStream:
    """A byte stream on one socket.

    Plain sockets use the kernel's own time-outs: with Python's, each operation is preceded by a poll, one system call
    more. `ssl` knows only Python's.
    """

    __slots__ = ("_deadlines", "_poll", "_read_size", "_secure", "_socket", "ended_cleanly", "peer")

    def __init__(self, connection: socket.socket, peer: str) -> None:
        connection.settimeout(None)
        self._socket = connection
        self._secure = False
        self._deadlines: list[float | None] = [None, None]  # kernel time-outs in force: receiving, sending
        self._poll: typing.Any = None
        self._read_size = _MIN_READ_SIZE
        self.peer = peer
        self.ended_cleanly = True

    async def receive(self, timeout: float | None) -> bytes:
        try:
            self._set_timeout(0, timeout)
            data = self._socket.recv(self._read_size)
        except (BlockingIOError, TimeoutError, ssl.SSLWantReadError) as error:
            raise ReadTimeout(f"Nothing arrived from {self.peer} for {timeout or 0:g} seconds.") from error
        except ssl.SSLEOFError:
            self.ended_cleanly = False
            return b""
        except OSError as error:
            raise read_error(error, self.peer) from error
        if len(data) == self._read_size < _MAX_READ_SIZE:
            self._read_size *= 2
        return data

    async def send(self, data: bytes, timeout: float | None) -> None:
        try:
            self._set_timeout(1, timeout)
            self._socket.sendall(data)
        except (BlockingIOError, TimeoutError, ssl.SSLWantWriteError) as error:
            raise WriteTimeout(f"{self.peer} accepted no data for {timeout or 0:g} seconds.") from error
        except OSError as error:
            raise WriteError(f"Sending to {self.peer} failed: {error}") from error

    def _set_timeout(self, direction: int, timeout: float | None) -> None:
        if self._deadlines[direction] == timeout:
            return
        if self._secure or not _HAS_KERNEL_TIMEOUTS:
            self._socket.settimeout(timeout)
            self._deadlines = [timeout, timeout]
            return
        # 0 would mean "for ever" to the kernel.
        micros = 0 if timeout is None else max(int(timeout * 1_000_000), 1)
        option = socket.SO_RCVTIMEO if direction == 0 else socket.SO_SNDTIMEO
        self._socket.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", micros // 1_000_000, micros % 1_000_000))
        self._deadlines[direction] = timeout

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> None:
        plain = self._socket
        plain.settimeout(timeout)
        try:
            self._socket = context.wrap_socket(
                plain, server_hostname=server_hostname, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
            self._socket.do_handshake()
        except TimeoutError as error:
            raise ConnectTimeout(f"The TLS handshake with {self.peer} took longer than {timeout or 0:g} seconds.") from error
        except (OSError, ValueError) as error:
            raise handshake_error(error, self.peer, context) from error
        self._secure = True
        self._deadlines = [timeout, timeout]

    def is_quiet(self) -> bool:
        if self._poll is None:
            self._poll = _Readiness(self._socket)
        if not self._poll.is_readable():
            return True
        if not self._secure:
            return False
        # Readable need not mean data: TLS 1.3 sends session tickets of its own accord.
        try:
            self._socket.settimeout(0)
            self._deadlines = [0, 0]
            self._socket.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        if self._secure:
            self._secure = False
            try:
                # Says goodbye (close_notify) if that takes no waiting.
                self._socket.settimeout(0)
                typing.cast(ssl.SSLSocket, self._socket).unwrap()
            except (OSError, ValueError):
                pass
        self._socket.close()

    def info(self, name: str) -> typing.Any:
        if name == "socket":
            return self._socket
        if name == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        if name == "client_addr":
            return self._socket.getsockname()
        if name == "server_addr":
            return self._socket.getpeername()
        if name == "is_readable":
            return not self.is_quiet()
        return None


class _Readiness:
    # One poll object per connection: making one costs more than asking it. Windows has no poll.
    __slots__ = ("_ask", "_socket")

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._ask: typing.Callable[[int], list[typing.Any]] | None = None
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(connection.fileno(), select.POLLIN)
            self._ask = poll.poll

    def is_readable(self) -> bool:
        if self._ask is not None:
            return bool(self._ask(0))
        return bool(select.select([self._socket], [], [], 0)[0])


class ThreadWaiter:
    """One thread that waits for another one."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    async def wait(self, timeout: float | None) -> bool:
        return self._lock.acquire(timeout=-1 if timeout is None else max(timeout, 0))

    def wake(self) -> None:
        self._lock.release()


class BlockingNetwork:
    """Blocking sockets; nothing in here ever suspends."""

    async def connect(
        self,
        host: str,
        port: int,
        timeout: float | None,
        *,
        local_address: str | None,
        socket_options: typing.Sequence[SocketOption],
    ) -> BlockingStream:
        deadline = None if timeout is None else time.monotonic() + timeout
        addresses = literal_address(host, port) or look_up_within(host, port, timeout)
        failures: list[tuple[typing.Any, OSError]] = []
        for family, address in addresses:
            try:
                connection = new_socket(family, local_address, socket_options)
                _connect_until(connection, address, deadline)
            except TimeoutError as error:
                raise ConnectTimeout(f"Connecting to {peer_name(host, port)} took longer than {timeout or 0:g} seconds.") from error
            except OSError as error:
                failures.append((address, error))
                continue
            return BlockingStream(connection, peer_name(host, port))
        raise connect_error(host, port, failures)

    async def connect_unix(self, path: str, timeout: float | None) -> BlockingStream:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _connect_until(connection, path, None if timeout is None else time.monotonic() + timeout)
        except TimeoutError as error:
            raise ConnectTimeout(f"Connecting to {path} took longer than {timeout or 0:g} seconds.") from error
        except OSError as error:
            raise ConnectError(f"Could not connect to {path}: {reason(error)}") from error
        return BlockingStream(connection, path)

    def waiter(self) -> ThreadWaiter:
        return ThreadWaiter()

    async def in_thread(self, function: typing.Callable[[], T]) -> T:
        return function()

    async def settle(self) -> None:
        return None

    def realm(self) -> object:
        return None


def _connect_until(connection: socket.socket, address: typing.Any, deadline: float | None) -> None:
    try:
        if deadline is not None:
            connection.settimeout(max(deadline - time.monotonic(), 0.000_001))
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
