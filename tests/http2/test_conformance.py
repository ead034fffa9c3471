"""RFC 9113, rule by rule, as h2spec asks them of a server: what the engine says to a peer that breaks them, and what it puts up with."""

from __future__ import annotations

import struct
import sys
from typing import NamedTuple

import hpack
import pytest

from httpx._protocols.http2.engine import HTTP2Engine, HTTP2Stream
from tests.support.http2 import (
    ACK,
    COMPRESSION_ERROR,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FLOW_CONTROL_ERROR,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Frame,
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

FRAME_SIZE_ERROR = 0x6
HEADER_TABLE_SIZE, ENABLE_PUSH, UNKNOWN = 1, 2, 0xFF
OK = b"\x88"  # :status 200
FIELDS = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"example.org"), (b":path", b"/")]


def frames_of(sent: bytes) -> list[Frame]:
    found = []
    while sent:
        size = int.from_bytes(sent[:3], "big")
        found.append(Frame(sent[3], sent[4], int.from_bytes(sent[5:9], "big"), sent[9 : 9 + size]))
        sent = sent[9 + size :]
    return found


class Verdict(NamedTuple):
    connection: int | None  # the code of the GOAWAY
    stream: int | None  # the code of the RST_STREAM


def connected(greeting: bytes = settings() + frame(SETTINGS, ACK, 0)) -> tuple[HTTP2Engine, HTTP2Stream]:
    """An engine that has greeted and been greeted, with a request under way on stream 1."""
    engine, stream = HTTP2Engine(), HTTP2Stream()
    engine.start(stream, FIELDS, ended=True)
    engine.outgoing()
    engine.receive(greeting)
    engine.outgoing()
    return engine, stream


def verdict(sent: bytes) -> Verdict:
    found = {kind: [item for item in frames_of(sent) if item.type == kind] for kind in (GOAWAY, RST_STREAM)}
    connection = int.from_bytes(found[GOAWAY][0].payload[4:8], "big") if found[GOAWAY] else None
    return Verdict(connection, int.from_bytes(found[RST_STREAM][0].payload, "big") if found[RST_STREAM] else None)


OPEN = raw_headers(1, OK)

CONNECTION_ERRORS = {
    "4.2 a DATA frame beyond SETTINGS_MAX_FRAME_SIZE": (OPEN + data(1, bytes(16_385)), FRAME_SIZE_ERROR),
    "4.2 a HEADERS frame beyond it": (raw_headers(1, literal(b"a", bytes(16_400))), FRAME_SIZE_ERROR),
    "4.3 a block that is no HPACK": (raw_headers(1, b"\xff\xff\xff\xff\xff\xff"), COMPRESSION_ERROR),
    "4.3 another frame within a block": (raw_headers(1, OK, end_headers=False) + frame(PRIORITY, 0, 1, bytes(5)), PROTOCOL_ERROR),
    "4.3 another stream within a block": (raw_headers(1, OK, end_headers=False) + raw_headers(3, OK), PROTOCOL_ERROR),
    "5.1 DATA on an idle stream": (data(5, b"x"), PROTOCOL_ERROR),
    "5.1 HEADERS on an idle stream": (raw_headers(5, OK), PROTOCOL_ERROR),
    "5.1 RST_STREAM on an idle stream": (rst_stream(5, 8), PROTOCOL_ERROR),
    "5.1 WINDOW_UPDATE on an idle stream": (window_update(5, 1), PROTOCOL_ERROR),
    "5.1 CONTINUATION on an idle stream": (frame(CONTINUATION, END_HEADERS, 5, OK), PROTOCOL_ERROR),
    "5.1 HEADERS on an idle stream of its own": (raw_headers(2, OK), PROTOCOL_ERROR),
    "5.5 an unknown frame within a block": (raw_headers(1, OK, end_headers=False) + frame(0xEE, 0, 1, b"x"), PROTOCOL_ERROR),
    "6.1 DATA on stream 0": (data(0, b"x"), PROTOCOL_ERROR),
    "6.1 more padding than frame": (OPEN + frame(DATA, PADDED, 1, b"\x06" + bytes(5)), PROTOCOL_ERROR),
    "6.2 HEADERS on stream 0": (raw_headers(0, OK), PROTOCOL_ERROR),
    "6.2 more padding than frame": (frame(HEADERS, END_HEADERS | PADDED, 1, b"\x06" + OK), PROTOCOL_ERROR),
    "6.4 RST_STREAM on stream 0": (rst_stream(0, 8), PROTOCOL_ERROR),
    "6.4 RST_STREAM of the wrong length": (frame(RST_STREAM, 0, 1, b"\0\0\0"), FRAME_SIZE_ERROR),
    "6.5 an acknowledgement with content": (frame(SETTINGS, ACK, 0, bytes(6)), FRAME_SIZE_ERROR),
    "6.5 SETTINGS on a stream": (frame(SETTINGS, 0, 1), PROTOCOL_ERROR),
    "6.5 SETTINGS of the wrong length": (frame(SETTINGS, 0, 0, bytes(7)), FRAME_SIZE_ERROR),
    "6.5.2 SETTINGS_ENABLE_PUSH 2": (settings({ENABLE_PUSH: 2}), PROTOCOL_ERROR),
    "6.5.2 SETTINGS_ENABLE_PUSH 1, of a server": (settings({ENABLE_PUSH: 1}), PROTOCOL_ERROR),
    "6.5.2 SETTINGS_INITIAL_WINDOW_SIZE beyond all": (settings({INITIAL_WINDOW_SIZE: 2**31}), FLOW_CONTROL_ERROR),
    "6.5.2 SETTINGS_MAX_FRAME_SIZE below": (settings({MAX_FRAME_SIZE: 16_383}), PROTOCOL_ERROR),
    "6.5.2 SETTINGS_MAX_FRAME_SIZE above": (settings({MAX_FRAME_SIZE: 2**24}), PROTOCOL_ERROR),
    "6.6 PUSH_PROMISE, which was ruled out": (frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\x02\x82"), PROTOCOL_ERROR),
    "6.7 PING on a stream": (frame(PING, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "6.7 PING of the wrong length": (frame(PING, 0, 0, bytes(6)), FRAME_SIZE_ERROR),
    "6.8 GOAWAY on a stream": (frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "6.9 WINDOW_UPDATE 0 for the connection": (window_update(0, 0), PROTOCOL_ERROR),
    "6.9 WINDOW_UPDATE of the wrong length": (frame(WINDOW_UPDATE, 0, 0, bytes(3)), FRAME_SIZE_ERROR),
    "6.9.1 the window of the connection beyond all": (window_update(0, 2**31 - 1), FLOW_CONTROL_ERROR),
    "6.10 CONTINUATION on stream 0": (frame(CONTINUATION, END_HEADERS, 0, OK), PROTOCOL_ERROR),
    "6.10 CONTINUATION after the end of a block": (OPEN + frame(CONTINUATION, END_HEADERS, 1, b"\x88"), PROTOCOL_ERROR),
    # Errors of one stream, which the library takes for the connection's, as section 5.4.1 allows.
    "6.9 WINDOW_UPDATE 0 for a stream": (window_update(1, 0), PROTOCOL_ERROR),
    "6.9.1 the window of a stream beyond all": (window_update(1, 2**31 - 1), FLOW_CONTROL_ERROR),
    "8.1 DATA before HEADERS": (data(1, b"x", end=True), PROTOCOL_ERROR),
}


@pytest.mark.parametrize(("frames", "code"), CONNECTION_ERRORS.values(), ids=CONNECTION_ERRORS)
def test_what_ends_the_connection(frames, code):
    engine, stream = connected()
    engine.receive(frames)
    sent = engine.outgoing()
    assert verdict(sent).connection == code
    assert engine.failure is not None
    assert engine.abandon_all() in ([stream], [])
    assert engine.is_draining


def test_a_peer_that_does_not_greet_with_its_settings():
    # 3.4
    engine, _ = connected(ping())
    assert engine.failure is not None
    assert "preface" in str(engine.failure) or "SETTINGS" in str(engine.failure)


STREAM_ERRORS = {
    "8.1 a second final head": (OPEN + OPEN, PROTOCOL_ERROR),
    "8.1 trailers that do not end the stream": (OPEN + raw_headers(1, literal(b"a", b"b")), PROTOCOL_ERROR),
    "8.1 pseudo-header fields in trailers": (OPEN + raw_headers(1, OK, end=True), PROTOCOL_ERROR),
    "8.2 a name in upper case": (raw_headers(1, status_block(b"200", [(b"A", b"b")])), PROTOCOL_ERROR),
    "8.2.1 a line break in a value": (raw_headers(1, status_block(b"200", [(b"a", b"b\r\nc: d")])), PROTOCOL_ERROR),
    "8.2.2 a field of the connection": (raw_headers(1, status_block(b"200", [(b"connection", b"close")])), PROTOCOL_ERROR),
    "8.3 an unknown pseudo-header field": (raw_headers(1, status_block(b"200", [(b":test", b"x")])), PROTOCOL_ERROR),
    "8.3 one of requests": (raw_headers(1, status_block(b"200", [(b":method", b"GET")])), PROTOCOL_ERROR),
    "8.3 one behind the fields": (raw_headers(1, literal(b"a", b"b") + OK), PROTOCOL_ERROR),
    "8.3.2 no :status": (raw_headers(1, literal(b"a", b"b")), PROTOCOL_ERROR),
    "8.3.2 two of them": (raw_headers(1, OK + OK), PROTOCOL_ERROR),
    "8.1.1 less than content-length": (
        raw_headers(1, status_block(b"200", [(b"content-length", b"2")])) + data(1, b"x", end=True),
        PROTOCOL_ERROR,
    ),
    "8.1.1 more than content-length": (
        raw_headers(1, status_block(b"200", [(b"content-length", b"1")])) + data(1, b"xy", end=True),
        PROTOCOL_ERROR,
    ),
}


@pytest.mark.parametrize(("frames", "code"), STREAM_ERRORS.values(), ids=STREAM_ERRORS)
def test_what_ends_the_stream_and_leaves_the_connection(frames, code):
    engine, stream = connected()
    engine.receive(frames)
    assert verdict(engine.outgoing()) == (None, code)
    assert stream.failure is not None
    assert not stream.ended or "content-length" not in str(frames)
    another = HTTP2Stream()
    engine.start(another, FIELDS, ended=True)
    engine.outgoing()
    engine.receive(raw_headers(3, OK, end=True))
    assert another.ended
    assert engine.failure is None


ACCEPTED = {
    "4.1 a frame of unknown type": frame(0xEE, 0xFF, 0, b"x" * 100),
    "4.1 flags that mean nothing": frame(PING, 0x16, 0, bytes(8)),
    "4.1 the reserved bit": ping()[:5] + b"\x80\0\0\0" + ping()[9:],
    "5.1 PRIORITY on any stream": frame(PRIORITY, 0, 7, struct.pack(">IB", 0, 15)) + frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 15)),
    "6.5.2 a setting that nobody knows": settings({UNKNOWN: 1}),
    "6.5.2 settings given twice": settings({INITIAL_WINDOW_SIZE: 100}) + settings({INITIAL_WINDOW_SIZE: 1}),
    "6.7 an acknowledgement of no PING": ping(ack=True),
    "6.9 windows of streams that are over": rst_stream(1, 8) + window_update(1, 1),
    "6.9.2 a window that becomes negative": settings({INITIAL_WINDOW_SIZE: 0}),
}


@pytest.mark.parametrize("frames", ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_put_up_with(frames):
    engine, _ = connected()
    engine.receive(frames)
    assert verdict(engine.outgoing()) == (None, None)
    another = HTTP2Stream()
    engine.start(another, FIELDS, ended=True)
    engine.outgoing()
    engine.receive(raw_headers(3, OK) + data(3, b"body") + raw_headers(3, literal(b"a", b"b"), end=True))
    assert (another.ended, engine.take(another), another.trailers) == (True, b"body", [(b"a", b"b")])


def test_the_preface_comes_first_and_then_the_settings():
    # 3.4
    sent = HTTP2Engine().outgoing()
    assert sent.startswith(PREFACE)
    assert frames_of(sent[len(PREFACE) :])[0].type == SETTINGS


def test_settings_and_pings_are_acknowledged():
    # 6.5.3, 6.7
    engine, _ = connected()
    engine.receive(settings({UNKNOWN: 1}) + ping(b"12345678"))
    answers = {(found.type, found.flags & ACK, found.payload) for found in frames_of(engine.outgoing())}
    assert answers == {(SETTINGS, ACK, b""), (PING, ACK, b"12345678")}


def test_a_head_in_many_frames():
    # 6.10
    block = status_block(b"200", [(b"x-%d" % number, b"v" * 2000) for number in range(20)])
    pieces = [block[start : start + 4000] for start in range(0, len(block), 4000)]
    parts = [frame(HEADERS if not n else CONTINUATION, END_HEADERS if n == len(pieces) - 1 else 0, 1, p) for n, p in enumerate(pieces)]
    engine, stream = connected()
    engine.receive(b"".join(parts))
    assert stream.head is not None
    assert len(stream.head) == 21


def test_a_large_request_head_is_sent_in_many_frames():
    engine, stream = HTTP2Engine(), HTTP2Stream()
    engine.receive(settings())
    engine.start(stream, [*FIELDS, *[(b"x-%d" % number, b"%d" % number * 1000) for number in range(20)]], ended=True)
    sent = [found for found in frames_of(engine.outgoing()[len(PREFACE) :]) if found.type in (HEADERS, CONTINUATION)]
    assert [found.type for found in sent] == [HEADERS] + [CONTINUATION] * (len(sent) - 1)
    assert len(sent) > 1
    assert [bool(found.flags & END_HEADERS) for found in sent] == [False] * (len(sent) - 1) + [True]
    assert sent[0].flags & END_STREAM
    decoded = hpack.Decoder(max_header_list_size=1 << 20).decode(b"".join(found.payload for found in sent))
    assert len(decoded) == 24


@pytest.mark.parametrize("size", [0, 100, 65_536])
def test_the_table_that_the_peer_allows_is_kept_to(size):
    # 6.5.2, and RFC 7541 section 4.2: a smaller table takes effect with the next block, which says so first.
    engine, decoder = HTTP2Engine(), hpack.Decoder()
    for number in range(4):
        if number == 1:
            engine.receive(settings({HEADER_TABLE_SIZE: size}))
            engine.outgoing()
            decoder.max_allowed_table_size = size
        engine.start(HTTP2Stream(), [*FIELDS, (b"x-token", b"%d" % (number // 2) * 20)], ended=True)
        sent = [found for found in frames_of(engine.outgoing().removeprefix(PREFACE)) if found.type == HEADERS]
        assert ("x-token", str(number // 2) * 20) in decoder.decode(sent[0].payload)
        assert decoder.header_table_size <= max(size, 4096 if number == 0 else size)


def test_an_upload_stops_at_a_window_that_shrinks_below_nothing():
    # 6.9.2
    engine = HTTP2Engine()
    engine.receive(settings({INITIAL_WINDOW_SIZE: 1_000}))
    stream = HTTP2Stream()
    engine.start(stream, FIELDS, ended=False)
    engine.send_data(stream, bytes(5_000), ended=True)

    def sent() -> int:
        data = engine.outgoing()
        return sum(len(found.payload) for found in frames_of(data.removeprefix(PREFACE)) if found.type == DATA)

    assert sent() == 1_000
    engine.receive(settings({INITIAL_WINDOW_SIZE: 400}))  # the window is -600
    assert sent() == 0
    engine.receive(window_update(1, 600))
    assert sent() == 0
    engine.receive(window_update(1, 100))
    assert sent() == 100
    engine.receive(settings({INITIAL_WINDOW_SIZE: 10_000}))
    assert sent() == 3_900
    assert engine.queued(stream) == 0


@pytest.mark.parametrize("has_its_turn", [True, False])
def test_what_waits_to_be_sent_when_the_peer_says_goodbye_was_not_processed(has_its_turn):
    # 6.8
    engine = HTTP2Engine()
    engine.receive(settings())
    sent, waiting = HTTP2Stream(), HTTP2Stream()
    engine.start(sent, FIELDS, ended=True)
    engine.outgoing()
    engine.start(waiting, FIELDS, ended=True)
    engine.receive(goaway(1))
    if has_its_turn:
        engine.outgoing()
        assert waiting.failure is not None
    engine.abandon_all()
    assert (sent.is_unprocessed, waiting.is_unprocessed) == (False, True)


def test_what_comes_late_for_a_stream_that_was_left_counts_apart_from_what_others_wait_for():
    # 5.4.2: a whole window of it may be under way, however much of use to others came between.
    engine, left = connected()
    other = HTTP2Stream()
    engine.start(other, FIELDS, ended=True)
    engine.outgoing()
    engine.receive(OPEN + raw_headers(3, OK))
    engine.close(left)
    engine.outgoing()
    engine.news.clear()  # and the one who waits for the other has not looked yet
    for _ in range(400):
        engine.receive(data(3, bytes(16_000)))
        engine.take(other)
        engine.outgoing()
    for _ in range(200):
        engine.receive(data(1, bytes(16_000)))
    assert engine.failure is None


def test_a_body_in_tiny_frames_takes_little_more_room_than_what_is_in_it():
    # A whole window of it, while nobody reads.
    engine, stream = connected()
    engine.receive(OPEN)
    few = data(1, b"ab") * 500
    for _ in range(2_000):
        engine.receive(few)
    room = sys.getsizeof(stream.chunks) + sum(map(sys.getsizeof, stream.chunks))
    assert room < 3_000_000
    assert engine.take(stream) == b"ab" * 1_000_000
    engine.receive(data(1, b"c") * 300)
    engine.receive(data(1, b"d", end=True))
    assert engine.take(stream) == b"c" * 300 + b"d"
