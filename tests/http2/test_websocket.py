"""WebSockets over HTTP/2 (RFC 8441), and over HTTP/1.1 where the server does not take them there."""

from __future__ import annotations

import ssl

import pytest
import wsproto.connection
from wsproto.events import BytesMessage, CloseConnection, TextMessage

import httpx
from tests.support import websocket
from tests.support.http2 import (
    DATA,
    END_STREAM,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    RST_STREAM,
    HTTP2Peer,
    data,
    rst_stream,
    window_update,
)
from tests.support.servers import Request
from tests.support.websocket import Socket, exchange_at_once

pytestmark = pytest.mark.usefixtures("no_leaks")

ENABLE_CONNECT_PROTOCOL = 8


class WebSocketPeer:
    """The server's side of one WebSocket on a connection that is for nothing else."""

    def __init__(self, conn, values=None, answer=()):
        self.http = HTTP2Peer(conn, {ENABLE_CONNECT_PROTOCOL: 1, **(values or {})})
        self.stream_id, self.fields, self.ended = self.http.read_head()
        self.proto = wsproto.connection.Connection(wsproto.connection.ConnectionType.SERVER)
        self.http.send(self.http.headers(self.stream_id, [(":status", "200"), *answer]))

    def send(self, event):
        encoded = self.proto.send(event)
        for start in range(0, len(encoded), 16_384):
            self.http.send(data(self.stream_id, encoded[start : start + 16_384]))

    def next(self):
        while True:
            for event in self.proto.events():
                return event
            found = self.http.read_until(DATA, self.stream_id)
            if found.payload:
                self.proto.receive_data(found.payload)
                self.http.send(window_update(0, len(found.payload)), window_update(self.stream_id, len(found.payload)))

    def echo(self):
        while True:
            event = self.next()
            if isinstance(event, (TextMessage, BytesMessage)):
                self.send(event)
            elif isinstance(event, CloseConnection):
                self.send(event.response())
                return


async def test_messages_go_both_ways(runtime, h2_client, scripted):
    peers = []

    def script(conn):
        peers.append(WebSocketPeer(conn))
        peers[0].echo()
        peers[0].http.read_until(DATA)  # the end of the stream
        conn.wait_closed()

    server = scripted(script)
    async with h2_client(headers={"X-A": "1"}) as client:
        async with Socket(runtime, client.websocket(server.url.replace("http", "ws") + "/path?q=1", subprotocols=["a"])) as socket:
            assert (socket.response.status_code, socket.response.http_version) == (200, "HTTP/2")
            for message in ("", "héllo", b"bytes", "x" * 200_000, b"y" * 200_000):
                await socket.send(message)
                assert await socket.receive(timeout=20) == message
        assert client.pool_stats() == (1, 1, 0, 0)
        with pytest.raises(httpx.WebSocketClosed):
            await socket.send("too late")
    server.wait_for_no_connections()
    fields = peers[0].fields
    assert {name: value for name, value in fields.items() if name[0] == ":"} == {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":scheme": "http",
        ":authority": f"127.0.0.1:{server.port}",
        ":path": "/path?q=1",
    }
    assert fields["sec-websocket-version"] == "13"
    assert fields["sec-websocket-protocol"] == "a"
    assert fields["x-a"] == "1"
    assert not {"upgrade", "connection", "sec-websocket-key"} & fields.keys()
    assert not peers[0].ended
    assert [found.flags & END_STREAM for found in peers[0].http.frames if found.type == DATA][-1] == END_STREAM


async def test_one_connection_carries_sockets_and_requests(runtime, h2_client, scripted):
    def script(conn):
        peer = WebSocketPeer(conn)
        peer.http.respond(peer.http.read_request()[0], b"beside")
        peer.send(TextMessage("after"))
        peer.echo()
        peer.http.respond(peer.http.read_request()[0], b"behind")
        peer.http.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        async with Socket(runtime, client.websocket(server.url)) as socket:
            assert (await client.get(server.url)).content == b"beside"
            assert await socket.receive() == "after"
        assert (await client.get(server.url)).content == b"behind"
    assert len(server.connections) == 1


async def test_one_sends_while_another_receives(runtime, h2_client, scripted):
    server = scripted(lambda conn: WebSocketPeer(conn, {INITIAL_WINDOW_SIZE: 5_000}).echo())
    async with h2_client() as client, Socket(runtime, client.websocket(server.url)) as socket:
        await exchange_at_once(runtime, socket, count=100, size=3000)


async def test_a_window_that_never_opens_ends_sending_on_time(runtime, h2_client, scripted):
    def script(conn):
        WebSocketPeer(conn, {INITIAL_WINDOW_SIZE: 0}).http.read_until(RST_STREAM)

    async with h2_client() as client, Socket(runtime, client.websocket(scripted(script).url)) as socket:
        with pytest.raises(httpx.WriteTimeout):
            await socket.send("x" * 100, timeout=0.2)
        await socket.close(timeout=0.1)


@pytest.mark.parametrize("end", [lambda stream_id: rst_stream(stream_id, 8), lambda stream_id: data(stream_id, b"", end=True)])
async def test_a_stream_that_ends_without_a_goodbye_is_a_lost_connection(runtime, h2_client, scripted, end):
    def script(conn):
        peer = WebSocketPeer(conn, {INITIAL_WINDOW_SIZE: 0})
        peer.send(TextMessage("last"))
        peer.http.send(end(peer.stream_id))
        peer.http.respond(peer.http.read_request()[0], b"next")
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:
        async with Socket(runtime, client.websocket(server.url)) as socket:
            assert await socket.receive() == "last"
            with pytest.raises(httpx.WebSocketClosed) as caught:
                await socket.receive(timeout=20)
            assert caught.value.code == 1006
        assert (await client.get(server.url)).content == b"next"


async def test_who_waits_for_the_window_hears_of_the_end(runtime, h2_client, scripted):
    def script(conn):
        WebSocketPeer(conn, {INITIAL_WINDOW_SIZE: 0})
        conn.wait_for(sending)

    server = scripted(script)
    sending = server.event()
    async with h2_client() as client, Socket(runtime, client.websocket(server.url)) as socket:

        async def send():
            with pytest.raises(httpx.WebSocketClosed):
                await socket.send("x" * 100, timeout=20)

        async def receive():
            with pytest.raises(httpx.WebSocketClosed):
                await socket.receive(timeout=20)

        async def end():
            sending.set()

        await runtime.gather(receive, send, end)


async def test_a_server_that_refuses(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn, {ENABLE_CONNECT_PROTOCOL: 1})
        peer.respond(peer.read_head()[0], b"no", status=403)
        peer.read_until(HEADERS)

    async with h2_client() as client:
        with pytest.raises(httpx.HTTPStatusError, match="403"):
            async with Socket(runtime, client.websocket(scripted(script).url)):
                pass
        assert client.pool_stats().in_use == 0


async def test_an_answer_that_is_wrong(runtime, h2_client, scripted):
    server = scripted(lambda conn: WebSocketPeer(conn, answer=[("sec-websocket-extensions", "x")]).http.read_until(RST_STREAM))
    async with h2_client() as client:
        with pytest.raises(httpx.WebSocketError, match="extension"):
            async with Socket(runtime, client.websocket(server.url)):
                pass


async def test_a_server_that_takes_none_where_only_http_2_may_be_spoken(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        peer.respond(peer.read_request()[0], b"all the same")
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        with pytest.raises(httpx.WebSocketError, match=rf"127.0.0.1:{server.port} takes no WebSockets over HTTP/2"):
            async with Socket(runtime, client.websocket(server.url)):
                pass
        assert (await client.get(server.url)).content == b"all the same"


async def test_the_settings_are_waited_for_until_the_time_out(runtime, h2_client, scripted):
    server = scripted(lambda conn: (HTTP2Peer(conn, greet=False), conn.wait_closed()))
    async with h2_client(timeout=httpx.Timeout(10, read=0.2)) as client:
        with pytest.raises(httpx.ReadTimeout):
            async with Socket(runtime, client.websocket(server.url)):
                pass


def by_alpn(authority, over_http2):
    context = authority.server()
    context.set_alpn_protocols(["h2", "http/1.1"])

    def script(conn):
        conn.upgrade_to_tls(context)
        if conn.tls.selected_alpn_protocol() == "h2":
            over_http2(conn)
            return
        request = Request(conn.read_head())
        conn.record(request)
        websocket.echo(conn, request)

    return script


@pytest.fixture
def trusting(identity):
    return identity.trusting()


@pytest.fixture
def tls(identity):
    class Tls:
        @staticmethod
        def server():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(identity.certificate, identity.key)
            return context

    return Tls


async def test_where_http_2_takes_none_http_1_1_is_spoken(runtime, h2_client, scripted, tls, trusting):
    def over_http2(conn):
        peer = HTTP2Peer(conn)
        peer.respond(peer.read_request()[0], b"over HTTP/2")
        peer.read_until(HEADERS)

    server = scripted(by_alpn(tls, over_http2))
    url = server.url.replace("http:", "https:")
    async with h2_client(http1=True, ssl_context=trusting) as client:
        assert (await client.get(url)).content == b"over HTTP/2"
        for _ in range(2):
            async with Socket(runtime, client.websocket(url)) as socket:
                assert (socket.response.status_code, socket.response.http_version) == (101, "HTTP/1.1")
                await socket.send("x")
                assert await socket.receive() == "x"
        assert client.pool_stats().open == 1
    assert len(server.connections) == 3


async def test_other_libraries_that_ask_for_an_upgrade_get_http_1_1(runtime, h2_client, scripted, tls, trusting):
    server = scripted(by_alpn(tls, lambda conn: HTTP2Peer(conn, {ENABLE_CONNECT_PROTOCOL: 1}).read_until(HEADERS)))
    fields = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    client, url = h2_client(http1=True, ssl_context=trusting), server.url.replace("http:", "https:")
    async with client, client.stream("GET", url, headers=fields) as response:
        assert (response.status_code, response.http_version) == (101, "HTTP/1.1")


async def test_a_real_server(runtime, h2_client, identity, hypercorn_tls):
    async with h2_client(ssl_context=identity.trusting(), http1=True) as client:
        async with Socket(runtime, client.websocket(hypercorn_tls)) as socket:
            assert socket.response.http_version == "HTTP/2"
            await socket.send("x" * 300_000)
            assert await socket.receive(timeout=20) == "x" * 300_000
        assert client.pool_stats().idle == 1
