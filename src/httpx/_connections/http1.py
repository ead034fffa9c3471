"""One exchange after another on one HTTP/1.1 connection: write the request, read the head, then the body."""

from __future__ import annotations

import time
import typing

from .._content.streams import ByteStream
from .._exceptions import ReadError, ReadTimeout, RemoteProtocolError, WriteError, WriteTimeout
from .._models.request import Request
from .._network.base import Network, Stream
from .._network.words import nothing_arrived, seconds
from .._protocols.http1.engine import NEED_DATA, UPGRADED, HTTP1Engine
from .._protocols.http1.head import KnownHeads, ResponseHead, excerpt
from .._protocols.http1.serialize import LAST_CHUNK, check_target, serialize_chunk, serialize_head
from .body import PIECE, Parts, Progress, check_length, continue_patience, in_time, is_repeatable, parts_of
from .exchange import ConnectionDied, Timeouts, tell_of_reuse
from .wire_form import WireForm, prepare

if typing.TYPE_CHECKING:
    from .trace import Trace


class HTTP1Connection:
    """An open connection, and how far it is in its exchange: it is its own `Exchange`, since it has one at a time."""

    __slots__ = (
        "_engine",
        "_network",
        "_served",
        "data_at_hand",
        "finish",
        "idle_since",
        "key",
        "network_stream",
        "opened_at",
        "origin",
        "sent_at",
        "stream",
        "trace",
    )

    multiplexes = False
    capacity = 1
    is_settled = True
    stream_id = None

    def __init__(self, key: typing.Hashable, stream: Stream, network: Network, known_heads: KnownHeads | None = None) -> None:
        self.key = key
        self.stream = stream
        self.idle_since = self.opened_at = 0.0
        self.origin: typing.Any = None
        self.network_stream: typing.Any = None
        self._engine = HTTP1Engine(known_heads)
        self.data_at_hand = self._engine.whole_body  # as `Exchange` has them, without a step in between
        self.finish = self._engine.finish
        self._network = network
        self._served = 0
        self.sent_at = 0.0
        self.trace: Trace | None = None

    @property
    def is_open(self) -> bool:
        """Whether nothing has been noticed that would end the connection."""
        return self.stream.is_quiet()

    def begin(self) -> HTTP1Connection:
        """A new exchange."""
        return self

    def begin_if_ready(self) -> HTTP1Connection | None:
        """A new exchange, if the connection is open and has not spoken out of turn."""
        return self if self.stream.is_quiet() else None

    @property
    def connection(self) -> HTTP1Connection:
        """The connection of this exchange."""
        return self

    async def is_usable(self, timeout: float | None) -> bool:
        """Whether another request may go over this connection: it is open, and has not spoken out of turn."""
        return self.stream.is_quiet()

    def close(self) -> None:
        """Close the connection at once."""
        self.stream.close()

    async def exchange(self, request: Request, timeouts: Timeouts) -> ResponseHead:
        """Send `request` and return the final head of its response.

        Raises `ConnectionDied` where it is known to be safe to send it again elsewhere (RFC 9110 section 9.2.2).
        """
        was_used = self._served > 0
        self._served += 1
        if not was_used and self.stream.tls is None and not self.stream.is_quiet():
            self._refuse_early_data()
        form: WireForm = request.headers._wire or prepare(request.headers)
        target = request.extensions.get("target")
        message = serialize_head(request.method, check_target(target) if target else request.url._target, form.block)
        whole = request.stream._bytes if type(request.stream) is ByteStream and form.is_plain else None
        if whole and (len(whole) > PIECE or "upload_progress" in request.extensions):
            whole = None
        elif whole is not None and len(whole) != (form.length or 0):
            check_length(len(whole), form.length)
        engine, stream = self._engine, self.stream
        engine.start(request.method, form.stays_open, form.offers_upgrade)
        if self.trace is not None:
            await self.trace.begin(request, is_http2=False)
        failure: WriteError | None = None
        try:
            if whole is not None:
                await stream.send(message + whole, timeouts.get("write"))
            else:
                await self._send_in_parts(message, form, request, timeouts)
        except WriteError as error:
            # The server may have answered and hung up before it read everything: its answer is what counts.
            failure = error
        except WriteTimeout:
            # It may also have answered and read no further, which nobody sees who waits to send.
            if not (early := stream.receive_nowait()):
                raise
            engine.abandon_request()
            engine.receive(early)
            whole = None  # there is something to look at already
        try:
            if self.trace is not None:
                await self.trace.is_sent(request)
            patience = timeouts.get("read")
            started = self.sent_at = time.monotonic()
            if whole is not None:
                engine.receive(await stream.receive(patience))
            head = engine.next_head()
            if head is NEED_DATA or (head.status_code < 200 and engine.state != UPGRADED):
                return await self._receive_rest_of_head(patience, started)
            return head
        except (ReadError, RemoteProtocolError) as error:
            if not engine.awaits_first_byte:
                raise
            if failure is None and engine.is_abandoned:
                failure = WriteError(f"{stream.peer} hung up before it had taken the whole request.")
                failure.__cause__ = error
            told = failure or error
            if was_used and is_repeatable(request):
                raise ConnectionDied(told) from error
            if not was_used:
                from .._network.failures import first_exchange_error  # brings `ssl` along

                raise first_exchange_error(told, stream) from told.__cause__
            tell_of_reuse(told)
            raise told from told.__cause__

    def _refuse_early_data(self) -> None:
        # It cannot be the answer to what was not sent yet. A connection that has ended says so when it is read from.
        if early := self.stream.receive_nowait():
            raise RemoteProtocolError(f"{self.stream.peer} sent data before it was asked: {excerpt(early)}")

    async def _send_in_parts(self, head: bytes, form: WireForm, request: Request, timeouts: Timeouts) -> None:
        await self.stream.send(head, timeouts.get("write"))
        if self.trace is not None:
            await self.trace.head_is_sent(request)
        if form.expects_continue and await self._is_answered_within(continue_patience(timeouts)):
            self._engine.abandon_request()
            return
        parts = parts_of(request.stream, self._network)
        sending = self._send_body(parts, form.length, form.chunked, timeouts, request.extensions.get("upload_progress"))
        await in_time(self._network, sending, timeouts)

    async def _send_body(self, parts: Parts, length: int | None, chunked: bool, timeouts: Timeouts, progress: Progress | None) -> None:
        sent = 0
        has_begun = False
        try:
            while (part := await parts.next()) is not None:
                if not part:
                    continue
                sent += len(part)
                if length is not None and sent > length:
                    check_length(sent, length)
                for start in range(0, len(part), PIECE):
                    piece = part if len(part) <= PIECE else part[start : start + PIECE]
                    if has_begun and not self.stream.is_quiet():
                        # An answer before the end of the question: the server will not read the rest.
                        self._engine.abandon_request()
                        return
                    has_begun = True
                    await self.stream.send(serialize_chunk(piece) if chunked else piece, timeouts.get("write"))
                    if progress is not None:
                        progress(sent - len(part) + start + len(piece), length)
        finally:
            await parts.close()
        if chunked:
            await self.stream.send(LAST_CHUNK, timeouts.get("write"))
        else:
            check_length(sent, length)

    async def _is_answered_within(self, patience: float) -> bool:
        # True if the server gave a final answer instead of "100 Continue", or hung up; the body is then not wanted.
        deadline = time.monotonic() + patience
        try:
            while (left := deadline - time.monotonic()) > 0:
                data = await self.stream.receive(left)
                if not data:
                    return True  # as who reads next will find
                self._engine.receive(data)
                if (is_final := self._engine.peek_final()) is not None:
                    return is_final
        except ReadTimeout:
            pass
        except ReadError:
            return True
        return False

    async def _receive_rest_of_head(self, timeout: float | None, started: float) -> ResponseHead:
        # The whole head has one deadline: a server that drips it, or sends 1xx for ever, does not move it.
        engine = self._engine
        wait = None
        while True:
            head = engine.next_head()
            if head is NEED_DATA:
                if timeout is not None:
                    wait = started + timeout - time.monotonic()
                    if wait <= 0:
                        raise self._too_slow(timeout)
                try:
                    engine.receive(await self.stream.receive(wait))
                except ReadTimeout as error:
                    raise self._too_slow(timeout) from error
            elif head.status_code >= 200 or engine.state == UPGRADED:
                return head

    def _too_slow(self, timeout: float | None) -> ReadTimeout:
        if self._engine.awaits_first_byte:
            return nothing_arrived(self.stream.peer, timeout)
        return ReadTimeout(f"The head of the response from {self.stream.peer} was not complete within {seconds(timeout)}.")

    async def next_data(self, timeout: float | None) -> bytes | None:
        """The next bytes of the body, None at its end."""
        engine = self._engine
        wait = timeout
        deadline = 0.0
        while (data := engine.next_data()) is NEED_DATA:
            if timeout is not None:
                if deadline:  # what is no data, but frames it, does not move it
                    wait = max(deadline - time.monotonic(), 0.0)
                else:
                    deadline = time.monotonic() + timeout
            try:
                received = await self.stream.receive(wait)
            except ReadTimeout as error:
                if wait == timeout:
                    raise
                raise ReadTimeout(f"No more of the response's body came from {self.stream.peer} for {seconds(timeout)}.") from error
            if not received and not self.stream.ended_cleanly:
                raise RemoteProtocolError(f"{self.stream.peer} cut the TLS connection within the response (no close_notify).")
            engine.receive(received)
        return data

    def abandon(self) -> bool:
        """The exchange ends before its time. What would still arrive is in the way of any other: the connection is done."""
        self.stream.close()
        return False

    @property
    def trailers(self) -> list[tuple[bytes, bytes]]:
        """The trailer fields of a body that is complete."""
        return self._engine.trailers

    @property
    def is_upgraded(self) -> bool:
        """Whether the connection has left HTTP/1.1, for a 101 response or a tunnel."""
        return self._engine.state == UPGRADED

    def unread(self) -> bytes:
        """After an upgrade: bytes that already belong to the other protocol."""
        return self._engine.unread()

    def tunnel(self) -> Stream:
        """After an upgrade: the byte stream that the other protocol has, the whole connection."""
        return self.stream
