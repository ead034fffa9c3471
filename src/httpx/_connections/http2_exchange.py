"""One exchange on an HTTP/2 connection: a stream of it (RFC 9113 section 8.1)."""

from __future__ import annotations

import contextlib
import copy
import time
import typing

from .._content.streams import ByteStream
from .._exceptions import ReadError, ReadTimeout, TimeoutException, TransportError, WriteError, WriteTimeout
from .._models.headers import PICKED
from .._models.request import Request
from .._network.base import Stream, Waiter
from .._network.failures import first_exchange_error
from .._network.words import nothing_accepted, nothing_arrived
from .._protocols.http1.serialize import check_target, encode_method
from .._protocols.http2.engine import CANCEL, NO_ERROR, Field, HTTP2Stream, protect
from .body import PIECE, check_length, continue_patience, in_time, is_repeatable, is_replayable, parts_of
from .exchange import ConnectionDied, NeedsHTTP1, Timeouts, tell_of_reuse
from .wire_form import WireForm, http2_fields, prepare

if typing.TYPE_CHECKING:
    from .http2 import HTTP2Connection
    from .trace import Trace

_NEVER = float("inf")
_METHODS = {method.decode(): (b":method", method) for method in (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")}
_SCHEMES = {scheme.decode(): (b":scheme", scheme) for scheme in (b"http", b"https")}
_PICKED = frozenset(name.encode("ascii") for name in PICKED)


class HTTP2Head:
    """The head of a response, from fields that the engine has checked; `:status` is the first. It never changes."""

    __slots__ = ("fields", "picked", "status_code")

    http_version = b"HTTP/2"
    reason_phrase = b""

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self.fields = fields
        self.status_code = int(fields[0][1])
        self.picked: dict[bytes, bytes] = {}
        picked = self.picked
        for name, value in fields:
            if name in _PICKED:
                picked[name] = picked[name] + b", " + value if name in picked else value

    def parse(self) -> list[Field]:
        """All fields in order."""
        return list(self.fields[1:])


def _fields(request: Request, form: WireForm) -> list[Field]:
    # Method and scheme, which the CONNECT of a WebSocket leaves out, then authority, path and the others.
    if form.http2 is None:
        authority, plain = http2_fields(request.headers)
        form.http2 = (b":authority", authority), protect(plain)
    authority_field, others = form.http2
    target = request.extensions.get("target")
    scheme = request.url._origin[0]
    fields = [
        _METHODS.get(request.method) or (b":method", encode_method(request.method)),
        _SCHEMES.get(scheme) or (b":scheme", scheme.encode("ascii")),
        authority_field,
        (b":path", check_target(target) if target else request.url._target),
        *others,
    ]
    form.http2_request = None if target else (request.method, request.url, fields)
    return fields


def _compose(request: Request, form: WireForm) -> tuple[list[Field], bytes | None]:
    # The fields, and the content, if it goes out in one piece with them. Who asks again asks for the same, mostly.
    extensions = request.extensions
    last = form.http2_request
    if last is not None and last[1] is request.url and last[0] == request.method and not extensions.get("target"):
        fields = last[2]
    else:
        fields = _fields(request, form)
    stream = request.stream
    if type(stream) is not ByteStream or not form.is_plain or "upload_progress" in extensions:
        return fields, None
    content = stream._bytes
    size = len(content)
    if size > PIECE or (form.offers_upgrade and _asks_for_websocket(request)):
        return fields, None
    if size != (form.length or 0):
        check_length(size, form.length)
    return fields, content


def alike(error: Exception) -> Exception:
    """The same error once more: each exchange raises an exception of its own."""
    other = copy.copy(error)
    other.__cause__ = error.__cause__
    return other


def _asks_for_websocket(request: Request) -> bool:
    return bool(request.headers.get("upgrade", "").lower() == "websocket")


class HTTP2Exchange(HTTP2Stream):
    """A stream, and the conversation on it. It is used by one task or thread; only its `failure` comes from others."""

    __slots__ = (
        "_asks_for_tunnel",
        "_found_silence",
        "_has_begun_body",
        "_is_cut",
        "_is_in_content",
        "connection",
        "deadline",
        "leads",
        "sent_at",
        "trace",
        "waiter",
        "was_reused",
    )

    def __init__(self, connection: HTTP2Connection) -> None:
        HTTP2Stream.__init__(self)
        self.connection = connection
        self.waiter: Waiter | None = None
        self.deadline = _NEVER  # until when it waits, while it does
        self.leads = False  # reads for all, or has been asked to
        self.was_reused = False  # whether the connection had served another exchange before
        self._found_silence: ReadTimeout | None = None  # on a connection on which nothing has ever arrived
        self._has_begun_body = False
        self._is_in_content = False
        self._is_cut = False  # it failed because the connection did
        self._asks_for_tunnel = False
        self.sent_at = 0.0
        self.trace: Trace | None = None

    async def exchange(self, request: Request, timeouts: Timeouts) -> HTTP2Head:
        """Send `request` and return the final head of its response. Raises `ConnectionDied` if it may be sent again."""
        connection = self.connection
        try:
            if self.trace is not None:
                await self.trace.begin(request, is_http2=True)
            form = request.headers._wire or prepare(request.headers)
            fields, content = _compose(request, form)
            patience = timeouts.get("read")
            deadline, waiter = _NEVER, None
            try:
                if content is None:
                    await self._send(request, form, fields, timeouts)
                else:
                    self.sent_at = time.monotonic()
                    deadline = _NEVER if patience is None else self.sent_at + patience
                    waiter = connection.submit(self, fields, content, deadline if self.trace is None else None)
                    if waiter is None and self.failure is None:
                        await connection.flush_together(timeouts.get("write"))
            except WriteError:
                if self.failure is not None and not isinstance(self.failure, (ReadError, WriteError)):
                    raise self.failure from self.failure.__cause__  # it came with the end of the connection, and says why
                if self.head is None:
                    raise  # else the server has answered and hung up before it read everything: its answer is what counts
            if self.trace is not None:
                await self.trace.is_sent(request)
            # Only what concerns this stream counts: no flood of other frames moves the deadline.
            if waiter is None:
                self.sent_at = time.monotonic()
                deadline = _NEVER if patience is None else self.sent_at + patience
            else:
                try:
                    await waiter
                except BaseException:
                    connection.leave(self)
                    raise
            while self.leads or self.head is None:
                if self.failure is not None and not self.leads:
                    raise self.failure
                if not await connection.wait_for(self, deadline):
                    error = nothing_arrived(connection.stream.peer, patience)
                    if unsent := connection.queued(self):
                        error.add_note(f"The server has not let {unsent} bytes of the request's content be sent yet (HTTP/2 flow control).")
                    if not connection.is_settled:
                        self._found_silence = error
                    raise error
            known = connection.last_head  # mostly the server says the same again
            if known is None or known.fields != self.head:
                known = connection.last_head = HTTP2Head(self.head)
            return known
        except TransportError as error:
            self._judge(error, request)
            raise
        except NeedsHTTP1:
            raise  # nothing has been sent
        except BaseException:
            if not self._is_in_content:
                connection.interrupt()
            raise

    def cut_by(self, error: Exception) -> None:
        """The connection has failed, and the exchange with it."""
        self._is_cut = True
        # Who only waits for an answer has not failed to send, whatever else was to go out.
        self.failure = ReadError(str(error)) if isinstance(error, WriteError) and self.sent_at else alike(error)
        self.failure.__cause__ = error.__cause__

    def _judge(self, error: TransportError, request: Request) -> None:
        # What is to be raised in place of `error`, if anything is.
        if self.head is not None or self.informational:
            return
        if self.is_unprocessed and (is_replayable(request) or not self._has_begun_body):
            raise ConnectionDied(error, unprocessed=True, took_others=self.connection.took_others) from error
        if self.is_unprocessed:
            error.add_note("The request was not sent again, since its content can be read only once.")
            return
        if self.needs_http1 and (is_replayable(request) or not self._has_begun_body):
            raise NeedsHTTP1(error) from error
        if not (self._is_cut and self.connection.has_died) or (isinstance(error, TimeoutException) and error is not self.failure):
            return  # it is not what the connection died of, whether or not it has died meanwhile
        if self.was_reused and is_repeatable(request):
            raise ConnectionDied(error) from error
        if not self.was_reused:
            raise (error if self.connection.is_known else first_exchange_error(error, self.connection.stream)) from error.__cause__
        tell_of_reuse(error)

    async def _send(self, request: Request, form: WireForm, fields: list[Field], timeouts: Timeouts) -> None:
        # What does not go out in one piece.
        if form.offers_upgrade and _asks_for_websocket(request):
            await self._ask_for_websocket(request, fields[2:], timeouts)
            return
        connection = self.connection
        connection.submit(self, fields, None)
        await connection.flush(timeouts.get("write"))
        if self.trace is not None:
            await self.trace.head_is_sent(request)
        if not connection.is_settled and type(request.stream) is not ByteStream:
            # Whatever gives the content may take its time, and nobody reads meanwhile: others would not know of their room.
            await self._wait_for_settings(continue_patience(timeouts))
        if form.expects_continue and not await self._is_told_to_continue(continue_patience(timeouts)):
            return
        await in_time(connection._network, self._send_body(request, form.length, form.chunked, timeouts), timeouts)

    async def _ask_for_websocket(self, request: Request, fields: list[Field], timeouts: Timeouts) -> None:
        # By CONNECT, as RFC 8441 section 5 has it, for those who know that the answer is another one then.
        connection = self.connection
        if "websocket" not in request.extensions or not await self._finds_websockets_taken(timeouts):
            raise NeedsHTTP1
        scheme = request.url._origin[0].replace("ws", "http")
        head = [(b":method", b"CONNECT"), (b":protocol", b"websocket"), (b":scheme", scheme.encode("ascii"))]
        self._asks_for_tunnel = True
        connection.submit(self, head + [field for field in fields if field[0] != b"sec-websocket-key"], None)
        await connection.flush(timeouts.get("write"))

    async def _finds_websockets_taken(self, timeouts: Timeouts) -> bool:
        connection, patience = self.connection, timeouts.get("read")
        deadline = _NEVER if patience is None else time.monotonic() + patience
        await connection.flush(timeouts.get("write"))  # many a server waits for our settings with its own
        while connection.takes_websockets(self) is None:
            if connection.failure is not None:
                return True  # who asks by it will hear of it
            if not await connection.wait_for(self, deadline):
                raise nothing_arrived(connection.stream.peer, patience)
        return bool(connection.takes_websockets(self))

    async def _wait_for_settings(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        self.connection.tell_when_settled(self)
        while not self.connection.is_settled and self.head is None and self.failure is None:
            if not await self.connection.wait_for(self, deadline):
                return

    async def _is_told_to_continue(self, patience: float) -> bool:
        # False if the server gave a final answer instead of "100 Continue"; the body is then not wanted.
        deadline = time.monotonic() + patience
        while not self.informational and self.head is None and self.failure is None:
            if not await self.connection.wait_for(self, deadline):
                break
        return self.head is None and self.failure is None

    async def _send_body(self, request: Request, length: int | None, chunked: bool, timeouts: Timeouts) -> None:
        sent = 0
        self._has_begun_body = True
        progress = request.extensions.get("upload_progress")
        parts = parts_of(request.stream, self.connection._network)
        try:
            while True:
                self._is_in_content = True  # the caller's code
                part = await parts.next()
                self._is_in_content = False
                if part is None:
                    break
                sent += len(part)
                if length is not None and sent > length:
                    check_length(sent, length)
                for start in range(0, len(part), PIECE):
                    piece = part if len(part) <= PIECE else part[start : start + PIECE]
                    if not await self._send_piece(bytes(piece), timeouts.get("write")):
                        return
                    if progress is not None:
                        progress(sent - len(part) + start + len(piece), length)
        finally:
            await parts.close()
        if not chunked:
            check_length(sent, length)
        self.connection.queue(self, b"", ended=True)
        await self.connection.flush(timeouts.get("write"))

    async def _send_piece(self, piece: bytes, timeout: float | None) -> bool:
        # False if the server does not want the rest: it has answered to the end, or refuses.
        connection = self.connection
        deadline = _NEVER if timeout is None else time.monotonic() + timeout
        if self._is_answered():
            return False
        connection.queue(self, piece, ended=False)
        await connection.flush(timeout)
        while connection.queued(self):
            if not await connection.wait_for(self, deadline):
                raise nothing_accepted(connection.stream.peer, timeout, "HTTP/2 flow control")
            if self._is_answered():
                return False
        return not self._is_answered()

    def _is_answered(self) -> bool:
        if self.failure is not None or self.ended:
            return True
        return self.head is not None and self.head[0][1] >= b"300"

    async def next_data(self, timeout: float | None) -> bytes | None:
        """The next bytes of the body, None at its end."""
        connection = self.connection
        deadline = _NEVER if timeout is None else time.monotonic() + timeout
        try:
            while not self.chunks:
                if self.failure is not None:
                    raise self.failure
                if self.ended:
                    return None
                if not await connection.wait_for(self, deadline):
                    raise nothing_arrived(connection.stream.peer, timeout)
            data = connection.take(self)
            if not self.ended:
                with contextlib.suppress(WriteError, WriteTimeout):  # the connection has failed with it, and this came before
                    await connection.flush(timeout)
            return data
        except TransportError:
            raise
        except BaseException:
            connection.interrupt()
            raise

    def data_at_hand(self) -> bytes | None:
        """The whole body, if all of it has arrived with the head, else None."""
        if not self.ended or self._asks_for_tunnel:
            return None
        if not self.is_open and len(self.chunks) == 1:  # mostly: nobody else touches it any more
            return self.chunks.pop()
        return self.connection.take(self)

    def finish(self) -> bool:
        """The response has been read: whether the connection may be used again."""
        if self.is_open or self.chunks or self.waiter is not None:
            self.connection.release(self, NO_ERROR)
        return self.connection.failure is None

    def abandon(self) -> bool:
        """The exchange ends before its time; the others go on. Whether the connection may be used again."""
        if self._found_silence is not None:
            self.connection.fail(self._found_silence)  # others wait for this server's greeting, and need not find out one by one
        if self._asks_for_tunnel:
            self.connection.queue(self, b"", ended=True)  # as the end of a connection elsewhere, and orderly if the peer has ended, too
            self.connection.post()
        self.connection.release(self, CANCEL)
        return self.connection.failure is None

    @property
    def is_upgraded(self) -> bool:
        """Whether the stream has left HTTP, as the whole connection does elsewhere."""
        return self._asks_for_tunnel and self.head is not None and self.head[0][1][:1] == b"2"

    def unread(self) -> bytes:
        """After an upgrade: nothing; what has arrived is the tunnel's to give."""
        return b""

    def tunnel(self) -> Stream:
        """After an upgrade: the byte stream that the other protocol has."""
        from .http2_tunnel import HTTP2Tunnel

        return HTTP2Tunnel(self)
