"""What an HTTP/2 server may do wrong, and what becomes of it: an exception of ours, on time, and nothing left behind."""

from __future__ import annotations

import contextlib
import re

import pytest

import httpx
from tests.hostile.attack import SECRETS, assert_presentable
from tests.support.http2 import (
    COMPRESSION_ERROR,
    CONTINUATION,
    DATA,
    END_HEADERS,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    NO_ERROR,
    PADDED,
    PUSH_PROMISE,
    HTTP2Peer,
    data,
    frame,
    literal,
    ping,
    raw_headers,
    rst_stream,
    settings,
    status_block,
    window_update,
)

pytestmark = pytest.mark.usefixtures("no_leaks")


def answering(*make):
    """A script that reads one request and answers with frames; each of `make` is bytes, or a function of peer and stream."""

    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        for part in make:
            peer.send(part if isinstance(part, bytes) else part(peer, stream_id))
        with contextlib.suppress(AssertionError):
            peer.read_until(HEADERS)

    return script


def flooding(*make):
    """As `answering`, but what the last of them makes is sent without end."""

    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        *first, last = [part if isinstance(part, bytes) else part(peer, stream_id) for part in make]
        peer.send(*first)
        batch = last * max(1, 8192 // max(len(last), 1))
        while True:
            conn.send(batch)

    return script


async def failure(client, server, **settings):
    with pytest.raises(httpx.TransportError) as caught:
        await client.get(server.url, headers=SECRETS, **settings)
    assert_presentable(caught.value)
    return caught.value


CONTINUATION_FLOOD = {
    "empty": lambda peer, stream_id: frame(CONTINUATION, 0, stream_id),
    "one byte": lambda peer, stream_id: frame(CONTINUATION, 0, stream_id, b"\x88"),
}


@pytest.mark.parametrize("flood", CONTINUATION_FLOOD.values(), ids=CONTINUATION_FLOOD)
async def test_continuation_frames_without_end(runtime, h2_client, scripted, flood):
    # H1, H2
    farewells = []

    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.send(raw_headers(stream_id, b"\x88", end_headers=False), *[flood(peer, stream_id)] * 65)
        farewells.append(peer.read_until(GOAWAY).payload[4:8])

    server = scripted(script)
    async with h2_client() as client:
        assert isinstance(await failure(client, server), httpx.RemoteProtocolError)
    server.wait_for_no_connections()
    assert farewells == [ENHANCE_YOUR_CALM.to_bytes(4, "big")]


BOMB = b"\x40" + b"\x01a" + b"\x7f\xa1\x1e" + b"v" * 4000  # one large field, put into the compression table

TOO_MUCH = {
    "one field over and over": BOMB + b"\xbe" * 960_000,  # H3
    "very many small fields": b"\x88" + b"\x90" * 960_000,  # H4
    "empty names and values": b"\x88" + literal(b"", b"") * 100_000,  # H5
    "a megabyte": b"\x88" + literal(b"x", b"v" * 1_000_000),  # H6
    "more fields than we take": b"\x88" + b"".join(literal(b"x-%d" % i, b"v") for i in range(600)),
}


@pytest.mark.parametrize("block", TOO_MUCH.values(), ids=TOO_MUCH)
async def test_more_fields_than_anyone_needs(runtime, h2_client, scripted, block):
    def frames(peer, stream_id):
        pieces = [block[start : start + 16_000] for start in range(0, len(block), 16_000)]
        parts = [frame(HEADERS if not i else CONTINUATION, 0, stream_id, piece) for i, piece in enumerate(pieces)]
        return b"".join([*parts, frame(CONTINUATION, END_HEADERS, stream_id)])

    server = scripted(answering(frames))
    async with h2_client() as client:
        assert isinstance(await failure(client, server), httpx.RemoteProtocolError)


@pytest.mark.parametrize("block", [b"\xff\xff\xff\x01", b"\x3f\xe1\xff\xff\x7f\x88"], ids=["index", "table size"])
async def test_a_block_that_cannot_be_decompressed_ends_the_connection(runtime, h2_client, scripted, block):
    # H8
    codes = []

    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.send(raw_headers(stream_id, block, end=True))
        codes.append(int.from_bytes(peer.read_until(GOAWAY).payload[4:8], "big"))

    server = scripted(script)
    async with h2_client() as client:
        error = await failure(client, server)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert "COMPRESSION_ERROR" in str(error)
    server.wait_for_no_connections()
    assert codes == [COMPRESSION_ERROR]


FLOODS = {
    "ping": lambda peer, stream_id: ping(),  # H9
    "settings": lambda peer, stream_id: settings(),  # H10
    "window update": lambda peer, stream_id: window_update(0, 1),  # H11
    "priority": lambda peer, stream_id: frame(2, 0, stream_id, bytes(5)),
    "altsvc": lambda peer, stream_id: frame(0xA, 0, 0, b"\x00\x01ab"),
    "unknown": lambda peer, stream_id: frame(0xEE, 0, 0, b"x"),
    "empty data": lambda peer, stream_id: data(stream_id, b""),  # H12
    "padding alone": lambda peer, stream_id: frame(DATA, PADDED, stream_id, b"\x05" + bytes(5)),
}


@pytest.mark.parametrize("name", FLOODS)
async def test_frames_without_end_do_not_move_the_deadline(runtime, h2_client, scripted, name):
    head = [lambda peer, stream_id: peer.headers(stream_id)] if "data" in name or "padding" in name else []
    server = scripted(flooding(*head, FLOODS[name]))
    async with h2_client(timeout=httpx.Timeout(10, read=0.2)) as client:
        error = await failure(client, server)
    assert isinstance(error, (httpx.ReadTimeout, httpx.RemoteProtocolError))


async def test_informational_responses_without_end(runtime, h2_client, scripted):
    # H13
    server = scripted(flooding(lambda peer, stream_id: raw_headers(stream_id, status_block(b"103"))))
    async with h2_client() as client:
        assert isinstance(await failure(client, server), httpx.RemoteProtocolError)


async def test_resets_without_end(runtime, h2_client, scripted):
    # H14
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.respond(stream_id, b"first")
        peer.read_request()
        while True:
            conn.send(rst_stream(stream_id, 8) * 500)

    server = scripted(script)
    async with h2_client(timeout=httpx.Timeout(10)) as client:
        await client.get(server.url)
        assert isinstance(await failure(client, server), httpx.RemoteProtocolError)


BAD_HEADS = {
    "no status": literal(b"a", b"b"),  # H15
    "two": status_block(b"200") + literal(b":status", b"200"),
    "abc": status_block(b"abc"),
    "20": status_block(b"20"),
    "+20": status_block(b"+20"),
    "empty status": status_block(b""),
    "101": status_block(b"101"),  # H20
    "line break in a value": status_block(b"200", [(b"a", b"b\r\nc: d")]),  # H16
    "line break in a name": status_block(b"200", [(b"a\nb", b"c")]),
    "nul": status_block(b"200", [(b"a", b"b\x00c")]),
    "upper case": status_block(b"200", [(b"X-Foo", b"bar")]),
    "connection": status_block(b"200", [(b"connection", b"close")]),  # H17
    "transfer-encoding": status_block(b"200", [(b"transfer-encoding", b"chunked")]),
    "unknown pseudo-header": status_block(b"200", [(b":path", b"/")]),
    "pseudo-header behind": literal(b"a", b"b") + status_block(b"200"),
    "content-length": status_block(b"200", [(b"content-length", b"+2")]),  # H19
    "content-lengths": status_block(b"200", [(b"content-length", b"2"), (b"content-length", b"3")]),
}


@pytest.mark.parametrize("block", BAD_HEADS.values(), ids=BAD_HEADS)
async def test_a_malformed_head_ends_its_stream_and_no_other(runtime, h2_client, scripted, block):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.send(raw_headers(stream_id, block))
        peer.respond(peer.read_head()[0], b"another")
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        assert isinstance(await failure(client, server), httpx.RemoteProtocolError)
        assert (await client.get(server.url)).content == b"another"
    assert len(server.connections) == 1


HEAD = lambda peer, stream_id: peer.headers(stream_id)  # noqa: E731

BAD_BODIES = {
    "less than content-length": [  # H19
        lambda peer, stream_id: peer.headers(stream_id, [(":status", "200"), ("content-length", "5")]),
        lambda peer, stream_id: data(stream_id, b"hi", end=True),
    ],
    "more than content-length": [
        lambda peer, stream_id: peer.headers(stream_id, [(":status", "200"), ("content-length", "1")]),
        lambda peer, stream_id: data(stream_id, b"hi", end=True),
    ],
    "data before the head": [lambda peer, stream_id: data(stream_id, b"early", end=True)],  # H21
    "two final heads": [HEAD, lambda peer, stream_id: peer.headers(stream_id, end=True)],
    "trailers without end": [HEAD, lambda peer, stream_id: raw_headers(stream_id, literal(b"a", b"b"))],
    "reset": [HEAD, lambda peer, stream_id: data(stream_id, b"part") + rst_stream(stream_id, 2)],  # H29
    "reset without error": [HEAD, lambda peer, stream_id: data(stream_id, b"part") + rst_stream(stream_id, NO_ERROR)],
    "a frame too large": [HEAD, lambda peer, stream_id: data(stream_id, bytes(65_537))],  # H28
    "more padding than frame": [HEAD, lambda peer, stream_id: frame(DATA, PADDED, stream_id, b"\xff" + bytes(5))],
    "a pushed stream": [
        lambda peer, stream_id: frame(PUSH_PROMISE, END_HEADERS, stream_id, bytes((0, 0, 0, 2)) + b"\x82") + rst_stream(stream_id, 2)
    ],
}


@pytest.mark.parametrize("parts", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_body_that_is_not_what_it_should_be_is_never_complete(runtime, h2_client, scripted, parts):
    server = scripted(answering(*parts))
    async with h2_client() as client:
        assert isinstance(await failure(client, server), httpx.RemoteProtocolError)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ("less than content-length", r"malformed in its body, which is not as long as its Content-Length says \(5\), or in its trailers"),
        ("trailers without end", "malformed behind its head: PROTOCOL_ERROR"),
        ("reset", "The server ended the HTTP/2 stream before the response was complete: INTERNAL_ERROR"),
    ],
)
async def test_who_ended_the_stream_is_told(runtime, h2_client, scripted, parts, words):
    server = scripted(answering(*BAD_BODIES[parts]))
    async with h2_client() as client:
        assert re.search(words, str(await failure(client, server)))


async def test_a_connection_that_ends_within_a_body(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.send(peer.headers(stream_id), data(stream_id, b"part"))

    server = scripted(script)
    async with h2_client() as client:
        # Where the peer had not read everything, its end is a reset.
        assert isinstance(await failure(client, server), httpx.RemoteProtocolError | httpx.ReadError)


BAD_CONNECTIONS = {
    "max frame size": settings({MAX_FRAME_SIZE: 0}),  # H26
    "initial window": settings({INITIAL_WINDOW_SIZE: 2**31}),
    "settings of the wrong length": frame(4, 0, 0, b"12345"),
    "window update 0": window_update(0, 0),  # H27
    "window overflow": window_update(0, 2**31 - 1) * 2,
    "data on stream 0": data(0, b"x"),
    "headers on an idle stream": frame(HEADERS, END_HEADERS, 99, b"\x88"),
    "ping of the wrong length": frame(6, 0, 0, b"123"),
}


@pytest.mark.parametrize("frames", BAD_CONNECTIONS.values(), ids=BAD_CONNECTIONS)
async def test_what_breaks_the_protocol_ends_the_connection(runtime, h2_client, scripted, frames):
    goodbyes = []

    def script(conn):
        peer = HTTP2Peer(conn)
        peer.read_request()
        peer.send(frames)
        goodbyes.append(peer.read_until(GOAWAY))

    server = scripted(script)
    async with h2_client() as client:
        assert isinstance(await failure(client, server), httpx.RemoteProtocolError)
    server.wait_for_no_connections()
    assert len(goodbyes) == 1


async def test_more_data_than_the_window_allows(runtime, h2_client, scripted):
    # H25
    codes = []

    def script(conn):
        peer = HTTP2Peer(conn)
        first, _, _ = peer.read_request()
        peer.send(peer.headers(first))
        peer.read_request()
        for _ in range(4 * 1024 * 1024 // 16_384 + 1):
            peer.send(data(first, bytes(16_384)))
        codes.append(int.from_bytes(peer.read_until(GOAWAY).payload[4:8], "big"))

    server = scripted(script)
    async with h2_client() as client, client.stream("GET", server.url) as response:
        # While the first response is not read, waiting for the second one finds what the server sends too much.
        error = await failure(client, server)
        assert isinstance(error, httpx.RemoteProtocolError)
        assert "FLOW_CONTROL_ERROR" in str(error)
        with pytest.raises(httpx.RemoteProtocolError):
            await response.aread()
    server.wait_for_no_connections()
    assert codes == [FLOW_CONTROL_ERROR]


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_a_server_that_answers_in_http1(runtime, h2_client, scripted, size):
    # H30
    def script(conn):
        conn.read_exactly(24)
        answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
        conn.send_each(answer[start : start + size] for start in range(0, len(answer), size))
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:
        error = await failure(client, server)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert "HTTP/1.1" in str(error)
