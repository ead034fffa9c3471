"""One side of an HTTP/2 connection, ours, on libnghttp2. This is the only module that knows `ngh2`.

Bytes are given to `receive()`, and `outgoing()` returns those to send; both change the `HTTP2Stream`s that they concern,
and put them in `news`. What violates the protocol on one stream ends that stream; what violates it on the connection, or
exceeds the limits of limits.py, ends the connection: `failure` says why.
"""

from __future__ import annotations

import typing

try:
    import ngh2
except ImportError as error:
    raise ImportError("HTTP/2 needs the ngh2 package, which is not installed: pip install 'httpx[http2]'.") from error

from ..._exceptions import LocalProtocolError, RemoteProtocolError
from ..._models.credentials import CREDENTIAL_FIELDS
from ..._printable import printable
from . import limits

Field = tuple[bytes, bytes]

NO_ERROR, CANCEL, REFUSED_STREAM, ENHANCE_YOUR_CALM, HTTP_1_1_REQUIRED = 0x0, 0x8, 0x7, 0xB, 0xD

_MAX_CONCURRENT_STREAMS, _ENABLE_CONNECT_PROTOCOL = 0x3, 0x8
_SETTINGS = {
    ngh2.Setting.ENABLE_PUSH: 0,
    ngh2.Setting.INITIAL_WINDOW_SIZE: limits.STREAM_WINDOW,
    ngh2.Setting.MAX_HEADER_LIST_SIZE: limits.MAX_HEADER_LIST_SIZE,
}
_CONFIGURATION = ngh2.Configuration(
    auto_window_update=False,
    peer_max_concurrent_streams=limits.INITIAL_MAX_STREAMS,
    max_reserved_remote_streams=0,
    max_send_header_block_length=limits.MAX_REQUEST_HEAD_SIZE,
    max_outbound_ack=limits.MAX_QUEUED_REPLIES,
    max_settings=limits.MAX_SETTINGS,
    max_continuations=limits.MAX_CONTINUATIONS,
    glitch_rate_limit=(limits.GLITCH_BURST, limits.GLITCH_RATE),
    max_inbound_header_list_size=limits.MAX_HEADER_LIST_SIZE,
    max_inbound_header_count=limits.MAX_FIELDS,
)

_DataReceived, _ResponseReceived, _StreamClosed = ngh2.DataReceived, ngh2.ResponseReceived, ngh2.StreamClosed

# Never put into a compression table, neither ours nor that of anyone on the way (RFC 7541 section 7.1.3).
_SENSITIVE = frozenset(name.encode("ascii") for name in CREDENTIAL_FIELDS)


_LOOSE = 256  # chunks of a body that are kept as they came, before they are made one


class HTTP2Stream:
    """One request, and what has come back for it."""

    __slots__ = (
        "chunks",
        "ended",
        "failure",
        "full",
        "has_news",
        "head",
        "informational",
        "is_open",
        "is_reset",
        "is_unprocessed",
        "needs_http1",
        "stream_id",
        "trailers",
    )

    def __init__(self) -> None:
        self.stream_id = 0
        self.is_open = False  # known to both sides as being in use
        self.head: tuple[Field, ...] | None = None  # of the final response, `:status` first
        self.chunks: list[bytes] = []
        self.full = _LOOSE  # chunks at which the last of them become one
        self.trailers: list[Field] = []
        self.ended = False  # the response is complete
        self.informational = 0
        self.failure: Exception | None = None
        self.is_reset = False  # by the peer
        self.is_unprocessed = False  # the peer says that it has done nothing with the request (RFC 9113 section 8.7)
        self.needs_http1 = False  # it says that it does so in HTTP/1.1 (section 7)
        self.has_news = False


class HTTP2Engine:
    """The client's end of an HTTP/2 connection, without its input and output. Not thread-safe."""

    __slots__ = (
        "_beginning",
        "_farewell",
        "_goaway",
        "_last_taken",
        "_late",
        "_session",
        "_stray_resets",
        "_uploads",
        "_useless",
        "awaiting_settings",
        "failure",
        "is_draining",
        "max_streams",
        "news",
        "pings_answered",
        "streams",
        "takes_websockets",
    )

    def __init__(self) -> None:
        self._session = ngh2.Connection(ngh2.Role.CLIENT, _CONFIGURATION)
        self._session.initiate_connection(_SETTINGS)
        self._session.set_local_window_size(limits.CONNECTION_WINDOW)
        self.streams: dict[int, HTTP2Stream] = {}  # those that are open
        self._uploads: dict[int, HTTP2Stream] = {}
        self._stray_resets = 0
        self._useless = 0  # bytes that arrived since something was of use to a stream
        self._late = 0  # bytes that may still arrive for streams that were left, and of which the library says nothing
        self._beginning = b""  # of what the peer says, until it is known to be no HTTP/1.1
        self._farewell = b""
        self._goaway: tuple[int, bytes] | None = None
        self._last_taken = limits.UNLIMITED_STREAMS  # by GOAWAY: streams with higher numbers the peer has not processed
        self.max_streams: int | None = None  # at the same time; None until the peer has sent its settings
        self.takes_websockets: bool | None = None  # by RFC 8441; None until the peer has sent its settings
        self.awaiting_settings: list[HTTP2Stream] = []  # to be told when it has
        self.is_draining = False  # no further stream will be accepted
        self.failure: RemoteProtocolError | None = None
        self.news: list[HTTP2Stream] = []
        self.pings_answered = 0

    @property
    def took_some(self) -> bool:
        """Whether the peer takes no more streams, and took some before that (GOAWAY)."""
        return 0 < self._last_taken < limits.UNLIMITED_STREAMS

    @property
    def has_outgoing(self) -> bool:
        """Whether `outgoing()` has anything to say."""
        return self.failure is not None or self._session.want_write

    # Sending.

    def start(self, stream: HTTP2Stream, fields: typing.Iterable[Field], ended: bool) -> None:
        """Open `stream` with these fields, pseudo-header fields first; `ended` if the request has no body."""
        try:
            stream.stream_id = self._session.send_request(fields, end_stream=ended)
        except ngh2.NGH2Error:
            self.is_draining = True
            stream.is_unprocessed = True
            stream.failure = RemoteProtocolError("The HTTP/2 connection takes no more requests.")
            return
        stream.is_open = True
        self.streams[stream.stream_id] = stream

    def send_data(self, stream: HTTP2Stream, data: bytes, ended: bool, told: HTTP2Stream | None = None) -> None:
        """Queue a piece of the body. It goes out as far as the peer's windows allow; when all has, `stream` (or `told`) has news."""
        if stream.is_open:
            self._useless = 0  # the peer's windows are
            self._session.send_data(stream.stream_id, data, end_stream=ended)
            self._uploads[stream.stream_id] = told or stream

    def queued(self, stream: HTTP2Stream) -> int:
        """Bytes of the body that wait for the peer's windows."""
        return self._session.queued_body_size(stream.stream_id) if stream.is_open else 0

    def outgoing(self) -> bytes:
        """The bytes to send now, possibly none."""
        if self.failure is not None:
            farewell, self._farewell = self._farewell, b""
            return farewell
        try:
            data = self._session.data_to_send()
        except ngh2.NGH2Error as error:
            self._fail(error)
            return b""
        self._take_events()
        if self._uploads:
            for stream_id, stream in list(self._uploads.items()):
                if stream_id not in self.streams or not self._session.queued_body_size(stream_id):
                    del self._uploads[stream_id]
                    self._tell(stream)
        return data

    def take(self, stream: HTTP2Stream) -> bytes:
        """The part of the body that has arrived; the peer may send as much again.

        Of a stream that is over, its owner may take it without a lock: nothing is changed but the stream.
        """
        chunks = stream.chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        stream.chunks = []
        stream.full = _LOOSE
        if data and stream.is_open and self.failure is None:
            self._acknowledge(len(data), stream.stream_id)
        return data

    def close(self, stream: HTTP2Stream, code: int = CANCEL) -> None:
        """Be done with `stream`: the peer is told if it is not over, and the window that its unread data took is given back."""
        if stream.chunks:
            self.take(stream)
        if stream.is_open:
            stream.is_open = False
            self._late += limits.STREAM_WINDOW
            self.streams.pop(stream.stream_id, None)
            if self.failure is None:
                self._session.reset_stream(stream.stream_id, code)

    def abandon_all(self) -> list[HTTP2Stream]:
        """The connection is gone: the streams that were open, which are so no longer."""
        streams = list(self.streams.values())
        self.streams.clear()
        self._uploads.clear()
        for stream in streams:
            stream.is_open = False
            stream.is_unprocessed = stream.stream_id > self._last_taken
        return streams

    def ping(self) -> None:
        """Ask the peer for a sign of life; `pings_answered` counts those that came."""
        if self.failure is None:
            self._session.ping()

    def goodbye(self) -> bytes:
        """The last bytes of a connection that is closed in good order."""
        return b"" if self.failure is not None else _goaway_frame(NO_ERROR)

    # Receiving.

    def receive(self, data: bytes) -> None:
        """Bytes arrived from the peer."""
        if self.failure is not None:
            return
        if len(self._beginning) < 5:
            self._beginning += data[:5]
            if self._beginning[:5] == b"HTTP/":
                self._end(RemoteProtocolError("The server answered in HTTP/1.1 on a connection where HTTP/2 was to be spoken."))
                return
        try:
            self._session.receive_data(data)
        except ngh2.NGH2Error as error:
            self._fail(error)
            return
        self._useless += len(data)
        self._take_events()
        if self.news or self._uploads:
            self._useless = 0
        elif self._late and self._useless:  # else it was data for somebody who has not looked yet
            self._late = max(self._late - len(data), 0)
            self._useless = 0
        elif self._useless > limits.MAX_USELESS and self.failure is None:
            self._end(RemoteProtocolError("The server sends without end what is of no use to any request."), ENHANCE_YOUR_CALM)

    def _take_events(self) -> None:
        # Three events make a small response, and a read brings many: so all in one loop.
        streams, news, acknowledge = self.streams, self.news, self._session.acknowledge_received_data
        stream: HTTP2Stream | None
        event: typing.Any
        for event in self._session.events():
            kind = type(event)
            if kind is _DataReceived:
                stream = streams.get(event.stream_id)
                data = event.data
                if data:
                    self._useless = 0
                if stream is None:
                    self._acknowledge(len(data), event.stream_id)
                    continue
                if data:
                    chunks = stream.chunks
                    chunks.append(data)
                    if len(chunks) > stream.full:
                        # An object for each of many small frames would take thirty times the room of what is in them.
                        start = stream.full - _LOOSE
                        chunks[start:] = [b"".join(chunks[start:])]
                        stream.full += 1
                elif not event.end_stream:
                    continue
                stream.ended = event.end_stream
            elif kind is _ResponseReceived:
                stream = streams.get(event.stream_id)
                if stream is None:
                    continue
                stream.head = event.headers
                stream.ended = event.end_stream
            elif kind is _StreamClosed:
                stream = streams.pop(event.stream_id, None)
                if stream is None:
                    continue
                # The connection need not wait for the reader: what a stream may hold is bounded.
                for chunk in stream.chunks:
                    try:
                        acknowledge(len(chunk), stream.stream_id)
                    except (ngh2.NGH2Error, ValueError):
                        break  # the library has given the window back itself
                stream.is_open = False  # from here on its owner takes data without the lock
                if self._uploads and (uploading := self._uploads.pop(stream.stream_id, None)) not in (None, stream):
                    self._tell(uploading)
                if not stream.ended:
                    self._cut(stream, event)
            else:
                self._take_rare_event(event)
                continue
            if not stream.has_news:
                stream.has_news = True
                news.append(stream)

    def _take_rare_event(self, event: typing.Any) -> None:
        stream = self.streams.get(getattr(event, "stream_id", 0))
        if isinstance(event, ngh2.SettingsReceived):
            said_before = limits.UNLIMITED_STREAMS if self.max_streams is None else self.max_streams
            self.max_streams = event.settings.get(_MAX_CONCURRENT_STREAMS, said_before)
            self.takes_websockets = bool(event.settings.get(_ENABLE_CONNECT_PROTOCOL, self.takes_websockets))
            for waiting in self.awaiting_settings:
                self._tell(waiting)
            self.awaiting_settings.clear()
        elif isinstance(event, ngh2.GoAwayReceived):
            self.is_draining = True
            self._goaway = (event.error_code, event.debug_data)
            self._last_taken = min(self._last_taken, event.last_stream_id)
        elif isinstance(event, ngh2.ConnectionClosed):
            self._closed(event)
        elif isinstance(event, ngh2.PingAcknowledged):
            self.pings_answered += 1
        elif isinstance(event, ngh2.TrailersReceived) and stream is not None:
            stream.trailers = list(event.headers)
            stream.ended = True
            self._tell(stream)
        elif isinstance(event, ngh2.InformationalResponseReceived) and stream is not None:
            stream.informational += 1
            if stream.informational > limits.MAX_INFORMATIONAL:
                stream.failure = RemoteProtocolError(f"The server sent more than {limits.MAX_INFORMATIONAL} informational responses.")
                self.close(stream, ENHANCE_YOUR_CALM)
            self._tell(stream)
        elif isinstance(event, ngh2.StreamReset) and stream is not None:
            stream.is_reset = True
        elif isinstance(event, ngh2.StreamReset):
            self._stray_resets += 1
            # Each stream may be reset by both sides at the same time.
            if self._stray_resets > limits.MAX_STRAY_RESETS + event.stream_id // 2:
                self._end(
                    RemoteProtocolError("The server sent RST_STREAM frames without end for streams that are over."), ENHANCE_YOUR_CALM
                )

    def _cut(self, stream: HTTP2Stream, event: typing.Any) -> None:
        # The stream ended before its response was complete.
        is_refused = event.error_code == REFUSED_STREAM and (event.local_error is None or self.is_draining)
        if stream.head is None and (is_refused or stream.stream_id > self._last_taken):
            stream.is_unprocessed = True
            why = f": {self.explain_end()}" if self.has_explained else " (HTTP/2 stream refused)."
            reason = f"The server did not process the request{why}"
        elif event.local_error is not None:  # the one thing that is looked at this late
            size = limits.MAX_REQUEST_HEAD_SIZE
            stream.failure = LocalProtocolError(f"The header fields of a request take at most {size} bytes on HTTP/2: {event.local_error}.")
            return
        elif not stream.is_reset:  # so it was ended here
            reason = f"The server's response is malformed{_place_of_error(stream.head)}: {_error_name(event.error_code)}."
        elif stream.head is None and event.error_code == HTTP_1_1_REQUIRED:
            stream.needs_http1 = True
            reason = "The server answers this request over HTTP/1.1 only (HTTP_1_1_REQUIRED)."
        elif stream.head is None:
            reason = f"The server ended the HTTP/2 stream without a valid response: {_error_name(event.error_code)}."
        else:
            reason = f"The server ended the HTTP/2 stream before the response was complete: {_error_name(event.error_code)}."
        stream.failure = RemoteProtocolError(reason)

    def _closed(self, event: typing.Any) -> None:
        self.is_draining = True
        if self._goaway is None:
            detail = f" ({event.debug_data.decode('ascii', 'replace')})" if event.debug_data else ""
            reason = f"The server broke the HTTP/2 protocol: {_error_name(event.error_code)}{detail}."
        else:
            reason = self.explain_end()
        # The frame that tells the peer is already among the bytes that are being taken.
        self._end(RemoteProtocolError(reason), None)

    @property
    def has_explained(self) -> bool:
        """Whether the peer has said that it ends the connection, and why."""
        return self._goaway is not None and self._goaway != (NO_ERROR, b"")

    def explain_end(self) -> str:
        """What to say of a connection that has ended."""
        if self._goaway is None:
            return "The server closed the HTTP/2 connection before the response was complete."
        code, debug = self._goaway
        detail = f" ({printable(debug.decode('ascii', 'backslashreplace'), 128)})" if debug else ""
        return f"The server ended the HTTP/2 connection: {_error_name(code)}{detail}."

    def _fail(self, error: Exception) -> None:
        if isinstance(error, ngh2.DenialOfServiceError):
            self._end(RemoteProtocolError(f"The server sent more than an HTTP/2 connection takes: {error}."), ENHANCE_YOUR_CALM)
        else:
            self._end(RemoteProtocolError(f"The server broke the HTTP/2 protocol: {error}."))

    def _end(self, failure: RemoteProtocolError, code: int | None = 1) -> None:
        self.failure = failure
        self.is_draining = True
        if code is not None:
            self._farewell = _goaway_frame(code)

    def _acknowledge(self, size: int, stream_id: int) -> None:
        try:
            self._session.acknowledge_received_data(size, stream_id)
        except (ngh2.NGH2Error, ValueError):
            return  # the stream is over: the library has given the window back itself

    def _tell(self, stream: HTTP2Stream) -> None:
        if not stream.has_news:
            stream.has_news = True
            self.news.append(stream)


def protect(fields: typing.Iterable[Field]) -> list[Field]:
    """Mark the fields that hold secrets, so that they are never put into a compression table."""
    return [ngh2.NeverIndexedHeader(name, value) if name in _SENSITIVE else (name, value) for name, value in fields]


def _goaway_frame(code: int) -> bytes:
    # Length 8, type 7, stream 0; no stream of the server's has been processed, since there are none.
    return b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + bytes(4) + code.to_bytes(4, "big")


def _place_of_error(head: tuple[Field, ...] | None) -> str:
    # Where to look, since the library does not tell.
    if head is None:
        return " in its head"
    for name, value in head:
        if name == b"content-length":
            return f" in its body, which is not as long as its Content-Length says ({value.decode('ascii')}), or in its trailers"
    return " behind its head"


def _error_name(code: int) -> str:
    try:
        return ngh2.ErrorCode(code).name
    except ValueError:
        return f"error {code:#x}"
