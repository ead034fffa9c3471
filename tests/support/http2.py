"""An HTTP/2 server that does exactly as told, on `ScriptedServer`: frames are built and read by hand.

    def refuses(conn):
        peer = HTTP2Peer(conn)
        stream_id, fields = peer.read_request()
        peer.send(rst_stream(stream_id, REFUSED_STREAM))

`HTTP2Peer` greets, acknowledges settings, and reads requests; `keep_alive_http2` answers one after the other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import hpack

from tests.support.servers import Connection, Script

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 0x1, 0x1, 0x4, 0x8
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, REFUSED_STREAM, CANCEL = 0x0, 0x1, 0x2, 0x3, 0x7, 0x8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM, HTTP_1_1_REQUIRED = 0x9, 0xB, 0xD
HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = 1, 3, 4, 5, 6

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
Fields = Sequence[tuple[bytes | str, bytes | str]]


class Frame(NamedTuple):
    type: int
    flags: int
    stream_id: int
    payload: bytes


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


def settings(values: dict[int, int] | None = None) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in (values or {}).items()))


def data(stream_id: int, payload: bytes, *, end: bool = False) -> bytes:
    return frame(DATA, END_STREAM if end else 0, stream_id, payload)


def rst_stream(stream_id: int, code: int) -> bytes:
    return frame(RST_STREAM, 0, stream_id, code.to_bytes(4, "big"))


def goaway(last_stream_id: int, code: int = NO_ERROR, debug: bytes = b"") -> bytes:
    return frame(GOAWAY, 0, 0, struct.pack(">II", last_stream_id, code) + debug)


def window_update(stream_id: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream_id, increment.to_bytes(4, "big"))


def ping(payload: bytes = b"12345678", *, ack: bool = False) -> bytes:
    return frame(PING, ACK if ack else 0, 0, payload)


def literal(name: bytes, value: bytes) -> bytes:
    """A field as it is, never indexed and not compressed: also one that no encoder would make."""
    return b"\x10" + _integer(len(name)) + name + _integer(len(value)) + value


def _integer(number: int) -> bytes:
    if number < 127:
        return bytes((number,))
    number -= 127
    rest = bytearray((127,))
    while number >= 128:
        rest.append(number % 128 + 128)
        number //= 128
    return bytes((*rest, number))


class HTTP2Peer:
    """The server's side of one connection."""

    def __init__(self, conn: Connection, values: dict[int, int] | None = None, *, greet: bool = True) -> None:
        self.conn = conn
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder(max_header_list_size=1 << 24)
        self.frames: list[Frame] = []  # all that have been read
        assert conn.read_exactly(len(PREFACE)) == PREFACE
        if greet:
            self.send(settings(values))

    def send(self, *frames: bytes) -> None:
        self.conn.send(b"".join(frames))

    def read_frame(self) -> Frame:
        """The next frame; SETTINGS are acknowledged."""
        head = self.conn.read_exactly(9)
        payload = self.conn.read_exactly(int.from_bytes(head[:3], "big"))
        found = Frame(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
        self.frames.append(found)
        if found.type == SETTINGS and not found.flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        return found

    def read_until(self, kind: int, stream_id: int | None = None) -> Frame:
        """The next frame of this type (on this stream); those before it are passed over."""
        while True:
            found = self.read_frame()
            if found.type == kind and stream_id in (None, found.stream_id) and not (kind in (SETTINGS, PING) and found.flags & ACK):
                return found

    def read_head(self) -> tuple[int, dict[str, str], bool]:
        """The next request's head: its stream, its fields, whether that is all of it."""
        found = self.read_until(HEADERS)
        fields = self.decoder.decode(found.payload[5:] if found.flags & 0x20 else found.payload)
        return found.stream_id, {str(name): str(value) for name, value in fields}, bool(found.flags & END_STREAM)

    def read_request(self) -> tuple[int, dict[str, str], bytes]:
        """The next request with its body, for which it gets all the window that it needs."""
        stream_id, fields, ended = self.read_head()
        body = b""
        while not ended:
            found = self.read_until(DATA, stream_id)
            body += found.payload
            ended = bool(found.flags & END_STREAM)
            if found.payload and not ended:
                self.send(window_update(0, len(found.payload)), window_update(stream_id, len(found.payload)))
        return stream_id, fields, body

    def headers(self, stream_id: int, fields: Fields = ((":status", "200"),), *, end: bool = False) -> bytes:
        """A HEADERS frame."""
        return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream_id, self.encoder.encode(fields))

    def respond(self, stream_id: int, body: bytes = b"", status: int = 200, fields: Fields = ()) -> None:
        """A whole response, in frames of at most 16 kB, without regard to windows."""
        head = self.headers(stream_id, [(":status", str(status)), *fields], end=not body)
        pieces = [body[start : start + 16_384] for start in range(0, len(body), 16_384)]
        self.send(head, *(data(stream_id, piece, end=piece is pieces[-1]) for piece in pieces))


def keep_alive_http2(answer: Callable[[dict[str, str], bytes], bytes], values: dict[int, int] | None = None) -> Script:
    """A script that answers all requests, as they are complete, with what `answer` makes of their fields and bodies."""

    def script(conn: Connection) -> None:
        peer = HTTP2Peer(conn, values)
        requests: dict[int, tuple[dict[str, str], bytearray]] = {}
        while True:
            found = peer.read_frame()
            if found.type == HEADERS:
                fields = peer.decoder.decode(found.payload[5:] if found.flags & 0x20 else found.payload)
                requests[found.stream_id] = ({str(name): str(value) for name, value in fields}, bytearray())
            elif found.type == PING and not found.flags & ACK:
                peer.send(ping(found.payload, ack=True))
            elif found.type == RST_STREAM:
                requests.pop(found.stream_id, None)
            elif found.type == DATA and found.payload:
                peer.send(window_update(0, len(found.payload)))
                if found.stream_id in requests:
                    requests[found.stream_id][1].extend(found.payload)
                    if not found.flags & END_STREAM:
                        peer.send(window_update(found.stream_id, len(found.payload)))
            if found.type in (HEADERS, DATA) and found.flags & END_STREAM and found.stream_id in requests:
                fields, body = requests.pop(found.stream_id)
                peer.respond(found.stream_id, answer(fields, bytes(body)))

    return script


def raw_headers(stream_id: int, block: bytes, *, end: bool = False, end_headers: bool = True) -> bytes:
    """A HEADERS frame with a block of fields made by hand."""
    return frame(HEADERS, (END_HEADERS if end_headers else 0) | (END_STREAM if end else 0), stream_id, block)


def status_block(status: bytes = b"200", fields: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """A block of fields as it is, never indexed."""
    return b"".join(literal(name, value) for name, value in [(b":status", status), *fields])
