"""The network on blocking sockets, for threads."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import struct
import sys
import threading
import time
import typing

from .addresses import connect_error, connect_timeout, new_socket
from .base import Farewell, SocketOption, Stream, T, Waiter
from .race import Address, Race
from .readiness import readiness
from .streams import MAX_READ_SIZE, MIN_READ_SIZE, SocketStream
from .unix import connect_unix
from .words import accepts_no_more, handshake_timeout, nothing_accepted, nothing_arrived, receiving_failed, sending_failed

if typing.TYPE_CHECKING:
    import concurrent.futures
    import ssl


_HAS_KERNEL_TIMEOUTS = sys.platform != "win32"


class BlockingStream(SocketStream):
    """A byte stream on one plain socket.

    It uses the kernel's own time-outs: with Python's, each operation is preceded by a poll, one system call more.
    """

    __slots__ = ("_is_readable", "_read_size", "_timeouts")

    def __init__(self, connection: socket.socket, peer: str) -> None:
        super().__init__(connection, peer)
        connection.settimeout(None)
        self._timeouts: list[float | None] = [None, None]  # the kernel's, as they are set: receiving, sending
        self._is_readable: typing.Callable[[], object] | None = None
        self._read_size = MIN_READ_SIZE

    async def receive(self, timeout: float | None) -> bytes:
        try:
            if self._timeouts[0] != timeout:
                self._set_timeout(0, timeout)
            data = self._socket.recv(self._read_size)
        except (BlockingIOError, TimeoutError) as error:
            raise nothing_arrived(self.peer, timeout) from error
        except OSError as error:
            raise receiving_failed(self.peer, error) from error
        if len(data) == self._read_size < MAX_READ_SIZE:
            self._read_size *= 2
        return data

    async def send(self, data: bytes, timeout: float | None) -> None:
        try:
            if self._timeouts[1] != timeout:
                self._set_timeout(1, timeout)
            started = time.monotonic()
            sent = self._socket.send(data)
            while sent < len(data):
                # It was cut short, mostly by the time-out: a peer that takes a little from time to time does not get more of it.
                if timeout is not None:
                    self._set_timeout(1, _left_of(timeout, started))
                sent += self._socket.send(memoryview(data)[sent:])
        except (BlockingIOError, TimeoutError) as error:
            raise nothing_accepted(self.peer, timeout) from error
        except OSError as error:
            raise sending_failed(self.peer, error) from error

    def send_now(self, data: bytes) -> bool:
        try:
            sent = self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError as error:
            raise sending_failed(self.peer, error) from error
        if sent < len(data):
            raise accepts_no_more(self.peer)
        return True

    def share(self) -> Stream:
        if _HAS_KERNEL_TIMEOUTS:
            return self  # they are one for each direction, and a plain socket is for any number of threads
        from .shared import SharedStream

        return SharedStream(self._socket, self.peer)

    def _set_timeout(self, direction: int, timeout: float | None) -> None:
        if not _HAS_KERNEL_TIMEOUTS:
            self._socket.settimeout(timeout)
            self._timeouts = [timeout, timeout]
            return
        # 0 would mean "for ever" to the kernel.
        micros = 0 if timeout is None else max(int(timeout * 1_000_000), 1)
        option = socket.SO_RCVTIMEO if direction == 0 else socket.SO_SNDTIMEO
        self._socket.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", micros // 1_000_000, micros % 1_000_000))
        self._timeouts[direction] = timeout

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> Stream:
        from .shared import SharedStream, hides_cuts

        if hides_cuts(context):
            from .tls_stream import start_tls_over

            return await start_tls_over(self, context, server_hostname, timeout)
        self._socket.settimeout(timeout)
        try:
            if sys.version_info < (3, 13):
                self._socket.getpeername()  # if the peer has hung up: `ssl` would raise, too, and leave the socket open
            encrypted = context.wrap_socket(
                self._socket, server_hostname=server_hostname, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
            self._socket = encrypted  # closes in place of the one that it was made of
            encrypted.do_handshake()
        except TimeoutError as error:
            raise handshake_timeout(self.peer, timeout) from error
        except (OSError, ValueError) as error:
            from .failures import handshake_error

            raise handshake_error(error, self.peer, context) from error
        return SharedStream(encrypted, self.peer)

    def receive_nowait(self) -> bytes | None:
        if self.is_quiet():
            return None
        try:
            return self._socket.recv(self._read_size)
        except BlockingIOError:
            return None
        except OSError as error:
            raise receiving_failed(self.peer, error) from error

    def is_quiet(self) -> bool:
        if self._is_readable is None:
            self._is_readable = readiness(self._socket)
        return not self._is_readable()

    def close(self, last_words: bytes = b"") -> None:
        if last_words:
            try:
                self._socket.settimeout(0)
                self._socket.send(last_words)
            except (OSError, ValueError):
                pass
            except BaseException:  # a signal, say
                self._socket.close()
                raise
        self._hang_up()


class ThreadWaiter:
    """One thread that waits for another one."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def __await__(self) -> typing.Generator[typing.Any, typing.Any, None]:
        self.wait(None)
        yield from ()  # nothing here suspends

    def wait(self, timeout: float | None) -> bool:
        return self._lock.acquire(timeout=-1 if timeout is None else max(timeout, 0))

    def done(self) -> bool:
        return not self._lock.locked()

    def set_result(self, result: bool, /) -> None:
        self._lock.release()


class BlockingNetwork:
    """Blocking sockets; nothing in here ever suspends."""

    def realm(self) -> None:
        return None

    async def connect(
        self,
        peer: str,
        addresses: typing.Sequence[Address],
        timeout: float | None,
        *,
        local_address: str | None,
        socket_options: typing.Sequence[SocketOption],
    ) -> BlockingStream:
        deadline = None if timeout is None else time.monotonic() + timeout
        if len(addresses) > 1:
            return BlockingStream(_win(Race(addresses, timeout), peer, timeout, local_address, socket_options), peer)
        try:
            connection = new_socket(addresses[0][0], local_address, socket_options)
            _connect_until(connection, addresses[0][1], deadline)
        except TimeoutError as error:
            if error.errno is None:
                raise connect_timeout(peer, timeout) from error
            raise connect_error(peer, [(addresses[0], error)]) from error
        except OSError as error:
            raise connect_error(peer, [(addresses[0], error)]) from error
        return BlockingStream(connection, peer)

    async def connect_unix(self, path: str, timeout: float | None, socket_options: typing.Sequence[SocketOption]) -> BlockingStream:
        return BlockingStream(await connect_unix(self, path, timeout, socket_options), path)

    def waiter(self) -> ThreadWaiter:
        return ThreadWaiter()

    def waiters(self) -> typing.Callable[[], ThreadWaiter]:
        return ThreadWaiter

    async def wait(self, waiter: Waiter, timeout: float | None) -> bool:
        return typing.cast(ThreadWaiter, waiter).wait(timeout)

    async def in_thread(self, function: typing.Callable[[], T]) -> T:
        return function()

    async def outcome(self, future: concurrent.futures.Future[T], timeout: float | None) -> T:
        return future.result(timeout)

    async def within(self, awaitable: typing.Awaitable[T], timeout: float | None) -> T:
        if isinstance(awaitable, typing.Coroutine):
            awaitable.close()
        raise TypeError("An async function was given to a synchronous client, which has no event loop for it: use httpx.AsyncClient.")

    def spawn(self, work: typing.Callable[[], typing.Coroutine[typing.Any, typing.Any, None]]) -> typing.Callable[[], None]:
        raise RuntimeError("There is nothing beside a thread: this needs an event loop.")

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def pause(self) -> None:
        return None

    async def until_end(self, on_end: typing.Callable[[], None]) -> Farewell | None:
        return None

    async def settle(self) -> None:
        return None


def _left_of(timeout: float, started: float) -> float:
    left = started + timeout - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connect_until(connection: socket.socket, address: typing.Any, deadline: float | None) -> None:
    try:
        if deadline is not None:
            connection.settimeout(max(deadline - time.monotonic(), 0.000_001))
        connection.connect(address)
    except BaseException:
        connection.close()
        raise


def _win(
    race: Race, peer: str, timeout: float | None, local_address: str | None, socket_options: typing.Sequence[SocketOption]
) -> socket.socket:
    # Connect to whichever address answers first.
    deadline = float("inf") if timeout is None else time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        try:
            while not race.is_lost:
                _start_due(race, selector, local_address, socket_options)
                now = time.monotonic()
                if now >= deadline:
                    raise connect_timeout(peer, timeout, race)
                waits = [wait for wait in (race.patience(now), deadline - now) if wait is not None and wait != float("inf")]
                winner = _settled(race, selector, min(waits, default=None))
                if winner is not None:
                    return winner
            raise connect_error(peer, race.failures)
        finally:
            for key in list(selector.get_map().values()):
                typing.cast(socket.socket, key.fileobj).close()


def _settled(race: Race, selector: selectors.BaseSelector, wait: float | None) -> socket.socket | None:
    # Wait until an attempt has ended, and tell the race of those that failed.
    for key, _ in selector.select(wait) if selector.get_map() else []:
        connection = typing.cast(socket.socket, key.fileobj)
        selector.unregister(connection)
        code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not code:
            return connection
        connection.close()
        race.failed(key.data, OSError(code, os.strerror(code)), time.monotonic())
    return None


def _start_due(
    race: Race, selector: selectors.BaseSelector, local_address: str | None, socket_options: typing.Sequence[SocketOption]
) -> None:
    while (address := race.next(time.monotonic())) is not None:
        connection: socket.socket | None = None
        try:
            connection = new_socket(address[0], local_address, socket_options)
            connection.setblocking(False)
            if (code := connection.connect_ex(address[1])) not in _IN_PROGRESS:
                raise OSError(code, os.strerror(code))
            selector.register(connection, selectors.EVENT_WRITE, address)
        except OSError as error:
            if connection is not None:
                connection.close()
            race.failed(address, error, time.monotonic())


_IN_PROGRESS = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0))
