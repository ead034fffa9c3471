"""httpx-ws: WebSockets on `response.extensions["network_stream"]`, from another thread or task than the one that reads."""

from __future__ import annotations

import base64
import hashlib

import pytest
from httpx_ws import WebSocketDisconnect, WebSocketNetworkError, WebSocketUpgradeError, aconnect_ws, connect_ws
from httpx_ws.transport import ASGIWebSocketTransport
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

import httpx
from tests.support.servers import ScriptedServer, respond


async def echo(websocket):
    await websocket.accept(subprotocol="echo" if "echo" in websocket.scope["subprotocols"] else None)
    async for message in websocket.iter_text():
        if message == "bye":
            await websocket.close(4000, "as you wish")
            return
        await websocket.send_text(message)


APPLICATION = Starlette(routes=[WebSocketRoute("/echo", echo), Route("/plain", lambda request: PlainTextResponse("plain"))])


def test_messages_go_both_ways(serve_asgi):
    url = serve_asgi(APPLICATION)
    with httpx.Client(base_url=url) as client, connect_ws("/echo", client, subprotocols=["echo"]) as ws:
        assert ws.subprotocol == "echo"
        for message in ("one", "two", "x" * 100_000):
            ws.send_text(message)
            assert ws.receive_text(timeout=20) == message
        ws.send_json({"n": 1})
        assert ws.receive_json(timeout=20) == {"n": 1}


async def test_messages_go_both_ways_on_an_async_client(serve_asgi):
    url = serve_asgi(APPLICATION)
    async with httpx.AsyncClient() as client, aconnect_ws(url + "/echo", client) as ws:
        for message in ("one", "two", "x" * 100_000):
            await ws.send_text(message)
            assert await ws.receive_text(timeout=20) == message


def test_a_ws_url_is_understood(serve_asgi):
    url = serve_asgi(APPLICATION).replace("http://", "ws://")
    with connect_ws(url + "/echo") as ws:
        ws.send_text("hello")
        assert ws.receive_text(timeout=20) == "hello"


def test_the_servers_close_is_an_exception_with_its_code(serve_asgi):
    url = serve_asgi(APPLICATION)
    with httpx.Client() as client, connect_ws(url + "/echo", client) as ws:
        ws.send_text("bye")
        with pytest.raises(WebSocketDisconnect) as caught:
            ws.receive_text(timeout=20)
    assert (caught.value.code, caught.value.reason) == (4000, "as you wish")


def test_a_response_that_is_no_upgrade_is_an_error_that_has_it(serve):
    url = serve(lambda request: respond("not here", 404)).url
    with httpx.Client() as client, pytest.raises(WebSocketUpgradeError) as caught, connect_ws(url + "/nowhere", client):
        pass
    assert caught.value.response.status_code == 404
    assert caught.value.response.is_closed


def accept_then(end):
    """A WebSocket server that ends the connection in its own way once it is open."""

    def script(conn):
        key = conn.read_request().headers["sec-websocket-key"]
        accepted = base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        conn.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        conn.send(b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n")
        conn.read_exactly(1)  # of a first message: the client is listening
        end(conn)

    return script


@pytest.mark.parametrize("end", [lambda conn: conn.close(), lambda conn: conn.reset()], ids=["closed", "reset"])
def test_a_lost_connection_is_a_network_error(end):
    with ScriptedServer(accept_then(end)) as server, httpx.Client() as client, connect_ws(server.url, client) as ws:
        ws.send_text("hello")
        with pytest.raises(WebSocketNetworkError):
            ws.receive_text(timeout=20)


@pytest.mark.parametrize("end", [lambda conn: conn.close(), lambda conn: conn.reset()], ids=["closed", "reset"])
async def test_a_lost_connection_is_a_network_error_on_an_async_client(end):
    with ScriptedServer(accept_then(end)) as server:
        async with httpx.AsyncClient() as client, aconnect_ws(server.url, client) as ws:
            await ws.send_text("hello")
            with pytest.raises(WebSocketNetworkError):
                await ws.receive_text(timeout=20)


async def test_messages_go_to_an_asgi_application_without_a_network():
    async with httpx.AsyncClient(transport=ASGIWebSocketTransport(app=APPLICATION)) as client:
        async with aconnect_ws("http://server/echo", client) as ws:
            await ws.send_text("hello")
            assert await ws.receive_text(timeout=20) == "hello"
        assert (await client.get("http://server/plain")).text == "plain"
