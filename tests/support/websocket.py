"""The server's side of a WebSocket, on `ScriptedServer`: `scripted(echo)`, or a script that does as told with a `Peer`."""

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
