"""Where a response body ends (RFC 9112 sections 6 and 7): one reader for each of the three framings.

A reader is given the connection's buffer and takes from it what belongs to the body. `take` returns the bytes that are
ready, possibly none; `complete` turns true with the last one. Bytes behind the body are left in the buffer.
"""

from __future__ import annotations

import re

from ..._exceptions import RemoteProtocolError
from ..._models.headers import Fields
from .head import MAX_HEAD_SIZE, ResponseHead, check_size, excerpt, parse_fields, too_large

MAX_CHUNK_EXTENSIONS = 16_384
"""Bytes of chunk extensions that one response may have, all chunks together."""

# chunk = chunk-size [ chunk-ext ] CRLF; sixteen hexadecimal digits are 64 bits.
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})([\t ]*+(?:;[\t\x20-\x7e\x80-\xff]*+)?)\r\n")
_CHUNK_LINE_START = re.compile(rb"[0-9A-Fa-f]{0,16}(?:[\t ]*+(?:;[\t\x20-\x7e\x80-\xff]*+)?)\r?\Z")

_CHUNKED_END = b"\r\n0\r\n\r\n"


class Buffer:
    """Bytes received and not yet taken."""

    __slots__ = ("data",)

    def __init__(self) -> None:
        self.data: bytes | bytearray = b""

    def append(self, data: bytes) -> None:
        """Add what arrived. One piece stays as it came; only a second one before it was taken makes a growing buffer."""
        if not self.data:
            self.data = data
            return
        if not isinstance(self.data, bytearray):
            self.data = bytearray(self.data)
        self.data += data

    def skip(self, size: int) -> None:
        """Remove the first `size` bytes."""
        data = self.data
        if len(data) == size:
            self.data = b""
        elif isinstance(data, bytearray):
            del data[:size]
        else:
            self.data = data[size:]

    def take(self, size: int) -> bytes:
        """Remove and return the first `size` bytes, or as many as there are."""
        data = self.data
        if len(data) <= size:
            self.data = b""
            return bytes(data)
        taken = bytes(data[:size])
        self.skip(size)
        return taken


class NoBody:
    """HEAD, 1xx, 204 and 304: there is no body, whatever the header fields say (RFC 9112 section 6.3). Or none is left."""

    __slots__ = ()
    complete = True

    def take(self, buffer: Buffer) -> bytes:
        return b""

    def end(self) -> None:
        return None


class SizedBody:
    """A body of `Content-Length` bytes."""

    __slots__ = ("_remaining", "complete", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._remaining = size
        self.complete = size == 0

    def take(self, buffer: Buffer) -> bytes:
        data = buffer.data
        remaining = self._remaining - len(data)
        if remaining < 0:
            data = buffer.take(self._remaining)
            remaining = 0
        else:
            buffer.data = b""
        self._remaining = remaining
        self.complete = remaining == 0
        return data if type(data) is bytes else bytes(data)

    def end(self) -> None:
        raise RemoteProtocolError(
            "peer closed connection without sending complete message body "
            f"(received {self.size - self._remaining} bytes, expected {self.size})"
        )


class UnsizedBody:
    """A body that ends with the connection."""

    __slots__ = ("complete",)

    def __init__(self) -> None:
        self.complete = False

    def take(self, buffer: Buffer) -> bytes:
        return buffer.take(len(buffer.data))

    def end(self) -> None:
        self.complete = True


class ChunkedBody:
    """A body in the chunked transfer coding, with its trailer section (RFC 9112 section 7.1)."""

    __slots__ = ("_break_due", "_extensions", "_in_trailers", "_remaining", "complete", "trailers")

    def __init__(self) -> None:
        self._remaining = 0  # bytes left of the current chunk
        self._break_due = False  # the CRLF behind a chunk's data has not been seen yet
        self._in_trailers = False
        self._extensions = 0
        self.complete = False
        self.trailers: Fields = []

    def take(self, buffer: Buffer) -> bytes:
        if self.complete:
            return b""  # what is left in the buffer is not of this body
        data = buffer.data
        position = 0
        pieces: list[bytes] = []
        while not self._in_trailers:
            if self._remaining:
                piece = bytes(data[position : position + self._remaining])
                position += len(piece)
                self._remaining -= len(piece)
                if piece:
                    pieces.append(piece)
                if self._remaining:
                    break
                self._break_due = True
            if self._break_due:
                ending = data[position : position + 2]
                if ending != b"\r\n":
                    _require_start(ending, b"\r\n", "The data of a chunk does not end where its size says: ")
                    break
                position += 2
                self._break_due = False
            following = self._read_size(data, position)
            if following < 0:
                break
            position = following
        buffer.skip(position)
        if self._in_trailers:
            self._read_trailers(buffer)
        return b"".join(pieces)

    def take_whole(self, buffer: Buffer) -> bytes | None:
        """All of the body, if all of it is in the buffer, which then is empty; else None, and nothing is taken. To be called first."""
        data = buffer.data
        if not data.endswith(_CHUNKED_END):  # which is how bodies without trailers end, and seldom a piece of one
            return None
        line = _CHUNK_LINE.match(data)
        if line is not None and not line[2]:
            start = line.end()
            if len(data) - start - len(_CHUNKED_END) == int(line[1], 16) > 0:  # a single chunk, as mostly
                self.complete = True
                buffer.data = b""
                return bytes(data[start : -len(_CHUNKED_END)])
        reader = ChunkedBody()
        try:
            whole = reader.take(buffer)
        except RemoteProtocolError:
            whole = b""  # raised again where the body is read
        if reader.complete and not buffer.data:
            self.complete = True
            return whole
        buffer.data = data
        return None

    def _read_size(self, data: bytes | bytearray, position: int) -> int:
        # Returns where the chunk's data begins, or -1 if its line is not complete.
        line = _CHUNK_LINE.match(data, position)
        if line is None:
            rest = bytes(data[position : position + MAX_CHUNK_EXTENSIONS + 32])
            if _CHUNK_LINE_START.match(rest) is None or (rest and rest[:1] in b";\r\t "):
                raise RemoteProtocolError(f"The response has a malformed chunk size: {excerpt(rest)}")
            self._check_extensions(len(rest) - 17)
            return -1
        if line[2]:
            self._extensions += len(line[2])
            self._check_extensions(0)
        self._remaining = int(line[1], 16)
        if self._remaining == 0:
            self._in_trailers = True
        return line.end()

    def _check_extensions(self, more: int) -> None:
        if self._extensions + more > MAX_CHUNK_EXTENSIONS:
            raise RemoteProtocolError(f"The response has more than {MAX_CHUNK_EXTENSIONS} bytes of chunk extensions.")

    def _read_trailers(self, buffer: Buffer) -> None:
        data = buffer.data
        if data[:2] == b"\r\n":
            buffer.skip(2)
            self.complete = True
            return
        end = data.find(b"\r\n\r\n")
        if end < 0 and len(data) > MAX_HEAD_SIZE:
            raise too_large("trailers")
        if end >= 0:
            check_size(data[: end + 4], "trailers")
            self.trailers = parse_fields(data[: end + 4])
            buffer.skip(end + 4)
            self.complete = True

    def end(self) -> None:
        raise RemoteProtocolError("peer closed connection without sending complete message body (incomplete chunked read)")


BodyReader = NoBody | SizedBody | UnsizedBody | ChunkedBody
NO_BODY = NoBody()
_UNSIZED, _CHUNKED = -1, -2


def body_reader(framing: int) -> BodyReader:
    """The reader for a body that is framed so."""
    if framing > 0:
        return SizedBody(framing)
    if framing == 0:
        return NO_BODY
    return ChunkedBody() if framing == _CHUNKED else UnsizedBody()


def framing_of(head: ResponseHead) -> int:
    """The size of the body that follows `head`, or a negative number for how its end is told instead (RFC 9112 section 6.3).

    Conflicting framing is how one response is made to look like two: it raises `RemoteProtocolError`, never a guess.
    """
    if head.status_code < 200 or head.status_code in (204, 304):
        return 0
    coding = head.picked.get(b"transfer-encoding")
    length = head.picked.get(b"content-length")
    if coding is None:
        if length is None:
            return _UNSIZED
        return int(length) if length.isdigit() and len(length) < 20 else _agreed_length(length)
    if length is not None:
        raise RemoteProtocolError("The response has both Content-Length and Transfer-Encoding.")
    if coding.lower() != b"chunked":
        raise RemoteProtocolError(f"The response has a Transfer-Encoding other than chunked: {excerpt(coding)}")
    if head.http_version == b"HTTP/1.0":
        raise RemoteProtocolError("The response has a Transfer-Encoding, which HTTP/1.0 does not know.")
    return _CHUNKED


def _agreed_length(value: bytes) -> int:
    # Several equal copies of Content-Length count as one (RFC 9110 section 8.6).
    copies = {copy.strip(b" \t") for copy in value.split(b",")}
    if len(copies) > 1:
        raise RemoteProtocolError(f"The response has conflicting Content-Length values: {excerpt(value)}")
    (only,) = copies
    if not only.isdigit() or len(only) > 19:
        raise RemoteProtocolError(f"The response has a malformed Content-Length: {excerpt(value)}")
    return int(only)


def _require_start(data: bytes | bytearray, expected: bytes, complaint: str) -> None:
    if not expected.startswith(data):
        raise RemoteProtocolError(complaint + excerpt(data))
