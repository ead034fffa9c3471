"""PING: a server that is silent is told from one that is gone (`Limits(http2_ping_interval=...)`)."""

from __future__ import annotations

import pytest

import httpx
from tests.support.http2 import GOAWAY, HEADERS, PING, HTTP2Peer, data, ping

pytestmark = pytest.mark.usefixtures("no_leaks")

PINGING = httpx.Limits(http2_ping_interval=0.4, keepalive_expiry=None)
IMPATIENT = httpx.Limits(http2_ping_interval=0.1, keepalive_expiry=None)


def answer_ping(peer):
    peer.send(ping(peer.read_until(PING).payload, ack=True))


@pytest.mark.parametrize("where", ["head", "body"])
async def test_an_answer_that_takes_long_is_waited_for(runtime, h2_client, scripted, where):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id = peer.read_request()[0]
        if where == "body":
            peer.send(peer.headers(stream_id))
        for _ in range(2):
            answer_ping(peer)
        peer.send(peer.headers(stream_id) if where == "head" else b"", data(stream_id, b"at last", end=True))
        peer.read_until(GOAWAY)

    async with h2_client(limits=PINGING, timeout=None) as client:
        assert (await client.get(scripted(script).url)).content == b"at last"


@pytest.mark.parametrize("where", ["head", "body"])
async def test_a_server_that_is_gone_is_not_waited_for(runtime, h2_client, scripted, where):
    def script(conn):
        peer = HTTP2Peer(conn)
        for _ in range(2):
            stream_id = peer.read_request()[0]
            if where == "body":
                peer.send(peer.headers(stream_id))
        peer.read_until(PING)
        conn.wait_closed()

    server = scripted(script)

    async def fetch():
        with pytest.raises(httpx.ReadTimeout, match=rf"127.0.0.1:{server.port} did not answer a PING within 0.1 seconds"):
            await client.get(server.url)

    async with h2_client(limits=IMPATIENT, timeout=None, transport_options={"resend": False}) as client:
        await runtime.gather(fetch, fetch)
        assert client.pool_stats().open == 0


async def test_without_an_interval_nobody_is_asked(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id = peer.read_request()[0]
        conn.server.event().wait(0.3)
        peer.respond(stream_id, b"ok")
        peer.read_until(GOAWAY)
        assert not [found for found in peer.frames if found.type == PING]

    async with h2_client() as client:
        assert (await client.get(scripted(script).url)).content == b"ok"


async def test_an_idle_connection_is_kept_alive_where_there_are_tasks(runtime, h2_client, scripted):
    if not runtime.is_async:
        pytest.skip("a thread does nothing beside")
    asked = []

    def script(conn):
        peer = HTTP2Peer(conn)
        peer.respond(peer.read_request()[0], b"first")
        for _ in range(2):
            answer_ping(peer)
        peer.send(ping(b"from us."))
        while (found := peer.read_frame())[:2] != (PING, 1):
            pass
        asked.append(found.payload)
        pinged.set()
        while (found := peer.read_frame()).type != HEADERS:
            peer.send(ping(found.payload, ack=True))
        peer.respond(found.stream_id, b"second")
        peer.read_until(GOAWAY)

    server = scripted(script)
    pinged = server.event()
    async with h2_client(limits=PINGING) as client:
        assert (await client.get(server.url)).content == b"first"
        await runtime.in_thread(pinged.wait)
        assert (await client.get(server.url)).content == b"second"
    assert asked == [b"from us."]
    assert len(server.connections) == 1


async def test_an_idle_connection_whose_server_is_gone_is_closed(runtime, h2_client, scripted):
    if not runtime.is_async:
        pytest.skip("a thread does nothing beside")

    def script(conn):
        peer = HTTP2Peer(conn)
        peer.respond(peer.read_request()[0], b"%d" % conn.number)
        if conn.number == 0:
            conn.wait_closed()
        peer.read_until(GOAWAY)

    server = scripted(script)
    async with h2_client(limits=IMPATIENT) as client:
        assert (await client.get(server.url)).content == b"0"
        await runtime.in_thread(server.wait_for_no_connections)
        assert client.pool_stats() == (0, 0, 0, 0)
        assert (await client.post(server.url)).content == b"1"


def test_an_event_loop_may_end_while_a_connection_is_watched(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        while True:
            peer.respond(peer.read_request()[0], b"ok")

    server = scripted(script)
    client = h2_client(limits=PINGING)

    async def body():
        assert (await client.get(server.url)).content == b"ok"

    for _ in range(2):
        runtime.run(body)
    runtime.run(client.aclose)
    assert len(server.connections) == (2 if runtime.is_async else 1)
