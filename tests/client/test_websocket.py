"""`client.websocket()`: the handshake, messages, and the end, against a server made by hand and a real one."""

from __future__ import annotations

import base64
import contextlib
import tracemalloc

import pytest
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.utilities import RemoteProtocolError

import httpx
from tests.support.proxies import http_proxy
from tests.support.servers import PeerGone
from tests.support.websocket import Peer, Socket, echo, exchange_at_once


def url_of(server):
    return server.url.replace("http", "ws", 1)


async def test_messages_go_both_ways(no_leaks, runtime, scripted):
    server = scripted(echo)
    async with runtime.client() as client:
        async with Socket(runtime, client.websocket(url_of(server))) as socket:
            assert socket.response.status_code == 101
            for message in ("", "héllo", b"", b"bytes", "x" * 200_000, b"y" * 200_000):
                await socket.send(message)
                assert await socket.receive(timeout=20) == message
            await socket.send_json({"n": 1})
            assert await socket.receive_json() == {"n": 1}
            await socket.ping(b"?")
            await socket.send("after the pong")
            assert await socket.receive() == "after the pong"
        assert client.pool_stats().open == 0
        with pytest.raises(httpx.WebSocketClosed):
            await socket.send("too late")
        await socket.close()


async def test_the_handshake_is_a_request_of_the_client(runtime, scripted):
    server = scripted(echo)
    client = runtime.client(headers={"X-A": "1"}, auth=("user", "password"), cookies={"sid": "1"})
    async with client, Socket(runtime, client.websocket(url_of(server) + "/path", params={"q": "1"})):
        pass
    request = server.requests[0]
    assert (request.method, request.target) == ("GET", "/path?q=1")
    assert {"x-a", "authorization", "cookie"} <= request.headers.keys()
    assert (request.headers["connection"], request.headers["upgrade"]) == ("Upgrade", "websocket")
    assert len(base64.b64decode(request.headers["sec-websocket-key"])) == 16


async def test_subprotocols(runtime, scripted):
    def script(conn):
        Peer(conn, **{"Sec-WebSocket-Protocol": "b"}).next()

    server = scripted(script)
    async with runtime.client() as client:
        async with Socket(runtime, client.websocket(url_of(server), subprotocols=["a", "b"])) as socket:
            assert socket.subprotocol == "b"
            await socket.close(timeout=0.1)
        with pytest.raises(httpx.WebSocketError, match="'b'"):
            async with Socket(runtime, client.websocket(url_of(server))):
                pass
    assert server.requests[0].headers["sec-websocket-protocol"] == "a, b"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"Sec-WebSocket-Accept": "AAAA"}, "Sec-WebSocket-Accept"),
        ({"Sec-WebSocket-Accept": None}, "Sec-WebSocket-Accept"),
        ({"Upgrade": "h2c"}, "another protocol"),
        ({"Sec-WebSocket-Extensions": "permessage-deflate"}, "extension"),
    ],
)
async def test_a_handshake_that_is_wrong(no_leaks, runtime, scripted, fields, told):
    server = scripted(lambda conn: Peer(conn, **fields).conn.wait_closed())
    async with runtime.client() as client:
        with pytest.raises(httpx.WebSocketError, match=told):
            async with Socket(runtime, client.websocket(url_of(server))):
                pass
        assert client.pool_stats().open == 0


async def test_a_server_that_refuses(no_leaks, runtime, app):
    async with runtime.client() as client:
        with pytest.raises(httpx.HTTPStatusError):
            async with Socket(runtime, client.websocket(app.url + "/status/403")):
                pass
        with pytest.raises(httpx.WebSocketError, match="200 OK"):
            async with Socket(runtime, client.websocket(app.url + "/json")):
                pass
        assert client.pool_stats().in_use == 0


async def test_what_comes_with_the_handshake_is_not_lost(runtime, scripted):
    server = scripted(lambda conn: Peer(conn, early=b"x").next())
    async with runtime.client() as client, Socket(runtime, client.websocket(url_of(server))) as socket:
        assert await socket.receive() == "early"
        await socket.close(timeout=0.1)


async def test_messages_in_fragments_between_pings(runtime, scripted):
    pongs = []

    def script(conn):
        peer = Peer(conn)
        peer.send(TextMessage("a", message_finished=False))
        peer.send(Ping(b"1"))
        peer.send(TextMessage("b", message_finished=False))
        peer.send(TextMessage("c"))
        pongs.append(peer.next())
        peer.send(CloseConnection(1000))
        peer.next()

    async with runtime.client() as client, Socket(runtime, client.websocket(url_of(scripted(script)))) as socket:
        assert await socket.rest() == ["abc"]
    assert [type(pong) for pong in pongs] == [Pong]


async def test_the_end_has_a_code_and_a_reason(runtime, scripted):
    def script(conn):
        peer = Peer(conn)
        peer.send(TextMessage("last"))
        peer.send(CloseConnection(4001, "enough"))
        assert isinstance(peer.next(), CloseConnection)

    async with runtime.client() as client, Socket(runtime, client.websocket(url_of(scripted(script)))) as socket:
        assert await socket.receive() == "last"
        for _ in range(2):
            with pytest.raises(httpx.WebSocketClosed) as caught:
                await socket.receive()
            assert (caught.value.code, caught.value.reason) == (4001, "enough")


async def test_a_connection_that_is_lost(runtime, scripted):
    async with runtime.client() as client, Socket(runtime, client.websocket(url_of(scripted(lambda conn: Peer(conn))))) as socket:
        with pytest.raises(httpx.WebSocketClosed) as caught:
            await socket.rest()
        assert caught.value.code == 1006


async def test_a_message_beyond_all_bounds(no_leaks, runtime, scripted):
    told = []

    def script(conn):
        peer = Peer(conn)
        for _ in range(100):
            peer.send(BytesMessage(b"x" * 1000, message_finished=False))
        told.append(peer.next())

    client = runtime.client()
    async with client, Socket(runtime, client.websocket(url_of(scripted(script)), max_message_size=10_000)) as socket:
        with pytest.raises(httpx.WebSocketError, match="10000 bytes"):
            await socket.receive()


async def test_a_peer_that_breaks_the_protocol(no_leaks, runtime, scripted):
    def script(conn):
        Peer(conn)
        conn.send(b"\xff\xff\xff\xff nonsense")
        conn.wait_closed()

    async with runtime.client() as client, Socket(runtime, client.websocket(url_of(scripted(script)))) as socket:
        with pytest.raises(httpx.WebSocketError, match="broke the protocol"):
            await socket.receive()


async def test_receiving_has_a_time_out_that_pings_do_not_move(runtime, scripted):
    def script(conn):
        peer = Peer(conn)
        pause = conn.server.event()
        while not pause.wait(0.02):
            peer.send(Ping())

    async with runtime.client() as client, Socket(runtime, client.websocket(url_of(scripted(script)))) as socket:
        with pytest.raises(httpx.ReadTimeout):
            await socket.receive(timeout=0.1)
        await socket.close(timeout=0.1)


async def test_one_sends_while_another_receives(runtime, scripted):
    server = scripted(echo)
    async with runtime.client() as client, Socket(runtime, client.websocket(url_of(server))) as socket:
        await exchange_at_once(runtime, socket, count=200, size=1000)


async def test_a_message_that_was_cut_by_its_time_out_is_never_followed_by_another(runtime, scripted):
    received = []

    def script(conn):
        peer = Peer(conn)
        conn.wait_for(timed_out)
        try:
            while True:
                received.append(peer.next())
        except (PeerGone, RemoteProtocolError) as end:
            received.append(end)

    server = scripted(script)
    timed_out = server.event()
    async with runtime.client() as client, Socket(runtime, client.websocket(url_of(server))) as socket:
        with pytest.raises(httpx.WriteTimeout):
            await socket.send(b"x" * 30_000_000, timeout=0.3)
        timed_out.set()
        with contextlib.suppress(httpx.WebSocketClosed):
            await socket.send("next")
        await socket.close(timeout=1)
    server.wait_for_no_connections()
    assert not [event for event in received if isinstance(event, RemoteProtocolError)]
    sent = b"".join(event.data for event in received if isinstance(event, BytesMessage))
    assert set(sent) <= {ord("x")}
    assert ("next" in [event.data for event in received if isinstance(event, TextMessage)]) <= (len(sent) == 30_000_000)


async def test_over_tls_through_a_proxy(no_leaks, runtime, scripted, authority):
    server = scripted(echo, ssl_context=authority.server("www.example.org"))
    proxy = scripted(http_proxy({"www.example.org:443": server.port}))
    trusting = httpx.SSLContext(verify=str(authority.pem))
    client = runtime.client(proxy=proxy.url, ssl_context=trusting)
    async with client, Socket(runtime, client.websocket("wss://www.example.org/")) as socket:
        assert socket.response.tls.verified
        await socket.send("x" * 100_000)
        assert await socket.receive() == "x" * 100_000
    proxy.close()
    server.close()


async def test_it_must_be_open(runtime, app):
    async with runtime.client() as client:
        socket = Socket(runtime, client.websocket(app.url))
        with pytest.raises(RuntimeError, match="not open"):
            await socket.send("x")
        with pytest.raises(TypeError, match="send_json"):
            await socket.send({"a": 1})


async def test_fragments_of_nothing_and_pings_without_end_take_no_memory(no_leaks, runtime, scripted):
    def script(conn):
        Peer(conn)
        conn.send(b"\x02\x00" + b"\x00\x00" * 50_000)  # the beginning of a message, and continuations of it
        conn.send((b"\x89\x7d" + b"p" * 125) * 5_000)  # pings, whose answers are not read
        conn.send(b"\x80\x02hi")
        conn.wait_closed()

    client = runtime.client()
    async with client, Socket(runtime, client.websocket(url_of(scripted(script)))) as socket:
        conversation = socket.socket._conversation
        conversation._is_writing = True  # somebody else is, and cannot go on
        assert await socket.receive(timeout=10) == b"hi"
        assert len(conversation._unsent) < 100_000
        conversation._is_writing = False


WITHOUT_END = {
    "pongs": b"\x8a\x00" * 1_000,
    "pings": b"\x89\x00" * 1_000,
    "fragments": b"\x00\x01a" * 1_000,
    "fragments of nothing": b"\x00\x00" * 1_000,
    "messages": b"\x82\x01a" * 1_000,
}


@pytest.mark.parametrize("name", WITHOUT_END)
async def test_what_comes_without_end_hides_no_deadline(no_leaks, runtime, scripted, name):
    """Neither that of a receiver nor that of a goodbye, to which the server never answers."""

    def script(conn):
        Peer(conn)
        conn.send(b"\x02\x00" if "fragments" in name else b"")
        while True:
            conn.send(WITHOUT_END[name])

    async with runtime.client() as client:
        socket = Socket(runtime, client.websocket(url_of(scripted(script))))
        await socket.__aenter__()
        if name == "messages":
            assert await socket.receive(timeout=0.2) == b"a"
        else:
            with pytest.raises(httpx.ReadTimeout):
                await socket.receive(timeout=0.2)
        await socket.close(timeout=0.2)
        assert client.pool_stats().open == 0


async def test_a_message_takes_no_more_room_than_it_does(no_leaks, runtime, scripted):
    """However many fragments it comes in."""

    def script(conn):
        peer = Peer(conn)
        peer.next()
        conn.send(b"\x02\x03abc" + b"\x00\x03abc" * 10_000 + b"\x80\x00")
        conn.wait_closed()

    client = runtime.client()
    async with client, Socket(runtime, client.websocket(url_of(scripted(script)))) as socket:
        await socket.send("go on")
        tracemalloc.start()
        assert await socket.receive() == b"abc" * 10_001
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await socket.close(timeout=0.1)
    assert peak < 500_000
