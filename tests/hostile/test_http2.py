"""HTTP/2 servers that mean no good, with all that must hold afterwards. More of them are in tests/http2/test_hostile_peers.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import httpx
from tests.hostile.attack import HASTY, OWN, Case, assert_nothing_is_busy, assert_presentable, attack_http2
from tests.support.http2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADER_TABLE_SIZE,
    HEADERS,
    HTTP_1_1_REQUIRED,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE,
    PADDED,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    HTTP2Peer,
    data,
    frame,
    goaway,
    literal,
    ping,
    raw_headers,
    rst_stream,
    settings,
    status_block,
    window_update,
)

pytestmark = pytest.mark.usefixtures("no_leaks")

RPE, SLOW = httpx.RemoteProtocolError, httpx.ReadTimeout
Frames = Callable[[int], bytes]
PRIORITIZED = 0x20


def head(stream: int, *fields: tuple[bytes, bytes], status: bytes = b"200", end: bool = False) -> bytes:
    return raw_headers(stream, status_block(status, fields), end=end)


def trailers(stream: int, *fields: tuple[bytes, bytes], end: bool = True) -> bytes:
    return raw_headers(stream, status_block(b"", fields)[len(status_block(b"")) :], end=end)


def in_parts(stream: int, *blocks: bytes) -> bytes:
    *others, last = blocks[1:]
    continued = [frame(CONTINUATION, 0, stream, block) for block in others]
    return b"".join([raw_headers(stream, blocks[0], end_headers=False), *continued, frame(CONTINUATION, END_HEADERS, stream, last)])


def fine(stream: int) -> bytes:
    return head(stream) + data(stream, b"hi", end=True)


GOOD: dict[str, Frames] = {
    "frames of an unknown type": lambda s: frame(0x42, 0xFF, 0, b"x" * 100) + frame(0xBB, 0, s, b"") + fine(s),
    "settings that nobody knows": lambda s: settings({0xF00D: 7}) + fine(s),
    "a reserved bit that is set": lambda s: frame(HEADERS, END_HEADERS, s | 1 << 31, status_block()) + data(s, b"hi", end=True),
    "padding": lambda s: head(s) + frame(DATA, PADDED | END_STREAM, s, b"\x05hi" + bytes(5)),
    "empty frames of data": lambda s: head(s) + data(s, b"") * 50 + data(s, b"hi", end=True),
    "the end in a frame of its own": lambda s: head(s) + data(s, b"hi") + data(s, b"", end=True),
    "trailers": lambda s: head(s) + data(s, b"hi") + trailers(s, (b"x-sum", b"1")),
    "a priority for a stream that is not there": lambda s: frame(PRIORITY, 0, 99, bytes(5)) + fine(s),
    "windows for streams that are over": lambda s: fine(s) + window_update(s, 100),
    "a length that is right": lambda s: head(s, (b"content-length", b"2")) + data(s, b"hi", end=True),
    "early hints": lambda s: head(s, (b"link", b"</a>"), status=b"103") * 16 + fine(s),
    "a ping": lambda s: frame(PING, 0, 0, bytes(8)) + fine(s),
    "a refusal of something else": lambda s: fine(s) + rst_stream(s, 0),
    "a head with a priority": lambda s: (
        frame(HEADERS, END_HEADERS | PRIORITIZED, s, bytes(4) + b"\x0f" + status_block()) + data(s, b"hi", end=True)
    ),
    "a head with padding": lambda s: (
        frame(HEADERS, END_HEADERS | PADDED, s, b"\x03" + status_block() + bytes(3)) + data(s, b"hi", end=True)
    ),
    "a head in sixteen parts": lambda s: in_parts(s, *[bytes([octet]) for octet in status_block()]) + data(s, b"hi", end=True),
    "a compression table of nothing": lambda s: settings({HEADER_TABLE_SIZE: 0}) + fine(s),
    "a compression table of 4 GB": lambda s: settings({HEADER_TABLE_SIZE: 2**32 - 1}) + fine(s),
    "windows of nothing": lambda s: settings({INITIAL_WINDOW_SIZE: 0}) + settings({INITIAL_WINDOW_SIZE: 2**31 - 1}) + fine(s),
    "a setting twice in a frame": lambda s: frame(SETTINGS, 0, 0, b"\0\3\0\0\0\5\0\3\0\0\0\7") + fine(s),
    "a goodbye to all that follows": lambda s: goaway(s) + fine(s),
    "a goodbye in two steps": lambda s: goaway(2**31 - 1) + goaway(s) + fine(s),
    "answers to pings that nobody sent": lambda s: ping(ack=True) * 5 + fine(s),
    "a window for a stream that is over": lambda s: fine(s) + window_update(s, 2**31 - 1),
    "flags that nobody knows": lambda s: head(s) + frame(DATA, 0xF6 & ~PADDED | END_STREAM, s, b"hi"),
    "bytes beyond ASCII in a value": lambda s: head(s, (b"x", b"\xff\x80")) + data(s, b"hi", end=True),
}

BAD: dict[str, Frames] = {
    "data on stream 0": lambda s: head(s) + data(0, b"hi"),
    "a head on stream 0": lambda s: head(0),
    "a head on a stream of the server's": lambda s: head(2),
    "a head on a stream that was never opened": lambda s: head(99),
    "data on a stream that was never opened": lambda s: data(99, b"hi"),
    "a reset of stream 0": lambda s: rst_stream(0, 8),
    "a reset of a stream that was never opened": lambda s: rst_stream(99, 8),
    "a reset of three bytes": lambda s: frame(RST_STREAM, 0, s, bytes(3)),
    "a ping of seven bytes": lambda s: frame(PING, 0, 0, bytes(7)),
    "a ping on a stream": lambda s: frame(PING, 0, s, bytes(8)),
    "settings of five bytes": lambda s: frame(SETTINGS, 0, 0, bytes(5)),
    "settings on a stream": lambda s: frame(SETTINGS, 0, s, b""),
    "an acknowledgement with settings": lambda s: frame(SETTINGS, ACK, 0, bytes(6)),
    "a window of more than 2^31 - 1": lambda s: settings({INITIAL_WINDOW_SIZE: 2**31}),
    "push switched on": lambda s: settings({2: 1}),
    "a window update of zero for all": lambda s: window_update(0, 0),
    "a window update of zero for one": lambda s: window_update(s, 0),
    "a window update of three bytes": lambda s: frame(WINDOW_UPDATE, 0, 0, bytes(3)),
    "windows that add up to too much": lambda s: window_update(0, 2**31 - 1) * 2,
    "a goodbye on a stream": lambda s: frame(GOAWAY, 0, s, bytes(8)),
    "a goodbye of seven bytes": lambda s: frame(GOAWAY, 0, 0, bytes(7)),
    "a goodbye and then nothing": lambda s: goaway(s, 0xB, b"canary \x1b[2J\r\n") + rst_stream(s, 0xB),
    "a priority of four bytes": lambda s: frame(PRIORITY, 0, s, bytes(4)),
    "a continuation of nothing": lambda s: frame(CONTINUATION, END_HEADERS, s, status_block()),
    "a continuation on another stream": lambda s: raw_headers(s, b"\x88", end_headers=False) + frame(CONTINUATION, END_HEADERS, s + 2, b""),
    "data within a head": lambda s: raw_headers(s, b"\x88", end_headers=False) + data(s, b"hi"),
    "padding longer than the frame": lambda s: head(s) + frame(DATA, PADDED, s, b"\xffhi"),
    "a frame of 16 MB": lambda s: head(s) + b"\xff\xff\xff\x00\x00" + s.to_bytes(4, "big") + bytes(70_000),
    "a head after the end": lambda s: head(s) + trailers(s, (b"a", b"b"), end=False),
    "a status in the trailers": lambda s: head(s) + data(s, b"hi") + head(s, status=b"500", end=True),
    "early hints that end the stream": lambda s: head(s, status=b"103", end=True),
    "101": lambda s: head(s, status=b"101"),
    "a request in the place of a response": lambda s: raw_headers(
        s, b"\x10\x07:method\x03GET\x10\x05:path\x01/\x10\x07:scheme\x04http", end=True
    ),
    "a status behind a field": lambda s: raw_headers(s, b"\x10\x01a\x01b" + status_block(), end=True),
    "a length that is too small": lambda s: head(s, (b"content-length", b"1")) + data(s, b"hi", end=True),
    "a length that is too large": lambda s: head(s, (b"content-length", b"3")) + data(s, b"hi", end=True),
    "a length of a body that never comes": lambda s: head(s, (b"content-length", b"3"), end=True),
    "two lengths": lambda s: head(s, (b"content-length", b"2"), (b"content-length", b"2")) + data(s, b"hi", end=True),
    "a length with a sign": lambda s: head(s, (b"content-length", b"+2")) + data(s, b"hi", end=True),
    "a length of 30 digits": lambda s: head(s, (b"content-length", b"9" * 30)) + data(s, b"hi", end=True),
    "a list of lengths": lambda s: head(s, (b"content-length", b"2, 2")) + data(s, b"hi", end=True),
    "a name in upper case": lambda s: head(s, (b"X-A", b"b"), end=True),
    "a name with a colon": lambda s: head(s, (b"a:b", b"c"), end=True),
    "a name with a space": lambda s: head(s, (b"a b", b"c"), end=True),
    "a value with a line break": lambda s: head(s, (b"a", b"b\r\nc: d"), end=True),
    "a value with a NUL": lambda s: head(s, (b"a", b"b\0"), end=True),
    **{
        f"the field {name.decode()}": lambda s, name=name: head(s, (name, b"x"), end=True)
        for name in (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
    },
    "a maximum frame size below the least": lambda s: settings({MAX_FRAME_SIZE: 16_383}),
    "a maximum frame size above the most": lambda s: settings({MAX_FRAME_SIZE: 2**24}),
    "windows of a stream that add up to too much": lambda s: window_update(s, 2**31 - 1) * 2,
    "a promise on stream 0": lambda s: frame(PUSH_PROMISE, END_HEADERS, 0, b"\0\0\0\2" + status_block()),
    "a promise of a stream of ours": lambda s: frame(PUSH_PROMISE, END_HEADERS, s, b"\0\0\0\7" + status_block()),
    "data on a stream of the server's": lambda s: data(2, b"x"),
    "a window for a stream that was never opened": lambda s: window_update(s + 2, 5),
    "a ping within a head": lambda s: raw_headers(s, b"\x88", end_headers=False) + ping(),
    "a frame of an unknown type within a head": lambda s: raw_headers(s, b"\x88", end_headers=False) + frame(0xEE, 0, 0, b""),
    "a head of nothing": lambda s: raw_headers(s, b"", end=True),
    "a head of padding": lambda s: frame(HEADERS, END_HEADERS | PADDED, s, b"\xff" + status_block()),
    "a head that ends within its priority": lambda s: frame(HEADERS, END_HEADERS | PRIORITIZED, s, b"\0\0"),
    "a padded frame without a length": lambda s: head(s) + frame(DATA, PADDED, s, b""),
    "an error that nobody knows": lambda s: rst_stream(s, 0xFFFFFFFF),
    "a demand for HTTP/1.1": lambda s: rst_stream(s, HTTP_1_1_REQUIRED),
    "a goodbye that takes itself back": lambda s: goaway(s) + goaway(2**31 - 1) + rst_stream(s, 1),
    "index 0": lambda s: raw_headers(s, b"\x80", end=True),
    "an index beyond the table": lambda s: raw_headers(s, b"\xbe", end=True),
    "a number beyond all bounds": lambda s: raw_headers(s, b"\xff" + b"\xff" * 20 + b"\x01", end=True),
    "a number without end": lambda s: raw_headers(s, b"\x7f" + b"\x80" * 1_000, end=True),
    "a string longer than its block": lambda s: raw_headers(s, b"\x88\x00\x7f\xff\x01ab", end=True),
    "a Huffman code for the end": lambda s: raw_headers(s, b"\x88\x00\x84\xff\xff\xff\xff\x01a", end=True),
    "Huffman codes padded with zeros": lambda s: raw_headers(s, b"\x88\x00\x82\x18\x00\x01a", end=True),
    "a table size behind a field": lambda s: raw_headers(s, b"\x88\x20", end=True),
    "a table size beyond the agreed one": lambda s: raw_headers(s, b"\x3f\xe2\x1f\x88", end=True),
    "264 kB of fields": lambda s: in_parts(s, status_block(), *[literal(b"x-%d" % i, b"v" * 16_370) for i in range(16)], b""),
    **{
        f"status {status!r}": lambda s, status=status: head(s, status=status, end=True)
        for status in (b"", b"099", b"1000", b"2 0", b"200 ", b"000", b"0x1", b"-20", "\uff12\uff10\uff10".encode())
    },
    "data behind early hints": lambda s: head(s, status=b"103") + data(s, b"hi", end=True),
    "a method in the trailers": lambda s: head(s) + data(s, b"hi") + raw_headers(s, literal(b":method", b"GET"), end=True),
    "upper case in the trailers": lambda s: head(s) + data(s, b"hi") + trailers(s, (b"X-A", b"b")),
    "a line break in the trailers": lambda s: head(s) + data(s, b"hi") + trailers(s, (b"a", b"b\r\nc: d")),
    "the connection in the trailers": lambda s: head(s) + data(s, b"hi") + trailers(s, (b"connection", b"close")),
    "trailers before a body is as long as it should be": lambda s: (
        head(s, (b"content-length", b"5")) + data(s, b"hi") + trailers(s, (b"a", b"b"))
    ),
    **{
        f"the field {name!r}: {value!r}": lambda s, name=name, value=value: head(s, (name, value), end=True)
        for name, value in (
            (b"a", b" b"),
            (b"a", b"b\t"),
            (b"a", b"b\x01"),
            (b"a", b"b\x7f"),
            (b"", b"b"),
            (b"a\0", b"b"),
            (b"a\x7f", b"b"),
            (b"\xc3\xa9", b"b"),
            (b"content-length", b""),
            (b"content-length", b"-1"),
        )
    },
    "a body where there should be none": lambda s: head(s, (b"content-length", b"0")) + data(s, b"hi", end=True),
    "HTTP/1.1": lambda s: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "text": lambda s: b"hello, this is not HTTP/2",
    "zeros": lambda s: bytes(100),
    "gzip that is none": lambda s: head(s, (b"content-encoding", b"gzip")) + data(s, b"plain text", end=True),
    "the end of a stream in the middle": lambda s: head(s) + data(s, b"hi") + rst_stream(s, 0),
    "an error in the middle": lambda s: head(s) + data(s, b"hi") + rst_stream(s, 2),
}

CLOSING: dict[str, Frames] = {
    "nothing": lambda s: b"",
    "half a frame": lambda s: head(s)[:12],
    "a head": lambda s: head(s),
    "half a body": lambda s: head(s, (b"content-length", b"9")) + data(s, b"hi"),
    "a head of which a part is missing": lambda s: raw_headers(s, b"\x88", end_headers=False),
}

CASES = [
    *[Case(f"lawful: {name}", make, b"hi") for name, make in GOOD.items()],
    *[Case(name, make, httpx.DecodingError if "gzip" in name else RPE) for name, make in BAD.items()],
    *[Case(f"closed behind {name}", make, (RPE, httpx.ReadError), ends=True) for name, make in CLOSING.items()],
    # Within a frame or a head nothing else can follow; that a connection is silent for so short a time is not held against it.
    *[Case(f"silent behind {name}", CLOSING[name], SLOW, timeout=HASTY) for name in ("nothing", "a head", "half a body")],
    Case("HEAD with a length", lambda s: head(s, (b"content-length", b"9"), end=True), b"", method="HEAD"),
    Case("HEAD with a body", lambda s: head(s) + data(s, b"EVIL", end=True), (RPE,), method="HEAD"),
    Case("304 with a length", lambda s: head(s, (b"content-length", b"9"), status=b"304", end=True), b""),
    Case("204 with a body", lambda s: head(s, status=b"204") + data(s, b"EVIL", end=True), (RPE,)),
    Case("a redirect loop", lambda s: head(s, (b"location", b"/attack"), status=b"302", end=True), OWN, request={"follow_redirects": True}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_http2(runtime, case):
    attack_http2(runtime, case)


NEVER_WILLING: dict[str, Frames] = {
    "refuses every stream": lambda s: rst_stream(s, REFUSED_STREAM),
    "says goodbye at once": lambda s: goaway(0),
    "takes no streams": lambda s: settings({MAX_CONCURRENT_STREAMS: 0}),
    "takes no streams and refuses this one": lambda s: settings({MAX_CONCURRENT_STREAMS: 0}) + rst_stream(s, REFUSED_STREAM),
}


@pytest.mark.parametrize("name", NEVER_WILLING)
async def test_a_server_that_is_never_willing_is_not_asked_for_ever(runtime, scripted, name):
    def script(conn):
        peer = HTTP2Peer(conn)
        while True:
            stream, _, _ = peer.read_request()
            peer.send(NEVER_WILLING[name](stream))

    server = scripted(script)
    transport = runtime.transport(http1=False, http2=True)
    async with runtime.client(transport=transport, timeout=httpx.Timeout(4, read=0.3, pool=0.3)) as client:
        for _ in range(2):
            with pytest.raises((RPE, SLOW, httpx.ReadError)) as caught:
                await client.get(server.url)
            assert_presentable(caught.value)
        assert_nothing_is_busy(client)
    assert len(server.connections) <= 8
