"""Servers whose bytes are in order one by one, and come when they should not: around the end of a response, during an upload, and
HTTP/2 frames that are lawful and of no good."""

from __future__ import annotations

import socket

import pytest

import httpx
from tests.hostile.attack import OWN, SECRETS, assert_no_secret, assert_no_tasks, assert_nothing_is_busy, assert_presentable, records
from tests.support.certificates import Authority
from tests.support.http2 import (
    DATA,
    END_STREAM,
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE,
    PADDED,
    PING,
    RST_STREAM,
    HTTP2Peer,
    data,
    frame,
    goaway,
    keep_alive_http2,
    literal,
    ping,
    raw_headers,
    rst_stream,
    settings,
    window_update,
)
from tests.support.leaks import LeakCheck, MemoryPeak
from tests.support.servers import ScriptedServer, keep_alive, respond

RPE = httpx.RemoteProtocolError
EVIL = respond(b"canary-EVIL")
FIRST = respond(b"first")


def run(runtime, script, body, **settings):
    """Run `body` against the script's server, and assert what must hold of every attack."""

    async def main():
        with ScriptedServer(script) as server, records() as logged:
            async with runtime.client(headers=SECRETS, timeout=httpx.Timeout(5, read=2), **settings) as client:
                await body(client, server)
                assert_nothing_is_busy(client)
                following = await client.get(server.url + "/following")
                assert following.content == OWN
            assert_no_secret("\n".join(logged), "a log record")
            assert_no_tasks(runtime)

    leaks, memory = LeakCheck(), MemoryPeak()
    runtime.run(main)
    assert memory.growth() < 64 * 2**20
    leaks.verify()


def well_behaved_later(act):
    """The first connection is for `act`."""

    def script(conn):
        if conn.number > 0:
            keep_alive(lambda request: respond(OWN))(conn)
        act(conn)
        keep_alive(lambda request: respond(OWN))(conn)

    return script


async def outcome_of(request, expected):
    """The response's content is this, or the exception of exactly this class."""
    if isinstance(expected, bytes):
        assert (await request).content == expected
        return
    with pytest.raises(expected) as caught:
        await request
    assert type(caught.value) is expected, repr(caught.value)
    assert "EVIL" not in str(caught.value)
    assert_presentable(caught.value)


# What is sent when the first byte of the second request is there, and what comes of that request.
HANDOVERS = {
    "an empty line before the response": (FIRST, b"\r\n" + respond(b"second"), RPE),
    "a NUL before the response": (FIRST, b"\0" + respond(b"second"), RPE),
    "the rest of trailers before the response": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n",
        b"A: b\r\n\r\n" + respond(b"second"),
        RPE,
    ),
    "half a response": (FIRST, respond(b"second")[:20], httpx.ReadTimeout),
    "two responses": (FIRST, respond(b"second") + EVIL, b"second"),
    "an informational response before the response": (FIRST, b"HTTP/1.1 100 Continue\r\n\r\n" + respond(b"second"), b"second"),
    "a time-out of the server's": (FIRST, respond(b"late", 408, [("Connection", "close")]), b"late"),
    "HTTP/1.0 before": (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nfirst", respond(b"second"), b"second"),
    "no patience at all before": (respond(b"first", headers=[("Keep-Alive", "timeout=0, max=0")]), respond(b"second"), b"second"),
    "bytes beyond the length that was told": (FIRST, b"more", RPE),
}


@pytest.mark.parametrize("name", HANDOVERS)
def test_between_two_responses(runtime, name):
    before, behind, expected = HANDOVERS[name]

    def act(conn):
        conn.read_request()
        conn.send(before)
        conn._received = conn._receive()
        conn.send(behind)
        conn.read_request()

    async def body(client, server):
        assert (await client.get(server.url)).content == b"first"
        await outcome_of(client.get(server.url), expected)
        assert len(server.connections) == 1

    run(runtime, well_behaved_later(act), body)


# What comes instead of taking the body of a request, which is never read: whoever waits to send hears of it all the same.
EARLY = {
    "an answer": (respond(b"no", 413), b"no"),
    "an answer and another one": (respond(b"no", 413) + EVIL, b"no"),
    "a redirect": (respond(b"no", 302, [("Location", "/following")]), b"no"),
    "a challenge": (respond(b"no", 401, [("WWW-Authenticate", "Basic")]), b"no"),
    "informational responses": (b"HTTP/1.1 103 X\r\n\r\n" * 17, RPE),
    "garbage": (b"\xff\xff", RPE),
    "another protocol": (b"HTTP/1.1 101 X\r\n\r\n", RPE),
    "half a head": (b"HTTP/1.1 4", httpx.ReadTimeout),
    "a body that does not go on": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", httpx.ReadTimeout),
}


@pytest.mark.parametrize("name", EARLY)
def test_during_an_upload(runtime, name):
    early, expected = EARLY[name]

    def act(conn):
        conn.read_head()
        conn.send(early)
        conn.server.event().wait(20)  # and reads no further, until the server is closed

    async def body(client, server):
        await outcome_of(client.post(server.url, content=bytes(8_000_000), timeout=httpx.Timeout(2, read=0.3, write=0.3)), expected)

    run(runtime, well_behaved_later(act), body, **in_sips(runtime))


def in_sips(runtime):
    """Already the first piece of a body is more than goes out at once."""
    return {"transport": runtime.transport(socket_options=[(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)])}


async def test_an_answer_during_an_upload_over_tls(no_leaks, runtime, scripted, tmp_path):
    authority = Authority(tmp_path)

    def script(conn):
        conn.read_head()
        conn.send(respond(b"no", 413))
        conn.server.event().wait(20)

    server = scripted(script, ssl_context=authority.server())
    sips = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)]
    transport = runtime.transport(ssl_context=httpx.SSLContext(authority.pem), socket_options=sips)
    async with runtime.client(transport=transport, timeout=httpx.Timeout(5, write=0.3)) as client:
        response = await client.post(server.url, content=bytes(8_000_000))
        assert (response.status_code, response.content) == (413, b"no")
        assert client.pool_stats().open == 0


@pytest.mark.parametrize("total", [None, 0.3])
async def test_who_neither_takes_nor_answers_is_out_of_time(no_leaks, runtime, scripted, total):
    def script(conn):
        conn.read_head()
        conn.server.event().wait(20)

    timeout = httpx.Timeout(5, write=0.3) if total is None else httpx.Timeout(5, total=total)
    async with runtime.client(timeout=timeout, **in_sips(runtime)) as client:
        with pytest.raises(httpx.WriteTimeout):
            await client.post(scripted(script).url, content=bytes(8_000_000))
        assert_nothing_is_busy(client)


def loop(peer):
    while True:
        stream, _, _ = peer.read_request()
        peer.respond(stream, OWN)


def taken(peer, count=None):
    """How many bytes of a body arrive, until there are `count`, or until its end."""
    total = 0
    while count is None or total < count:
        read = peer.read_frame()
        if read.type == DATA:
            total += len(read.payload)
            if read.flags & END_STREAM:
                break
    return total


def shrinks_the_window_below_what_was_sent(peer):
    stream, _, _ = peer.read_head()
    total = taken(peer, 1)
    peer.send(settings({INITIAL_WINDOW_SIZE: 0}), settings({INITIAL_WINDOW_SIZE: 1}))
    total += taken(peer, 65_535 - total)
    peer.send(window_update(0, 2**20), settings({INITIAL_WINDOW_SIZE: 0}), window_update(stream, 2**20))
    total += taken(peer)
    peer.respond(stream, b"%d" % total)


def opens_the_window_byte_by_byte(peer):
    stream, _, _ = peer.read_head()
    total = taken(peer, 65_535)
    peer.send(window_update(0, 2**20))
    while total < 65_535 + 1_000:
        peer.send(window_update(stream, 1))
        total += taken(peer, 1)
    peer.send(window_update(stream, 1) * 1_000 + window_update(stream, 2**20))
    peer.respond(stream, b"%d" % (total + taken(peer)))


def wants_frames_of_16_mb(peer):
    peer.send(settings({MAX_FRAME_SIZE: 2**24 - 1, INITIAL_WINDOW_SIZE: 2**31 - 1}), window_update(0, 2**30))
    stream, _, _ = peer.read_head()
    peer.respond(stream, b"%d" % taken(peer))


def answers_and_takes_no_more(peer):
    stream, _, _ = peer.read_head()
    peer.respond(stream, b"200000", 413)


def answers_and_resets_without_an_error(peer):
    answers_and_takes_no_more(peer)
    peer.send(rst_stream(1, 0))


UPLOADS = [
    shrinks_the_window_below_what_was_sent,
    opens_the_window_byte_by_byte,
    wants_frames_of_16_mb,
    answers_and_takes_no_more,
    answers_and_resets_without_an_error,
]


def frames_of(act):
    def script(conn):
        if conn.number > 0:
            keep_alive_http2(lambda fields, body: OWN)(conn)
        peer = HTTP2Peer(conn)
        act(peer)
        loop(peer)

    return script


def over_http2(runtime):
    return {"transport": runtime.transport(http1=False, http2=True)}


@pytest.mark.parametrize("act", UPLOADS, ids=lambda act: act.__name__)
def test_uploads_over_http2(runtime, act):
    async def body(client, server):
        await outcome_of(client.post(server.url, content=bytes(200_000)), b"200000")
        assert len(server.connections) == 1

    run(runtime, frames_of(act), body, **over_http2(runtime))


def toggles_the_compression_table(peer):
    for size in (0, 4_096, 0, 1):
        stream, _, _ = peer.read_request()
        peer.send(settings({HEADER_TABLE_SIZE: size}), settings({HEADER_TABLE_SIZE: 0}), settings({HEADER_TABLE_SIZE: size}))
        peer.respond(stream, OWN)


def takes_streams_now_and_then(peer):
    peer.send(settings({MAX_CONCURRENT_STREAMS: 1}))
    for _ in range(4):
        stream, _, _ = peer.read_request()
        peer.send(settings({MAX_CONCURRENT_STREAMS: 0}))
        peer.respond(stream, OWN)
        peer.send(settings({MAX_CONCURRENT_STREAMS: 1}))


def says_goodbye_and_goes_on(peer):
    stream, _, _ = peer.read_request()
    peer.send(goaway(2**31 - 1), peer.headers(stream), data(stream, OWN[:3]))
    peer.send(data(stream, OWN[3:], end=True))


def takes_back_its_goodbyes(peer):
    stream, _, _ = peer.read_request()
    for last in (stream + 4, stream + 2, stream):
        peer.send(goaway(last))
    peer.respond(stream, OWN)


def names_other_places(peer):
    stream, _, _ = peer.read_request()
    peer.send(frame(0xA, 0, 0, b'\0\x09evil.testh2="evil.test:443"'), frame(0xC, 0, 0, b"\0\x11https://evil.test"))
    peer.respond(stream, OWN, fields=[("alt-svc", 'h2="evil.test:1"; ma=99999999')])


def wants_no_fields(peer):
    peer.send(settings({6: 10}))


def pings_as_often_as_it_may(peer):
    stream, _, _ = peer.read_request()
    peer.send(ping() * 900 + settings() * 90)
    peer.respond(stream, OWN)


def breaks_what_is_over(peer):
    stream, _, _ = peer.read_request()
    peer.respond(stream, OWN)
    peer.send(window_update(stream, 2**31 - 1) * 3 + rst_stream(stream, 1) * 3)


def pads_every_byte(peer):
    stream, _, _ = peer.read_request()
    peer.send(peer.headers(stream))
    for octet in OWN:
        peer.send(frame(DATA, PADDED, stream, b"\xff" + bytes([octet]) + bytes(255)), frame(DATA, PADDED, stream, b"\xff" + bytes(255)))
    peer.send(data(stream, b"", end=True))


def half_closes(peer):
    stream, _, _ = peer.read_request()
    peer.respond(stream, OWN)
    peer.conn.socket.shutdown(1)


REQUESTS = [
    toggles_the_compression_table,
    takes_streams_now_and_then,
    says_goodbye_and_goes_on,
    takes_back_its_goodbyes,
    names_other_places,
    wants_no_fields,
    pings_as_often_as_it_may,
    breaks_what_is_over,
    pads_every_byte,
    half_closes,
]


@pytest.mark.parametrize("act", REQUESTS, ids=lambda act: act.__name__)
def test_requests_over_http2(runtime, act):
    async def body(client, server):
        async def one(number):
            response = await client.get(f"{server.url}/{number}", headers={"X-A": "b" * 50})
            assert response.content == OWN

        await one(0)
        await runtime.gather(*[lambda number=number: one(number) for number in range(4)])

    run(runtime, frames_of(act), body, **over_http2(runtime))


WITHOUT_END = {
    "windows": lambda stream: window_update(0, 1),
    "answers to pings": lambda stream: ping(ack=True),
    "padding": lambda stream: frame(DATA, PADDED, stream, b"\x05" + bytes(5)),
    "pings": lambda stream: ping(),
    "settings": lambda stream: settings(),
    "frames of an unknown type": lambda stream: frame(0xEE, 0, 0, b"x"),
    "data of nothing": lambda stream: data(stream, b""),
}


@pytest.mark.parametrize("name", WITHOUT_END)
def test_a_body_that_is_followed_by_frames_without_end(runtime, name):
    """They neither move its deadline, nor that of the next request, for which the connection is looked at before it is used."""

    def act(peer):
        stream, _, _ = peer.read_request()
        peer.send(peer.headers(stream), data(stream, b"part"))
        while True:
            peer.conn.send(WITHOUT_END[name](stream) * 500)

    async def body(client, server):
        with pytest.raises((httpx.ReadTimeout, RPE)) as caught:
            await client.get(server.url, timeout=httpx.Timeout(5, read=0.2))
        assert_presentable(caught.value)

    run(runtime, frames_of(act), body, **over_http2(runtime))


async def test_a_ping_among_frames_without_end_is_waited_for_no_longer(no_leaks, runtime, scripted, monkeypatch):
    """The probe of a connection that was idle for a while."""
    monkeypatch.setattr("httpx._connections.http2.PROBE_AFTER", -1.0)
    monkeypatch.setattr("httpx._connections.http2.PROBE_PATIENCE", 0.2)

    def act(peer):
        stream, _, _ = peer.read_request()
        peer.respond(stream, OWN)
        peer.read_until(PING)
        while True:
            peer.conn.send(window_update(0, 1) * 500)

    server = scripted(frames_of(act))
    async with runtime.client(timeout=5, **over_http2(runtime)) as client:
        for _ in range(2):
            assert (await client.get(server.url)).content == OWN
    assert len(server.connections) == 2


def test_what_comes_late_for_a_stream_that_was_left(runtime):
    """Its frames are nobody's, and still count for the table that all fields are compressed with."""

    def act(peer):
        stream, _, _ = peer.read_request()
        peer.send(peer.headers(stream), data(stream, b"x" * 10))
        peer.read_until(RST_STREAM)
        peer.send(data(stream, b"late") * 5, raw_headers(stream, b"\x40\x03x-a\x05value", end=True))
        stream, _, _ = peer.read_request()
        peer.send(raw_headers(stream, b"\x88\xbe" + literal(b"x-b", b"c")), data(stream, OWN, end=True))

    async def body(client, server):
        async with client.stream("GET", server.url) as response:
            async for _ in response.aiter_raw():
                break
        response = await client.get(server.url)
        assert (response.content, response.headers["x-a"], response.headers["x-b"]) == (OWN, "value", "c")
        assert len(server.connections) == 1

    run(runtime, frames_of(act), body, **over_http2(runtime))


async def test_a_stream_that_was_refused_is_opened_again_only_if_its_body_can_be_sent_again(no_leaks, runtime, scripted):
    def act(peer):
        stream, _, _ = peer.read_head()
        peer.send(rst_stream(stream, 7))

    server = scripted(frames_of(act))
    async with runtime.client(**over_http2(runtime)) as client:
        with pytest.raises(RPE, match="did not process"):
            await client.post(server.url, content=iter([b"a", b"b"]))
        assert_nothing_is_busy(client)
        assert (await client.get(server.url)).content == OWN
