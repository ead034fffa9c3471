"""What a server changes while requests are under way: its settings, its mind about more of them, and the rest of a conversation."""

from __future__ import annotations

import pytest

import httpx
from tests.support.http2 import (
    ACK,
    DATA,
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    PING,
    RST_STREAM,
    SETTINGS,
    HTTP2Peer,
    data,
    goaway,
    ping,
    settings,
    window_update,
)
from tests.support.servers import pattern

pytestmark = pytest.mark.usefixtures("no_leaks")


def read_acknowledgement(peer, kind):
    while (found := peer.read_frame()).type != kind or not found.flags & ACK:
        pass
    return found.payload


async def test_a_limit_that_is_lowered_leaves_alone_what_is_under_way(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        peer.respond(peer.read_head()[0], b"warm")
        under_way = [peer.read_head()[0] for _ in range(3)]
        peer.send(settings({MAX_CONCURRENT_STREAMS: 1}))
        read_acknowledgement(peer, SETTINGS)
        for stream_id in under_way:
            peer.respond(stream_id, b"under way")
        while True:
            peer.respond(peer.read_head()[0], b"one at a time")

    server = scripted(script)
    async with h2_client(limits=httpx.Limits(max_connections=1)) as client:
        await client.get(server.url)
        responses = await runtime.gather(*[lambda: client.get(server.url)] * 3)
        assert [response.content for response in responses] == [b"under way"] * 3
        responses = await runtime.gather(*[lambda: client.get(server.url)] * 3)
        assert [response.content for response in responses] == [b"one at a time"] * 3
    assert len(server.connections) == 1


async def test_a_window_and_a_table_that_shrink_during_an_upload(runtime, h2_client, scripted):
    content = pattern(250_000)

    def script(conn):
        peer = HTTP2Peer(conn, {INITIAL_WINDOW_SIZE: 50_000})
        stream_id, _, _ = peer.read_head()
        body = b""
        while len(body) < 20_000:
            body += peer.read_until(DATA, stream_id).payload
        peer.decoder.max_allowed_table_size = 0
        peer.send(settings({INITIAL_WINDOW_SIZE: 1, HEADER_TABLE_SIZE: 0}))
        while len(body) < len(content):
            peer.send(window_update(0, 30_000), window_update(stream_id, 30_000))
            body += peer.read_until(DATA, stream_id).payload
        peer.respond(stream_id, b"same" if body == content else b"other")
        _, fields, _ = peer.read_head()
        peer.respond(stream_id + 2, fields["x-a"].encode())
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:
        assert (await client.post(server.url, content=content)).content == b"same"
        assert (await client.get(server.url, headers={"X-A": "next"})).content == b"next"


async def test_a_goaway_ends_some_and_completes_others(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        if conn.number == 0:
            peer.respond(peer.read_head()[0], b"warm")
            first, _, _ = [peer.read_head()[0] for _ in range(3)]
            peer.send(goaway(first))
            peer.respond(first, b"processed")
            conn.wait_closed()
        while True:
            peer.respond(peer.read_head()[0], b"sent again")

    server = scripted(script)
    async with h2_client() as client:
        await client.get(server.url)
        responses = await runtime.gather(*[lambda: client.post(server.url, content=b"x")] * 3)
    assert sorted((response.content, response.extensions.get("attempts")) for response in responses) == [
        (b"processed", None),
        (b"sent again", 2),
        (b"sent again", 2),
    ]
    assert len(server.connections) == 2


async def test_a_shutdown_in_two_steps(runtime, h2_client, scripted):
    # RFC 9113 section 6.8: first a GOAWAY that rules out nothing, then, when nothing new can be on the way, the real one.
    def script(conn):
        peer = HTTP2Peer(conn)
        if conn.number == 0:
            stream_id, _, _ = peer.read_request()
            peer.send(peer.headers(stream_id), goaway(2**31 - 1), ping())
            read_acknowledgement(peer, PING)
            peer.send(goaway(stream_id), data(stream_id, b"completed", end=True))
            conn.wait_closed()
        while True:
            peer.respond(peer.read_request()[0], b"elsewhere")

    server = scripted(script)
    async with h2_client() as client, client.stream("GET", server.url) as response:
        assert (await client.post(server.url)).content == b"elsewhere"
        assert await response.aread() == b"completed"
    assert len(server.connections) == 2


async def test_a_ping_is_answered_while_an_answer_is_waited_for(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.send(ping(b"anybody?"))
        answered = read_acknowledgement(peer, PING)
        peer.respond(stream_id, answered)
        conn.wait_closed()

    async with h2_client() as client:
        assert (await client.get(scripted(script).url)).content == b"anybody?"


async def test_a_time_out_of_one_leaves_the_others_alone(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        streams = {peer.read_request()[0] for _ in range(2)}
        streams.remove(peer.read_until(RST_STREAM).stream_id)
        peer.respond(streams.pop(), b"in time")
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:

        async def hurried():
            with pytest.raises(httpx.ReadTimeout):
                await client.get(server.url, timeout=httpx.Timeout(20, read=0.3))

        async def patient():
            assert (await client.get(server.url, timeout=20)).content == b"in time"

        await runtime.gather(hurried, patient)
    assert len(server.connections) == 1


async def test_an_upload_that_fails_on_this_side_ends_its_stream(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_head()
        peer.read_until(RST_STREAM, stream_id)
        peer.respond(peer.read_head()[0], b"next")
        conn.wait_closed()

    class Torn(Exception):
        pass

    def pieces():
        yield b"a"
        raise Torn

    async def async_pieces():
        for piece in pieces():
            yield piece

    server = scripted(script)
    async with h2_client() as client:
        with pytest.raises(Torn):
            await client.post(server.url, content=async_pieces() if runtime.is_async else pieces())
        assert (await client.get(server.url)).content == b"next"
    assert len(server.connections) == 1
