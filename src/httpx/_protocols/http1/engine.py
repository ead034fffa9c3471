"""One side of an HTTP/1.1 connection, ours: it serializes requests and reads the responses to them.

The life of a connection is a small table, and only this file changes the state:

    state      │ start() ──►  next_head() final ──►  body complete ──►  start() again
    ───────────┼──────────────────────────────────────────────────────────────────────
    IDLE       │ SENT
    SENT       │              BODY (or UPGRADED on 101, or a CONNECT's 2xx)
    BODY       │                                     IDLE if reusable, else DONE
    any        │ DONE, after an error, `Connection: close`, or bytes that nobody asked for

Bytes are given to `receive()`; `next_head()` and `next_data()` return what has become of them, or `NEED_DATA`.
"""

from __future__ import annotations

import enum

from ..._exceptions import RemoteProtocolError
from .body import NO_BODY, BodyReader, Buffer, ChunkedBody, SizedBody, body_reader, framing_of
from .head import MAX_HEAD_SIZE, MAX_KNOWN_HEAD, HeadReader, KnownHeads, ResponseHead, excerpt

MAX_INFORMATIONAL = 16
"""Informational (1xx) responses that may precede a final one."""


class NeedData(enum.Enum):
    """The type of `NEED_DATA`, which says that the bytes received so far are not enough."""

    NEED_DATA = enum.auto()


NEED_DATA = NeedData.NEED_DATA

IDLE, SENT, BODY, UPGRADED, DONE = range(5)


class HTTP1Engine:
    """The client's end of an HTTP/1.1 connection, without its input and output.

    Who asks a server again and again mostly gets the head of the last time, or of a few times ago, but for the second in its `Date`. What
    is the same byte for byte, up to the empty line at its end, means the same: it is not parsed again. That saves a fifth of a small
    request. `known` are the heads of all connections of the client.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_head_reader",
        "_informational",
        "_keep_alive",
        "_last_head",
        "_method",
        "_upgrade_offered",
        "_whole",
        "is_abandoned",
        "state",
    )

    def __init__(self, known: KnownHeads | None = None) -> None:
        self.state = IDLE
        self.is_abandoned = False
        self._buffer = Buffer()
        self._head_reader = HeadReader(known)
        self._last_head: ResponseHead | None = None
        self._body: BodyReader | None = None
        self._whole: bytes | None = None  # the body, where it came with the head
        self._method = ""
        self._keep_alive = True
        self._upgrade_offered = False
        self._informational = 0

    def start(self, method: str, keep_alive: bool, upgrade_offered: bool) -> None:
        """A request goes out: the next response belongs to it."""
        if self._buffer.data:
            self.state = DONE
            raise RemoteProtocolError("The server sent data before it was asked.")
        self.state = SENT
        self._body = self._whole = None
        self._method = method
        self._keep_alive = keep_alive
        self._upgrade_offered = upgrade_offered
        self._informational = 0

    def receive(self, data: bytes) -> None:
        """Bytes arrived from the peer; empty means that it will send no more."""
        if data:
            buffer = self._buffer
            if buffer.data:
                buffer.append(data)
            else:
                buffer.data = data
            return
        if self.state == BODY and self._body is not None:
            self._keep_alive = False
            try:
                self._body.end()
            except RemoteProtocolError:
                self.state = DONE
                raise
            return
        if self.awaits_first_byte:
            raise RemoteProtocolError("Server disconnected without sending a response.")
        self.state = DONE
        raise RemoteProtocolError(f"The server closed the connection within the head of its response: {excerpt(self._buffer.data)}")

    @property
    def awaits_first_byte(self) -> bool:
        """Whether a request is out and nothing at all has come back for it."""
        return self.state == SENT and not self._buffer.data and not self._informational

    def next_head(self) -> ResponseHead | NeedData:
        """The next head: an informational one (status below 200), or the final one. Raises `RemoteProtocolError`."""
        data = self._buffer.data
        if not data:
            return NEED_DATA
        try:
            head = self._last_head
            if head is not None and type(data) is bytes and data.startswith(head.raw):
                size = len(head.raw)
            else:
                found = self._head_reader.read(data)
                if found is None:
                    return NEED_DATA
                head, size = found
                self._last_head = head if size <= MAX_KNOWN_HEAD and not head.ends_lines_bare else None
            rest = self._buffer.data = data[size:]
            if head.status_code < 200 or self._method == "CONNECT":
                self._keep_alive = self._keep_alive and not head.ends_lines_bare
                self._accept_other(head)
            if self.state == SENT and head.status_code >= 200:
                framing = 0 if self._method == "HEAD" else head.framing
                if framing is None:
                    framing = head.framing = framing_of(head)
                if len(rest) == framing and type(rest) is bytes:
                    # All of the response, and nothing else: there is nothing to cut.
                    self._whole, self._body = rest, NO_BODY
                    self._buffer.data = b""
                else:
                    self._body = body_reader(framing)
                self._keep_alive = self._keep_alive and head.persists
                self.state = BODY
        except RemoteProtocolError:
            self.state = DONE
            raise
        return head

    def peek_final(self) -> bool | None:
        """Whether the head that `next_head` will return is the final one, or an error; None until that can be told. Raises nothing."""
        data = self._buffer.data
        if b"\r\n\r\n" in data:
            return data[9:10] != b"1"
        return True if len(data) > MAX_HEAD_SIZE else None

    def abandon_request(self) -> None:
        """The request will not be sent to its end: the connection can serve no other."""
        self._keep_alive = False
        self.is_abandoned = True

    def _accept_other(self, head: ResponseHead) -> None:
        # What is not, or may not be, the beginning of a response to the request.
        if head.status_code == 101:
            if not self._upgrade_offered:
                raise RemoteProtocolError("The server switched protocols (101) without being asked to.")
            self.state = UPGRADED
        elif head.status_code < 200:
            self._informational += 1
            if self._informational > MAX_INFORMATIONAL:
                raise RemoteProtocolError(f"The server sent more than {MAX_INFORMATIONAL} informational responses.")
        elif head.status_code < 300:
            self.state = UPGRADED  # CONNECT: the connection is a tunnel now

    def next_data(self) -> bytes | NeedData | None:
        """The next bytes of the body, None at its end. Raises `RemoteProtocolError`."""
        body = self._body
        if self.state != BODY or body is None:
            return None
        if self._whole is not None:
            return self.whole_body()
        if not self._buffer.data:
            return None if body.complete else NEED_DATA
        try:
            data = body.take(self._buffer)
        except RemoteProtocolError:
            self.state = DONE
            raise
        if data:
            return data
        if not body.complete:
            return NEED_DATA
        return None

    def whole_body(self) -> bytes | None:
        """The body, if all of it has been received already; else None, and nothing is taken."""
        whole, self._whole = self._whole, None
        if whole is not None:
            return whole
        body = self._body
        if self.state != BODY or body is None:
            return None
        if body.complete:
            return b""
        if type(body) is ChunkedBody:
            return body.take_whole(self._buffer)
        if type(body) is SizedBody and len(self._buffer.data) >= body.size:
            return body.take(self._buffer)
        return None

    def finish(self) -> bool:
        """Close the books on this exchange: whether the connection may carry another one."""
        body = self._body
        if self._keep_alive and self.state == BODY and body is not None and body.complete and not self._buffer.data:
            self.state = IDLE
            return True
        self.state = DONE
        return False

    @property
    def trailers(self) -> list[tuple[bytes, bytes]]:
        """The trailer fields of a chunked body that is complete."""
        return getattr(self._body, "trailers", [])

    def unread(self) -> bytes:
        """After an upgrade: bytes received that already belong to the other protocol."""
        return self._buffer.take(len(self._buffer.data))
