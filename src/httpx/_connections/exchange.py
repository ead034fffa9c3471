"""What an exchange is to the floor above, whichever protocol it is in: a request goes out, a head and a body come back."""

from __future__ import annotations

import typing
from collections.abc import Callable

from .._exceptions import RemoteProtocolError, TransportError
from .._models.head import Head
from .._models.request import Request
from .._network.base import Stream

if typing.TYPE_CHECKING:
    from .trace import Trace

Timeouts = typing.Mapping[str, float | None]


class ConnectionDied(Exception):
    """The request got no answer and may be sent on another connection.

    Either the connection was used before and broke before any byte of this response, or the server has said that it did
    not process the request (`unprocessed`), perhaps because it was done with the connection after others (`took_others`).
    """

    def __init__(self, cause: Exception, unprocessed: bool = False, took_others: bool = False) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.unprocessed = unprocessed
        self.took_others = took_others

    def unwrap(self) -> Exception:
        """The cause, to be raised while this is handled: without leading back to it, since who walks along causes would never arrive."""
        self.__cause__ = self.__context__ = None
        return self.cause


class NeedsHTTP1(Exception):
    """This HTTP/2 connection does not take the request, but HTTP/1.1 may.

    It asks for another protocol (Upgrade), or the server has refused it for that reason, with the error `refusal`.
    """

    def __init__(self, refusal: TransportError | None = None) -> None:
        super().__init__()
        self.refusal = refusal


def tell_of_reuse(error: Exception, may_be_resent: bool = False) -> None:
    """Say in the error of a connection that served others before what it died of, and in a note what that may mean."""
    error.args = (f"A reused connection died: {error}",)
    error.add_note(
        "The connection was used before, and broke before any byte of the answer arrived: the server may have closed it while it was idle."
        + ("" if may_be_resent else _NOT_RESENT)
    )


_NOT_RESENT = " The request was not sent again, since that is safe only for idempotent methods with content that can be repeated."


def name_peer(error: BaseException, peer: str) -> None:
    """Say in the message of what a peer did wrong who that was: protocols know bytes, and not where they come from."""
    if isinstance(error, RemoteProtocolError) and peer not in str(error):
        error.args = (f"{error} ({peer})",)


class Exchange(typing.Protocol):
    """One request and its response. On HTTP/1.1 the connection itself, on HTTP/2 one of its streams."""

    trace: Trace | None
    """Who wants to hear of it; None again when the next exchange begins."""

    @property
    def sent_at(self) -> float:
        """When the request had been sent, on the monotonic clock."""
        ...

    @property
    def connection(self) -> Connection:
        """The connection of this exchange."""
        ...

    async def exchange(self, request: Request, timeouts: Timeouts) -> Head:
        """Send `request` and return the final head of its response. Raises `ConnectionDied` if it may be sent again."""
        ...

    async def next_data(self, timeout: float | None) -> bytes | None:
        """The next bytes of the body, None at its end."""
        ...

    def data_at_hand(self) -> bytes | None:
        """The whole body, if all of it has arrived with the head, else None."""
        ...

    def finish(self) -> bool:
        """The response has been read: whether the connection may be used again."""
        ...

    def abandon(self) -> bool:
        """The exchange ends before its time: whether the connection may be used again."""
        ...

    @property
    def trailers(self) -> list[tuple[bytes, bytes]]:
        """The trailer fields of a body that is complete."""
        ...

    @property
    def is_upgraded(self) -> bool:
        """Whether the connection has left HTTP, for a 101 response or a tunnel."""
        ...

    def unread(self) -> bytes:
        """After an upgrade: bytes that already belong to the other protocol."""
        ...

    def tunnel(self) -> Stream:
        """After an upgrade: the byte stream that the other protocol has."""
        ...

    @property
    def stream_id(self) -> int | None:
        """The stream's number on HTTP/2, None on HTTP/1.1."""
        ...


class Connection(typing.Protocol):
    """An open connection, as the pool and the transports see it."""

    key: typing.Hashable
    stream: Stream
    idle_since: float
    opened_at: float
    origin: typing.Any
    network_stream: typing.Any
    """What stands for the connection in the extensions of its responses, once there is one."""

    @property
    def multiplexes(self) -> bool:
        """Whether it may carry more than one exchange at a time."""
        ...

    @property
    def capacity(self) -> int:
        """How many exchanges it carries at a time, at present; 0 if it takes no further ones."""
        ...

    @property
    def is_settled(self) -> bool:
        """Whether it is known how many; `Pool.resized` hears of it when it is."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether exchanges that are under way may go on."""
        ...

    @property
    def begin(self) -> Callable[[], Exchange]:
        """A new exchange."""
        ...

    def begin_if_ready(self) -> Exchange | None:
        """A new exchange in the usual cases of `is_usable`, without waiting; None if it takes a closer look."""
        ...

    async def is_usable(self, timeout: float | None) -> bool:
        """Whether another request may go over this connection, which comes from the pool."""
        ...

    def close(self) -> None:
        """Close the connection at once; exchanges that are under way fail."""
        ...
