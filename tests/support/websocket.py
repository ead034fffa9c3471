"""The two sides of a WebSocket.

The server's is on `ScriptedServer`: `scripted(echo)`, or a script that does as told with a `Peer`. The client's is a `Socket`, for
tests that run once per runtime.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import wsproto.connection
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

from tests.support.servers import Connection, Request, respond


def accept(request: Request, **fields: str | None) -> bytes:
    key = request.headers["sec-websocket-key"].encode()
    accepted = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
    answer = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accepted, **fields}
    return respond(status=101, headers=[(name, value) for name, value in answer.items() if value is not None])


class Peer:
    """The server's side after the handshake."""

    def __init__(self, conn: Connection, early: bytes = b"", request: Request | None = None, **fields: str | None) -> None:
        self.conn = conn
        if request is None:
            request = Request(conn.read_head())
            conn.record(request)
        self.events: list[Event] = []
        self.proto = wsproto.connection.Connection(wsproto.connection.ConnectionType.SERVER)
        conn.send(accept(request, **fields) + (self.proto.send(TextMessage("early")) if early else b""))

    def send(self, event: Event) -> None:
        self.conn.send(self.proto.send(event))

    def next(self) -> Any:
        while not self.events:
            self.proto.receive_data(self.conn._receive())
            self.events.extend(self.proto.events())
        return self.events.pop(0)


def echo(conn: Connection, request: Request | None = None) -> None:
    peer = Peer(conn, request=request)
    while True:
        event = peer.next()
        if isinstance(event, (TextMessage, BytesMessage)):
            peer.send(event)
        elif isinstance(event, Ping):
            peer.send(event.response())
        elif isinstance(event, CloseConnection):
            peer.send(event.response())
            return


class Socket:
    """A WebSocket of either client, with coroutines."""

    def __init__(self, runtime: Any, socket: Any) -> None:
        self.runtime = runtime
        self.socket = socket

    def __getattr__(self, name: str) -> Any:
        thing = getattr(self.socket, name)
        if self.runtime.is_async or not callable(thing):
            return thing

        async def method(*args: Any, **kwargs: Any) -> Any:
            return thing(*args, **kwargs)

        return method

    async def __aenter__(self) -> Socket:
        if self.runtime.is_async:
            await self.socket.__aenter__()
        else:
            self.socket.__enter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await self.close()

    async def rest(self) -> list[str | bytes]:
        return [message async for message in self.socket] if self.runtime.is_async else list(self.socket)


async def exchange_at_once(runtime: Any, socket: Socket, count: int, size: int) -> None:
    """Send messages to a server that echoes them, while somebody else receives them, in order."""
    received = []

    async def sending() -> None:
        for number in range(count):
            await socket.send(f"{number} " + "x" * size)

    async def receiving() -> None:
        for _ in range(count):
            received.append((await socket.receive(timeout=20)).split()[0])

    await runtime.gather(sending, receiving)
    assert received == [str(number) for number in range(count)]
