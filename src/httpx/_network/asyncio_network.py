"""The network on asyncio's own transports; the same under uvloop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import socket
import sys
import time
import types
import typing

from .._exceptions import WriteError
from .addresses import connect_error, connect_timeout, new_socket
from .asyncio_turn import BUFFER_SIZE, turn_of
from .base import Farewell, SocketOption, Stream, T, Waiter, wake
from .race import Address, Race
from .readiness import readiness
from .unix import connect_unix
from .words import nothing_accepted, nothing_arrived, receiving_failed, sending_failed

if typing.TYPE_CHECKING:
    import ssl

    from .._tls.info import TLSInfo

_NEVER = float("inf")
_HIGH_WATER = 1_048_576  # bytes received and not yet read at which the peer is made to wait
_BULK = 32_768  # bytes that arrive at once where there are many more to come
_TURN = 0.001  # seconds that a bulk transfer may keep the event loop from others
_USES_SOCKET = sys.platform != "win32"  # whose event loop has a read of its own under way at all times


class AsyncioStream(asyncio.BufferedProtocol):
    """A byte stream that is its own protocol.

    One timer serves all reads: it is not cancelled when data arrives, but looks at the deadline then in force when it
    fires, and is armed again if that has moved.

    What arrives goes through one buffer, which is the event loop's, since it is filled and emptied without a pause in between. Other
    protocols are given bytes: an object of 256 KiB each time, shrunk to the size of what came, which takes three system calls where
    the memory allocator maps what is as large (as glibc does, unless chance has it otherwise).
    """

    keeps_unsent = True
    _turn_ends = 0.0  # until when what arrives may be taken from the socket itself

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: socket.socket, peer: str) -> None:
        self._loop = loop
        self._socket = connection
        self._transport: typing.Any = None
        self._turn = turn_of(loop)
        self._buffer = self._turn.buffer
        self._received: list[bytes] = []
        self._size = 0
        # uvloop reads on for as long as the buffer is filled, up to 32 times, before anybody can take what has come.
        self._enough = _HIGH_WATER if isinstance(loop, asyncio.BaseEventLoop) else BUFFER_SIZE
        self._reading_paused = False
        self._ended = False
        self._lost: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._writing_paused = False
        self._uses_socket = _USES_SOCKET  # not only the transport
        self._has_unsent = False  # the transport holds what the socket did not take at once, or did lately
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = _NEVER
        self._has_unread: typing.Callable[[], object] | None = None
        self.peer = peer
        self.ended_cleanly = True
        self.tls: TLSInfo | None = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._received.append(self._buffer[:nbytes].tobytes())
        self._size += nbytes
        self._wake_reader()
        if self._size >= self._enough:
            self._pause_reading()

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._rescue()
            self._lost = self._lost or exc
        self._ended = True
        self._writing_paused = False
        self._wake()

    def _rescue(self) -> None:
        # A server that refuses a request says why and hangs up. asyncio stops reading at the first write that fails, with
        # the reason still in the socket, which is open until connection_lost() returns; and who finds that it cannot send
        # does not wait for the event loop to have read.
        try:
            while self._size <= _HIGH_WATER and (data := self._socket.recv(65_536)):
                self._accept(data)
        except (OSError, ValueError):
            pass

    def _accept(self, data: bytes) -> None:
        self._received.append(data)
        self._size += len(data)

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        writer, self._writer = self._writer, None
        if writer is not None and not writer.done():
            writer.set_result(None)

    def _wake_reader(self) -> None:
        reader = self._reader
        if reader is not None:
            self._reader = None
            turn = self._turn
            if not turn.woken:
                turn.began = time.monotonic()
            turn.woken += 1
            if not reader.done():
                reader.set_result(None)

    def _wake(self) -> None:
        self._wake_reader()
        self.resume_writing()

    # What the floors above call.

    async def receive(self, timeout: float | None) -> bytes:
        if not self._received and not self._ended:
            if self._turn_ends and (data := self._receive_directly()):
                return data
            reader = self._reader = self._loop.create_future()
            self._deadline = _NEVER if timeout is None else self._loop.time() + timeout
            if self._deadline < self._timer_due:
                self._arm_timer()
            try:
                await reader
            except TimeoutError:
                raise nothing_arrived(self.peer, timeout) from None
            finally:
                if self._reader is None:
                    self._turn.woken -= 1
                self._reader = None
        received = self._received
        if self._size >= _BULK and self._uses_socket:
            self._turn_ends = time.monotonic() + _TURN
        if len(received) == 1 and not self._reading_paused:
            self._received = []
            self._size = 0
            return received[0]
        return self._take()

    def _receive_directly(self) -> bytes | None:
        # To wait for the event loop costs as much as to receive: in a bulk transfer, what has arrived meanwhile is taken without.
        try:
            data = self._socket.recv(BUFFER_SIZE) if time.monotonic() < self._turn_ends else b""
        except BlockingIOError:
            data = b""
        except (OSError, ValueError) as error:
            self._lost = error
            self._ended = True
            raise receiving_failed(self.peer, error) from error
        if not data:
            self._turn_ends = 0.0  # the end is for the event loop to find
        return data

    def receive_nowait(self) -> bytes | None:
        if not (self._received or self._ended) and self._uses_socket and not self._transport.is_closing():
            self._look_into_socket()
        return self._take() if self._received or self._ended else None

    def _look_into_socket(self) -> None:
        # What arrived while the program kept the event loop busy is still there.
        try:
            data = self._socket.recv(_BULK)
        except BlockingIOError:
            return
        except (OSError, ValueError) as error:
            self._lost = self._lost or error
            self._ended = True
        else:
            if data:
                self._accept(data)
            else:
                self.eof_received()
        if self._received or self._ended:
            self._wake_reader()

    def _take(self) -> bytes:
        received = self._received
        if received:
            data = received[0] if len(received) == 1 else b"".join(received)
            self._received = []
            self._size = 0
            if self._reading_paused:
                self._reading_paused = False
                if not self._transport.is_closing():
                    self._transport.resume_reading()
            return data
        if self._lost is not None:
            raise self._why_lost(self._lost) from self._lost
        return b""

    def _why_lost(self, error: Exception) -> Exception:
        return receiving_failed(self.peer, error)

    def _arm_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._on_timer)
        self._timer_due = self._deadline

    def _on_timer(self) -> None:
        self._timer = None
        self._timer_due = _NEVER
        reader = self._reader
        if reader is None or reader.done() or self._deadline == _NEVER:
            return
        if self._loop.time() < self._deadline:
            self._arm_timer()
        else:
            reader.set_exception(TimeoutError())

    async def send(self, data: bytes, timeout: float | None) -> None:
        self._write(data)
        if self._writing_paused:
            await self._drain(timeout)

    def send_now(self, data: bytes) -> bool:
        if self._loop.is_closed():
            return False
        self._write(data)
        return True

    def _write(self, data: bytes) -> None:
        turn = self._turn
        if not ((turn.woken or turn.held) and turn.holds(self, data)):
            self._send_at_once(data)

    def _break(self, error: WriteError) -> None:
        # What has waited to be sent could not be.
        self._lost = self._lost or (error.__cause__ if isinstance(error.__cause__, OSError) else error)
        self._ended = True
        self._wake()

    def _send_at_once(self, data: bytes) -> None:
        # As long as the transport has nothing left to send, the socket itself takes fewer steps, and mostly takes everything.
        if self._uses_socket and not (self._has_unsent and self._transport.get_write_buffer_size()):
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._rescue()
                if self._received or self._ended:
                    self._wake_reader()
                raise self._write_error(error) from error
            if sent == len(data):
                return
            data = data[sent:]
            self._has_unsent = True
        if self._lost is not None or self._transport.is_closing():
            raise self._write_error(None) from self._lost
        self._transport.write(data)

    def _write_error(self, error: OSError | None) -> WriteError:
        why = error if error is not None and self._socket.fileno() >= 0 else self._lost or "the connection is closed"
        return sending_failed(self.peer, why)

    def share(self) -> AsyncioStream:
        return self

    async def _drain(self, timeout: float | None) -> None:
        writer = self._writer = self._loop.create_future()
        try:
            async with asyncio.timeout(timeout):
                await writer
        except TimeoutError:
            raise nothing_accepted(self.peer, timeout) from None
        finally:
            self._writer = None
        if self._lost is not None:
            raise sending_failed(self.peer, self._lost) from self._lost

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> Stream:
        from .asyncio_tls import AsyncioTLSStream
        from .tls_stream import shake_hands

        return AsyncioTLSStream(self, await shake_hands(self, context, server_hostname, timeout))

    def stop_timer(self) -> None:
        """Nobody will receive any more: it is closed, or another stream takes its place."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def is_quiet(self) -> bool:
        if self._ended or self._received or self._transport.is_closing():
            return False
        # What arrived while the program kept the event loop busy is still in the socket.
        if self._has_unread is None:
            self._has_unread = readiness(self._socket)
        return not self._has_unread()

    def close(self, last_words: bytes = b"") -> None:
        self.stop_timer()
        if self._loop.is_closed():
            self.abandon()
            return
        if last_words and not self._transport.is_closing():
            self._turn.send()
            with contextlib.suppress(WriteError):
                self._send_at_once(last_words)
        self._transport.abort()

    def abandon(self) -> None:
        # The loop died with the connection open: nothing can be scheduled on it, so the transport cannot be closed. Its
        # socket can, and the transport is told, or it would warn of it when collected.
        self._socket.close()
        with contextlib.suppress(AttributeError):  # uvloop's transports are other objects, and were closed with their loop
            if self._transport._sock is not None:
                self._transport._sock = None

    def info(self, name: str) -> typing.Any:
        if name == "client_addr":
            return self._transport.get_extra_info("sockname")
        if name == "server_addr":
            return self._transport.get_extra_info("peername")
        if name == "is_readable":
            return not self.is_quiet()
        return self._transport.get_extra_info(name)


class TaskWaiter:
    """A future that any thread may set: a pool is for several event loops, if need be."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[bool] = self._loop.create_future()

    def __await__(self) -> typing.Generator[typing.Any, typing.Any, object]:
        return self._future.__await__()

    def done(self) -> bool:
        return self._future.done()

    def set_result(self, result: bool, /) -> None:
        if asyncio._get_running_loop() is self._loop:
            self._future.set_result(result)
            return
        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits there
            self._loop.call_soon_threadsafe(wake, self._future)


class AsyncioNetwork:
    """asyncio, whichever event loop is running."""

    async def connect(
        self,
        peer: str,
        addresses: typing.Sequence[Address],
        timeout: float | None,
        *,
        local_address: str | None,
        socket_options: typing.Sequence[SocketOption],
    ) -> AsyncioStream:
        loop = asyncio.get_running_loop()
        race = Race(addresses, timeout)
        try:
            async with asyncio.timeout(timeout):
                if len(addresses) > 1:
                    connection = await _win(loop, race, peer, local_address, socket_options)
                else:
                    connection = await _connect_socket(loop, addresses[0], local_address, socket_options)
                return await _stream_on(loop, connection, peer)
        except TimeoutError as error:
            if error.errno is None:
                raise connect_timeout(peer, timeout, race if len(addresses) > 1 else None) from None
            raise connect_error(peer, [(addresses[0], error)]) from error
        except OSError as error:
            raise connect_error(peer, [(addresses[0], error)]) from error

    async def connect_unix(self, path: str, timeout: float | None, socket_options: typing.Sequence[SocketOption]) -> AsyncioStream:
        return await _stream_on(asyncio.get_running_loop(), await connect_unix(self, path, timeout, socket_options), path)

    waiter = TaskWaiter

    def waiters(self) -> typing.Callable[[], asyncio.Future[bool]]:
        return asyncio.get_running_loop().create_future

    async def wait(self, waiter: Waiter, timeout: float | None) -> bool:
        if timeout is None:
            await waiter
            return True
        # As asyncio.timeout() does, in a third of the steps: there is nothing to cancel, the waiter itself can be told.
        timer = asyncio.get_running_loop().call_later(timeout, _stop_waiting, waiter)
        try:
            return await waiter is True
        finally:
            timer.cancel()

    async def in_thread(self, function: typing.Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(None, function)

    async def outcome(self, future: concurrent.futures.Future[T], timeout: float | None) -> T:
        async with asyncio.timeout(timeout):
            return await asyncio.wrap_future(future)

    async def within(self, awaitable: typing.Awaitable[T], timeout: float | None) -> T:
        async with asyncio.timeout(timeout):
            return await awaitable

    def spawn(self, work: typing.Callable[[], typing.Coroutine[typing.Any, typing.Any, None]]) -> typing.Callable[[], None]:
        task = asyncio.get_running_loop().create_task(work())
        return lambda: typing.cast(None, task.cancel())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def pause(self) -> None:
        await _turn()
        if not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
            # uvloop runs what is ready before it looks at its sockets: those for whom something has arrived are ready in the next turn.
            await _turn()

    async def until_end(self, on_end: typing.Callable[[], None]) -> Farewell | None:
        # asyncio closes the asynchronous generators that are under way before the loop itself: nothing else tells of its end.
        farewell = self._farewell(on_end)
        await farewell.__anext__()
        return farewell

    async def _farewell(self, on_end: typing.Callable[[], None]) -> typing.AsyncGenerator[None, None]:
        try:
            yield
        finally:
            on_end()
            await self.settle()

    async def settle(self) -> None:
        # A transport lets go of its socket in a callback, or in the one after that.
        for _ in range(3):
            await _turn()

    realm = staticmethod(asyncio.get_running_loop)  # each request asks for it


def _stop_waiting(waiter: Waiter) -> None:
    if not waiter.done():
        waiter.set_result(False)


@types.coroutine
def _turn() -> typing.Generator[None, None, None]:
    # One turn of the event loop. Not asyncio.sleep(0): tests of programs replace that, and count its calls.
    yield


async def _connect_socket(
    loop: asyncio.AbstractEventLoop, address: Address, local_address: str | None, socket_options: typing.Sequence[SocketOption]
) -> socket.socket:
    connection = new_socket(address[0], local_address, socket_options)
    where = address[1]
    if len(where) > 3 and where[3] and not isinstance(loop, asyncio.BaseEventLoop):
        where = (f"{where[0]}%{where[3]}", where[1])  # uvloop reads no more than that, and needs the zone of a link-local address
    try:
        connection.setblocking(False)
        await loop.sock_connect(connection, where)
    except BaseException:
        connection.close()
        raise
    return connection


async def _stream_on(loop: asyncio.AbstractEventLoop, connection: socket.socket, peer: str) -> AsyncioStream:
    try:
        _, stream = await loop.create_connection(lambda: AsyncioStream(loop, connection, peer), sock=connection)
    except BaseException:
        connection.close()
        raise
    return stream


async def _win(
    loop: asyncio.AbstractEventLoop, race: Race, peer: str, local_address: str | None, socket_options: typing.Sequence[SocketOption]
) -> socket.socket:
    # Connect to whichever address answers first.
    attempts: dict[asyncio.Task[socket.socket], Address] = {}
    try:
        while not race.is_lost:
            while (address := race.next(loop.time())) is not None:
                attempts[loop.create_task(_connect_socket(loop, address, local_address, socket_options))] = address
            ended, _ = await asyncio.wait(attempts, timeout=race.patience(loop.time()), return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                error = task.exception()
                if error is None:
                    attempts.pop(task)
                    return task.result()
                if not isinstance(error, OSError):
                    raise error
                race.failed(attempts.pop(task), error, loop.time())
        raise connect_error(peer, race.failures)
    finally:
        for task in attempts:
            task.add_done_callback(_discard)
            task.cancel()
        if attempts:
            await asyncio.wait(attempts)


def _discard(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()
