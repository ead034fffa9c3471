"""WebSocket (RFC 6455): the handshake is a request like any other, what follows a conversation of messages on its connection.

The frames are wsproto's. There is no task in the background: pings are answered and the end is noticed while somebody receives.
"""

from __future__ import annotations

import base64
import collections
import hashlib
import hmac
import io
import json as jsonlib
import os
import threading
import time
import typing
from collections.abc import Sequence

from .._exceptions import ReadTimeout, TransportError, WebSocketClosed, WebSocketError, WriteError, WriteTimeout
from .._models.request import Request
from .._models.response import Response
from .._network.base import Stream, drive
from .._network.words import nothing_arrived
from .._printable import printable

if typing.TYPE_CHECKING:
    from wsproto.connection import Connection

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
NORMAL_CLOSURE, PROTOCOL_ERROR, ABNORMAL_CLOSURE, MESSAGE_TOO_BIG = 1000, 1002, 1006, 1009

MAX_UNSENT = 65_536
"""Bytes that wait to be sent, beyond which pings are not answered."""

_AT_A_TIME = 32_768  # bytes that are taken in before anybody looks at the clock: some ten thousand frames, if they are of nothing

Message = str | bytes


class _Conversation:
    def __init__(
        self, client: typing.Any, request: Request, sending: dict[str, typing.Any], subprotocols: Sequence[str], max_message_size: int
    ) -> None:
        self._client = client
        self._request = request
        self._sending = sending
        self._offered = tuple(subprotocols)
        self._max_size = max_message_size
        self._lock = threading.Lock()
        self._is_writing = False
        self._is_receiving = False
        self._unsent = bytearray()
        self._arrived = b""  # and not yet taken in
        self._messages: collections.deque[Message] = collections.deque()
        self._begun: typing.Any = None  # the part of a message that is there, in a StringIO or BytesIO
        self._size = 0
        self._closed: WebSocketError | None = None
        self._proto: Connection | None = None
        self._stream: Stream | None = None
        self.response: Response | None = None
        self.subprotocol: str | None = None

    async def open(self) -> None:
        """The handshake (section 4.1)."""
        try:
            from wsproto.connection import Connection, ConnectionType
        except ImportError:
            raise ImportError("WebSockets need the wsproto package, which is not installed: pip install 'httpx[ws]'.") from None
        calls, request = self._client._calls, self._request
        key = base64.b64encode(os.urandom(16))
        fields = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key.decode("ascii")}
        if self._offered:
            fields["Sec-WebSocket-Protocol"] = ", ".join(self._offered)
        request.headers.update(fields)
        request.extensions["websocket"] = True  # over HTTP/2 it is asked for in another way (RFC 8441)
        response = self.response = await calls.send(self._client, request, **self._sending)
        try:
            over_http2 = response.http_version == "HTTP/2"
            if response.status_code != 101 and not (over_http2 and response.is_success):
                await calls.read(response)
                response.raise_for_status()
                raise self._refusal(f"the server answered {response.status_code} {printable(response.reason_phrase)}".rstrip())
            if not over_http2:
                self._check_upgrade(response, key)
            self._check(response)
            self._stream, early = _take_stream(response, request)
        except BaseException:
            await calls.close(response)
            raise
        self._proto = Connection(ConnectionType.CLIENT)
        self._arrived = early
        try:
            if early:
                await self._receive_once(None)  # it may want an answer
        except BaseException:
            await calls.close(response)
            raise

    def _check_upgrade(self, response: Response, key: bytes) -> None:
        headers = response.headers
        accepted = base64.b64encode(hashlib.sha1(key + _MAGIC, usedforsecurity=False).digest())
        if headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in headers.get("connection", "").lower():
            raise self._refusal("the server changed to another protocol")
        if not hmac.compare_digest(headers.get("sec-websocket-accept", "").encode("latin-1"), accepted):
            raise self._refusal("Sec-WebSocket-Accept is not the answer to this request")

    def _check(self, response: Response) -> None:
        headers = response.headers
        if "sec-websocket-extensions" in headers:
            raise self._refusal("the server chose an extension that was not offered")
        self.subprotocol = headers.get("sec-websocket-protocol")
        if self.subprotocol is not None and self.subprotocol not in self._offered:
            raise self._refusal(f"the server chose the subprotocol {printable(self.subprotocol)!r}, which was not offered")

    def _refusal(self, why: str) -> WebSocketError:
        return WebSocketError(f"No WebSocket was opened: {why}.", request=self._request)

    async def send(self, message: Message, timeout: float | None) -> None:
        """Send a message."""
        from wsproto.events import BytesMessage, TextMessage

        if isinstance(message, str):
            await self._send(TextMessage(message), timeout)
        elif isinstance(message, (bytes, bytearray, memoryview)):
            await self._send(BytesMessage(bytes(message)), timeout)
        else:
            raise TypeError(f"A message is a str or bytes, not {type(message).__name__}: send_json() sends other things.")

    async def ping(self, payload: bytes, timeout: float | None) -> None:
        """Send a ping."""
        from wsproto.events import Ping

        await self._send(Ping(payload), timeout)

    async def receive(self, timeout: float | None) -> Message:
        """The next message. Raises `WebSocketClosed` at the end."""
        deadline = None if timeout is None else time.monotonic() + timeout
        patience = timeout
        while not self._messages:
            if self._closed is not None:
                raise self._closed
            await self._receive_once(patience)
            patience = self._left(deadline)
        return self._messages.popleft()

    def _left(self, deadline: float | None) -> float | None:
        # Seconds to wait for more. A flood of what is no message does not move the deadline, nor does it hide it.
        if deadline is None:
            return None
        left = deadline - time.monotonic()
        if left <= 0 and not self._messages and self._closed is None:
            raise ReadTimeout(f"No message of {self._open_stream().peer} was complete in time.")
        return max(left, 0.0)

    async def _receive_once(self, timeout: float | None) -> None:
        if self._is_receiving:
            raise RuntimeError("Two tasks or threads cannot receive from one WebSocket at a time.")
        self._is_receiving = True
        try:
            arrived = self._arrived or await self._open_stream().receive(timeout)
            self._arrived = arrived[_AT_A_TIME:]
            self._take_in(arrived[:_AT_A_TIME])
        except ReadTimeout:
            raise
        except TransportError as error:
            self._end(ABNORMAL_CLOSURE, "", error)
            return
        finally:
            self._is_receiving = False
        try:
            await self._flush(timeout)
        except WebSocketError:
            pass  # what has arrived counts, and it is known that this was the end
        except WriteTimeout:  # an answer to a ping, from a peer that takes none
            if not self._messages:
                raise nothing_arrived(self._open_stream().peer, timeout) from None

    def _take_in(self, data: bytes) -> None:
        from wsproto.utilities import LocalProtocolError, RemoteProtocolError

        if data == b"":
            self._end(ABNORMAL_CLOSURE, "the connection was lost")
            return
        proto = self._open_proto()
        try:
            with self._lock:
                proto.receive_data(data)
                for event in proto.events():
                    self._take(proto, event)
        except (RemoteProtocolError, LocalProtocolError) as error:
            self._give_up(PROTOCOL_ERROR, f"broke the protocol: {error}")
        except _TooBig:
            self._give_up(MESSAGE_TOO_BIG, f"sent a message of more than {self._max_size} bytes (max_message_size)")

    def _take(self, proto: Connection, event: typing.Any) -> None:
        from wsproto.connection import ConnectionState
        from wsproto.events import CloseConnection, Message, Ping
        from wsproto.utilities import RemoteProtocolError

        if isinstance(event, Message):
            self._gather(event.data, event.message_finished)
        elif isinstance(event, Ping):
            if len(self._unsent) < MAX_UNSENT:  # who does not read what it asks for need not be answered
                self._unsent += proto.send(event.response())
        elif isinstance(event, CloseConnection):
            if proto.state is ConnectionState.OPEN:  # the engine's way to say that these are no frames
                raise RemoteProtocolError(event.reason or "")
            if proto.state is ConnectionState.REMOTE_CLOSING:
                self._unsent += proto.send(event.response())
            self._end(event.code, event.reason or "")

    def _gather(self, data: typing.Any, is_finished: bool) -> None:
        # A message may come in very many fragments of next to nothing, which must not take more room than it does.
        self._size += len(data)
        if self._size > self._max_size:
            raise _TooBig
        if self._begun is None and is_finished:
            self._messages.append(data if isinstance(data, str) else bytes(data))
            self._size = 0
            return
        if self._begun is None:
            self._begun = io.StringIO() if isinstance(data, str) else io.BytesIO()
        self._begun.write(data)
        if is_finished:
            self._messages.append(self._begun.getvalue())
            self._begun, self._size = None, 0

    def _give_up(self, code: int, why: str) -> None:
        # The peer is told, and nothing more is heard.
        from wsproto.events import CloseConnection

        stream = self._open_stream()
        with self._lock:
            try:
                farewell = self._open_proto().send(CloseConnection(code))
            except Exception:  # the engine has seen enough
                farewell = b""
        self._closed = WebSocketError(f"{stream.peer} {why}.", request=self._request)
        stream.close(farewell)

    def _end(self, code: int, reason: str, cause: Exception | None = None) -> None:
        if self._closed is None:
            self._closed = WebSocketClosed(code, reason, request=self._request)
            self._closed.__cause__ = cause

    async def _send(self, event: typing.Any, timeout: float | None) -> None:
        if self._closed is not None:
            raise self._closed
        with self._lock:
            self._unsent += self._open_proto().send(event)
        await self._flush(timeout)

    async def _flush(self, timeout: float | None) -> None:
        # Frames go out whole and in order: who finds nobody writing writes for all.
        stream = self._open_stream()
        while True:
            with self._lock:
                if self._is_writing or not self._unsent:
                    return
                self._is_writing = True
                data = bytes(self._unsent)
                self._unsent.clear()
            try:
                await stream.send(data, timeout)
            except WriteError as error:
                self._end(ABNORMAL_CLOSURE, "", error)
                assert self._closed is not None
                raise self._closed from error
            except BaseException:
                if not stream.keeps_unsent:
                    # Nobody knows how much of the frame has gone out.
                    self._end(ABNORMAL_CLOSURE, "sending was broken off")
                    stream.close()
                raise
            finally:
                self._is_writing = False

    async def close(self, code: int, reason: str, timeout: float | None) -> None:
        """Say goodbye, wait for the answer, and hang up (section 7.1)."""
        from wsproto.events import CloseConnection

        if self.response is None:
            return
        try:
            if self._closed is None and self._proto is not None:
                await self._send(CloseConnection(code, reason or None), timeout)
                deadline = None if timeout is None else time.monotonic() + timeout
                while self._closed is None and not self._is_receiving:
                    self._messages.clear()
                    await self._receive_once(self._left(deadline))
        except TransportError:
            pass  # there is nobody to say goodbye to
        finally:
            self._end(ABNORMAL_CLOSURE, "it was closed by this side")
            await self._client._calls.close(self.response)

    def _open_proto(self) -> Connection:
        if self._proto is None:
            raise RuntimeError("This WebSocket is not open: enter it with `with` before.")
        return self._proto

    def _open_stream(self) -> Stream:
        self._open_proto()
        assert self._stream is not None
        return self._stream


class _TooBig(Exception):
    pass


def _take_stream(response: Response, request: Request) -> tuple[Stream, bytes]:
    # The connection, for one that sends while another one receives; and what has arrived on it already.
    exchange = getattr(response.stream, "_exchange", None)
    if exchange is None or not exchange.is_upgraded:
        raise WebSocketError("The transport of this client has no connection for a WebSocket.", request=request)
    facade = response.extensions["network_stream"]
    early, facade._unread = facade._unread, b""
    stream: Stream = facade._stream.share()
    facade._stream = stream
    if not exchange.connection.multiplexes:
        exchange.connection.stream = stream
    return stream, early


class _Base:
    def __init__(self, conversation: _Conversation) -> None:
        self._conversation = conversation

    @property
    def response(self) -> Response:
        """The response of the handshake."""
        if self._conversation.response is None:
            raise RuntimeError("This WebSocket is not open: enter it with `with` before.")
        return self._conversation.response

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the server chose, None if it chose none."""
        return self._conversation.subprotocol


class WebSocket(_Base):
    """A WebSocket of a `Client`, see `Client.websocket()`. One thread may send while another one receives."""

    def send(self, message: Message, timeout: float | None = None) -> None:
        """Send a text or binary message. Raises `WebSocketClosed`, or `WriteTimeout`."""
        drive(self._conversation.send(message, timeout))

    def send_json(self, value: typing.Any, timeout: float | None = None) -> None:
        """Send a text message with `value` as JSON."""
        self.send(jsonlib.dumps(value), timeout)

    def ping(self, payload: bytes = b"", timeout: float | None = None) -> None:
        """Send a ping; answers to it are received and dropped."""
        drive(self._conversation.ping(payload, timeout))

    def receive(self, timeout: float | None = None) -> Message:
        """The next message, a str or bytes. Raises `WebSocketClosed` at the end, `ReadTimeout` after `timeout` seconds."""
        return drive(self._conversation.receive(timeout))

    def receive_json(self, timeout: float | None = None) -> typing.Any:
        """The next message, decoded from JSON."""
        return jsonlib.loads(self.receive(timeout))

    def close(self, code: int = NORMAL_CLOSURE, reason: str = "", timeout: float | None = 5.0) -> None:
        """Say goodbye, wait `timeout` seconds at most for the answer, and hang up. May be called any number of times."""
        drive(self._conversation.close(code, reason, timeout))

    def __iter__(self) -> WebSocket:
        return self

    def __next__(self) -> Message:
        try:
            return self.receive()
        except WebSocketClosed as closed:
            if closed.code == NORMAL_CLOSURE:
                raise StopIteration from None
            raise

    def __enter__(self) -> WebSocket:
        drive(self._conversation.open())
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncWebSocket(_Base):
    """A WebSocket of an `AsyncClient`, see `AsyncClient.websocket()`. One task may send while another one receives."""

    async def send(self, message: Message, timeout: float | None = None) -> None:
        """Send a text or binary message. Raises `WebSocketClosed`, or `WriteTimeout`."""
        await self._conversation.send(message, timeout)

    async def send_json(self, value: typing.Any, timeout: float | None = None) -> None:
        """Send a text message with `value` as JSON."""
        await self.send(jsonlib.dumps(value), timeout)

    async def ping(self, payload: bytes = b"", timeout: float | None = None) -> None:
        """Send a ping; answers to it are received and dropped."""
        await self._conversation.ping(payload, timeout)

    async def receive(self, timeout: float | None = None) -> Message:
        """The next message, a str or bytes. Raises `WebSocketClosed` at the end, `ReadTimeout` after `timeout` seconds."""
        return await self._conversation.receive(timeout)

    async def receive_json(self, timeout: float | None = None) -> typing.Any:
        """The next message, decoded from JSON."""
        return jsonlib.loads(await self.receive(timeout))

    async def close(self, code: int = NORMAL_CLOSURE, reason: str = "", timeout: float | None = 5.0) -> None:
        """Say goodbye, wait `timeout` seconds at most for the answer, and hang up. May be called any number of times."""
        await self._conversation.close(code, reason, timeout)

    def __aiter__(self) -> AsyncWebSocket:
        return self

    async def __anext__(self) -> Message:
        try:
            return await self.receive()
        except WebSocketClosed as closed:
            if closed.code == NORMAL_CLOSURE:
                raise StopAsyncIteration from None
            raise

    async def __aenter__(self) -> AsyncWebSocket:
        await self._conversation.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def prepare(client: typing.Any, url: typing.Any, subprotocols: Sequence[str], max_message_size: int, settings: typing.Any) -> typing.Any:
    """The conversation that `client.websocket()` has; `settings` are those of a request."""
    sending = {name: settings.pop(name) for name in ("auth", "follow_redirects") if name in settings}
    return _Conversation(client, client.build_request("GET", url, **settings), sending, subprotocols, max_message_size)
