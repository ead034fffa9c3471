"""The network on trio's own terms: non-blocking sockets, and trio to wait for them.

Every operation is a checkpoint, as trio asks: it lets other tasks run, and a cancellation takes effect in it.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import contextvars
import errno
import os
import socket
import ssl
import typing

import trio

from .._exceptions import WriteTimeout
from .addresses import connect_error, connect_timeout, new_socket
from .base import Farewell, SocketOption, T, Waiter
from .failures import read_error
from .race import Address, Race
from .streams import MAX_READ_SIZE, MIN_READ_SIZE, SocketStream
from .tls_stream import TLSStream, start_tls_over
from .unix import connect_unix
from .words import accepts_no_more, nothing_accepted, nothing_arrived, receiving_failed, sending_failed

_MANY_BYTES = 65_536  # to send that much may keep other tasks waiting
_SHIELDED = 1.0  # seconds that a cancellation waits for a peer to accept what is being sent to it
_IN_PROGRESS = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0))


def _deadline(timeout: float | None) -> float:
    return float("inf") if timeout is None else trio.current_time() + max(timeout, 0)


class TrioStream(SocketStream):
    """A byte stream on one non-blocking socket."""

    __slots__ = ("_read_size",)

    def __init__(self, connection: socket.socket, peer: str) -> None:
        super().__init__(connection, peer)
        self._read_size = MIN_READ_SIZE

    async def receive(self, timeout: float | None) -> bytes:
        await trio.lowlevel.checkpoint_if_cancelled()
        data = self.receive_nowait()
        if data is not None:
            await trio.lowlevel.cancel_shielded_checkpoint()  # the data is ours already: no cancellation may lose it
            return data
        if timeout is None:
            return await self._wait_for_data()
        with trio.move_on_after(max(timeout, 0)):
            return await self._wait_for_data()
        raise nothing_arrived(self.peer, timeout)

    async def _wait_for_data(self) -> bytes:
        while True:
            try:
                await trio.lowlevel.wait_readable(self._socket)
            except (trio.ClosedResourceError, ValueError) as error:
                raise receiving_failed(self.peer, "the connection was closed") from error
            data = self.receive_nowait()
            if data is not None:
                return data

    def receive_nowait(self) -> bytes | None:
        if self._peeked:
            return self._take_peeked()
        try:
            data = self._socket.recv(self._read_size)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            raise read_error(error, self.peer) from error
        if len(data) == self._read_size < MAX_READ_SIZE:
            self._read_size *= 2
        return data

    async def send(self, data: bytes, timeout: float | None) -> None:
        await (trio.lowlevel.checkpoint() if len(data) >= _MANY_BYTES else trio.lowlevel.checkpoint_if_cancelled())
        await self._send_all(data, timeout)

    async def _send_all(self, data: bytes, timeout: float | None) -> None:
        left = memoryview(data)
        until = 0.0
        while left:
            try:
                left = left[self._socket.send(left) :]
            except (BlockingIOError, InterruptedError):
                until = until or _deadline(timeout)
                await self._wait_for_room(until, timeout)
            except OSError as error:
                raise sending_failed(self.peer, error) from error

    async def _wait_for_room(self, until: float, timeout: float | None) -> None:
        # A peer that takes a little from time to time does not get more time for it: `until` is for all that is sent at once.
        try:
            with trio.move_on_at(until):
                await trio.lowlevel.wait_writable(self._socket)
                return
        except (trio.ClosedResourceError, ValueError) as error:
            raise sending_failed(self.peer, "the connection was closed") from error
        raise nothing_accepted(self.peer, timeout)

    def send_now(self, data: bytes) -> bool:
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            raise sending_failed(self.peer, error) from error
        if sent < len(data):
            raise accepts_no_more(self.peer)
        return True

    def share(self) -> SharedTrioStream:
        shared = SharedTrioStream(self._socket, self.peer)
        shared._peeked = self._peeked
        return shared

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> TLSStream:
        return await start_tls_over(self, context, server_hostname, timeout)

    def close(self, last_words: bytes = b"") -> None:
        try:
            if last_words:
                with contextlib.suppress(OSError):
                    self._socket.send(last_words)
            if self._socket.fileno() >= 0:
                with contextlib.suppress(RuntimeError):  # trio has ended, or runs on another thread: nobody waits then
                    trio.lowlevel.notify_closing(self._socket)
        finally:
            self._socket.close()


class SharedTrioStream(TrioStream):
    """A byte stream that serves several tasks: what one of them has begun to send is sent although it is cancelled."""

    __slots__ = ()

    keeps_unsent = True

    async def send(self, data: bytes, timeout: float | None) -> None:
        await self._send_all(data, timeout)  # with no checkpoint before it, at which it could be cancelled

    async def _wait_for_room(self, until: float, timeout: float | None) -> None:
        with trio.CancelScope(deadline=min(until, trio.current_time() + _SHIELDED), shield=True):
            with contextlib.suppress(trio.ClosedResourceError, ValueError):
                await trio.lowlevel.wait_writable(self._socket)
            return
        try:
            await super()._wait_for_room(until, timeout)
        except (trio.Cancelled, WriteTimeout):
            self.close()  # the peer accepts nothing, and what went out ended anywhere
            raise

    def share(self) -> SharedTrioStream:
        return self


class TrioWaiter:
    """One task that waits for another one."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = trio.Event()

    def __await__(self) -> typing.Generator[typing.Any, typing.Any, object]:
        return self._event.wait().__await__()

    def done(self) -> bool:
        return self._event.is_set()

    def set_result(self, result: bool, /) -> None:
        self._event.set()


class SharedTrioWaiter(TrioWaiter):
    """One that any thread may wake."""

    __slots__ = ("_token",)

    def __init__(self) -> None:
        super().__init__()
        self._token = trio.lowlevel.current_trio_token()

    def set_result(self, result: bool, /) -> None:
        with contextlib.suppress(RuntimeError):  # this is no run of trio
            if trio.lowlevel.current_trio_token() is self._token:
                self._event.set()
                return
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._event.set)


class TrioNetwork:
    """Whichever run of trio is the current one."""

    async def connect(
        self,
        peer: str,
        addresses: typing.Sequence[Address],
        timeout: float | None,
        *,
        local_address: str | None,
        socket_options: typing.Sequence[SocketOption],
    ) -> TrioStream:
        race = Race(addresses, timeout)
        with trio.move_on_at(_deadline(timeout)):
            if len(addresses) > 1:
                return TrioStream(await _win(race, peer, local_address, socket_options), peer)
            try:
                return TrioStream(await _connect_socket(addresses[0], local_address, socket_options), peer)
            except OSError as error:
                raise connect_error(peer, [(addresses[0], error)]) from error
        raise connect_timeout(peer, timeout, race if len(addresses) > 1 else None)

    async def connect_unix(self, path: str, timeout: float | None, socket_options: typing.Sequence[SocketOption]) -> TrioStream:
        await trio.lowlevel.checkpoint()
        return TrioStream(await connect_unix(self, path, timeout, socket_options), path)

    waiter = SharedTrioWaiter

    def waiters(self) -> typing.Callable[[], TrioWaiter]:
        return TrioWaiter

    async def wait(self, waiter: Waiter, timeout: float | None) -> bool:
        with trio.move_on_at(_deadline(timeout)):
            await waiter
            return True
        return False

    async def in_thread(self, function: typing.Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(function, abandon_on_cancel=True)

    async def outcome(self, future: concurrent.futures.Future[T], timeout: float | None) -> T:
        is_done = trio.Event()
        token = trio.lowlevel.current_trio_token()

        def tell(_: object) -> None:
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(is_done.set)

        future.add_done_callback(tell)
        with trio.move_on_at(_deadline(timeout)):
            await is_done.wait()
            return future.result()
        raise TimeoutError

    async def within(self, awaitable: typing.Awaitable[T], timeout: float | None) -> T:
        with trio.move_on_at(_deadline(timeout)):
            return await awaitable
        raise TimeoutError

    def spawn(self, work: typing.Callable[[], typing.Coroutine[typing.Any, typing.Any, None]]) -> typing.Callable[[], None]:
        scope = trio.CancelScope()

        async def within_scope() -> None:
            with scope:
                await work()

        trio.lowlevel.spawn_system_task(within_scope, context=contextvars.copy_context())
        return scope.cancel

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)

    async def pause(self) -> None:
        await trio.lowlevel.checkpoint()

    async def until_end(self, on_end: typing.Callable[[], None]) -> Farewell | None:
        return None

    async def settle(self) -> None:
        return None

    def realm(self) -> object:
        return trio.lowlevel.current_trio_token()


async def _connect_socket(address: Address, local_address: str | None, socket_options: typing.Sequence[SocketOption]) -> socket.socket:
    connection = new_socket(address[0], local_address, socket_options)
    try:
        connection.setblocking(False)
        code = connection.connect_ex(address[1])
        if code in _IN_PROGRESS:
            await trio.lowlevel.wait_writable(connection)
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        connection.close()
        raise
    return connection


async def _win(race: Race, peer: str, local_address: str | None, socket_options: typing.Sequence[SocketOption]) -> socket.socket:
    # Connect to whichever address answers first.
    winners: list[socket.socket] = []
    changed = trio.Event()

    async def attempt(address: Address) -> None:
        try:
            winners.append(await _connect_socket(address, local_address, socket_options))
        except OSError as error:
            race.failed(address, error, trio.current_time())
        changed.set()

    try:
        async with trio.open_nursery() as attempts:
            while not race.is_lost and not winners:
                changed = trio.Event()
                while (address := race.next(trio.current_time())) is not None:
                    attempts.start_soon(attempt, address)
                patience = race.patience(trio.current_time())
                with trio.move_on_at(_deadline(patience)):
                    await changed.wait()
            attempts.cancel_scope.cancel()
    except BaseException as error:
        for connection in winners:
            connection.close()
        if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            raise error.exceptions[0] from None  # Control-C, or a mistake in an option: the nursery is nobody else's concern
        raise
    if not winners:
        raise connect_error(peer, race.failures)
    for connection in winners[1:]:
        connection.close()
    return winners[0]
