"""What the floors above may ask of a network, whichever runtime it belongs to.

The methods are coroutines so that one conversation serves all runtimes. On blocking sockets none of them ever
suspends: a single `send(None)` runs a whole conversation (see `drive`).

Closing is a plain call everywhere: it takes effect at once, cannot be cancelled and cannot hang.
"""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence

from .race import Address

if typing.TYPE_CHECKING:
    import concurrent.futures
    import ssl

    from .._tls.info import TLSInfo

T = typing.TypeVar("T")

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Stream(typing.Protocol):
    """A connected byte stream. Failures are the exceptions of HTTPX and name the peer."""

    peer: str
    """Who is at the other end, as messages name it: `example.org:443`."""

    ended_cleanly: bool
    """After the end: whether the peer said so. A TLS stream that just stops may have been cut by anyone (RFC 8446 section 6.1)."""

    tls: TLSInfo | None
    """What its TLS handshake came to; None before, and on plain connections."""

    @property
    def keeps_unsent(self) -> bool:
        """Whether a `send()` that is cancelled still sends everything, so that the connection stays of use."""
        ...

    async def receive(self, timeout: float | None) -> bytes:
        """The next bytes, empty at the end. Raises `ReadTimeout` or `ReadError`."""
        ...

    def receive_nowait(self) -> bytes | None:
        """The bytes that have arrived already, empty at the end; None if there is nothing yet. Raises `ReadError`."""
        ...

    async def send(self, data: bytes, timeout: float | None) -> None:
        """Hand over all of `data`. Raises `WriteTimeout` or `WriteError`."""
        ...

    def send_now(self, data: bytes) -> bool:
        """Hand over all of `data` if that takes no waiting; False if none of it could be. Raises `WriteError`."""
        ...

    def share(self) -> Stream:
        """The stream to use from here on, on which one may send and look while another receives."""
        ...

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> Stream:
        """Do the TLS handshake, and return the encrypted stream, which takes the place of this one.

        Raises `ConnectError` or `ConnectTimeout`.
        """
        ...

    def is_quiet(self) -> bool:
        """Whether the connection is open and nothing has arrived: the state that an idle one must be in to be used again."""
        ...

    def close(self, last_words: bytes = b"") -> None:
        """Close at once; any number of times. `last_words` are sent if that takes no waiting."""
        ...

    def abandon(self) -> None:
        """Let go of the socket without a word to the peer: it is another process's, or its event loop is gone."""
        ...

    def info(self, name: str) -> typing.Any:
        """What asyncio calls extra information: `socket`, `ssl_object`, `client_addr`, `server_addr`."""
        ...


class Waiter(typing.Protocol):
    """One task or thread that waits for another one to hand it something. A future, where event loops have them: nothing is faster.

    It is awaited without a time-out, and passed to `Network.wait` with one.
    """

    def __await__(self) -> Generator[typing.Any, typing.Any, object]: ...

    def done(self) -> bool:
        """Whether nobody waits any more: it was told to go on, or cancelled."""
        ...

    def set_result(self, result: bool, /) -> None:
        """Let the waiting one go on, unless `done()`."""
        ...


def wake(waiter: Waiter) -> None:
    """Let the waiting one go on, if somebody waits."""
    if not waiter.done():
        waiter.set_result(True)


class Farewell(typing.Protocol):
    """What is still to be done at the end of a realm."""

    def aclose(self) -> Coroutine[typing.Any, typing.Any, None]:
        """Do it now."""
        ...


class Network(typing.Protocol):
    """How one runtime reaches the world."""

    async def connect(
        self,
        peer: str,
        addresses: Sequence[Address],
        timeout: float | None,
        *,
        local_address: str | None,
        socket_options: Sequence[SocketOption],
    ) -> Stream:
        """A TCP connection to one of the addresses of `peer` (see `race`). Raises `ConnectError` or `ConnectTimeout`."""
        ...

    async def connect_unix(self, path: str, timeout: float | None, socket_options: Sequence[SocketOption]) -> Stream:
        """A connection to a unix domain socket. Raises `ConnectError` or `ConnectTimeout`."""
        ...

    def waiter(self) -> Waiter:
        """A new waiter for the running task or thread, which any thread may wake."""
        ...

    def waiters(self) -> Callable[[], Waiter]:
        """What makes those that are woken in the present realm alone."""
        ...

    async def wait(self, waiter: Waiter, timeout: float | None) -> bool:
        """Whether the waiter was woken within `timeout` seconds."""
        ...

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Call `function` where it may block."""
        ...

    async def outcome(self, future: concurrent.futures.Future[T], timeout: float | None) -> T:
        """What a thread will bring, which goes on if nobody waits any more. Raises `TimeoutError`."""
        ...

    async def within(self, awaitable: Awaitable[T], timeout: float | None) -> T:
        """Await what belongs to this runtime. Raises `TimeoutError`."""
        ...

    def spawn(self, work: Callable[[], Coroutine[typing.Any, typing.Any, None]]) -> Callable[[], None]:
        """Run `work`, which must not raise, beside the caller; what it gives back cancels it. There is no such thing in a thread."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Do nothing for a while."""
        ...

    async def pause(self) -> None:
        """Let the other tasks go first that are ready to run."""
        ...

    async def until_end(self, on_end: Callable[[], None]) -> Farewell | None:
        """Have `on_end` called when the realm ends in good order, as event loops do; None where there is no such end.

        It is called as long as the result is kept, which is to be closed when there is nothing left to do.
        """
        ...

    async def settle(self) -> None:
        """Give closed connections the chance to let go of their sockets."""
        ...

    def realm(self) -> object:
        """Where connections made now belong: they serve no other realm. The running event loop, or None for threads."""
        ...


def drive(conversation: Coroutine[typing.Any, typing.Any, T]) -> T:
    """Run a conversation over blocking sockets to its end, and return its result."""
    try:
        conversation.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    conversation.close()
    raise RuntimeError("A conversation over blocking sockets suspended: something in it belongs to an event loop.")
