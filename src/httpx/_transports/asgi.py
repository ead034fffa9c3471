"""A transport that calls an ASGI application in this process: https://asgi.readthedocs.io/en/latest/specs/www.html

The application runs in a task of its own, and meets the client at two doors: `receive` hands it the request's content piece by
piece, `send` takes the response. Neither side runs ahead by more than one piece, so that either may stream without end.
"""

from __future__ import annotations

import contextlib
import typing
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping

from .._connections.body import parts_of
from .._content.streams import AsyncByteStream, ByteStream
from .._exceptions import RemoteProtocolError
from .._models.headers import Headers
from .._models.request import Request
from .._models.response import Response
from .._network.base import Network, Waiter, wake
from .._network.runtime import current_network
from .answers import check_fields, check_piece, shown
from .base import AsyncBaseTransport

Message = MutableMapping[str, typing.Any]
ASGIApp = Callable[..., Awaitable[None]]

_GRACE = 1.0  # seconds that an application has to end by itself when the client has hung up on it


class ASGITransport(AsyncBaseTransport):
    """Sends the requests of an `AsyncClient` to an ASGI application, without a network; on asyncio and trio.

    * `app`: the application.
    * `raise_app_exceptions`: whether an exception of the application is raised to the caller, which is the default; else it
      makes a response of status 500.
    * `root_path`: the path that the application is mounted at.
    * `client`: address and port that the application sees as the client's.

    Content and response are streamed as the application reads and writes them. A response that is closed early shows as
    `http.disconnect`; an application that takes no notice is cancelled. Time-outs do not apply, and there is no lifespan:
    start and stop the application yourself if it needs that.
    """

    def __init__(
        self,
        app: ASGIApp,
        raise_app_exceptions: bool = True,
        root_path: str = "",
        client: tuple[str, int] = ("127.0.0.1", 123),
    ) -> None:
        self.app = app
        self.raise_app_exceptions = raise_app_exceptions
        self.root_path = root_path
        self.client = client

    async def handle_async_request(self, request: Request) -> Response:
        network = current_network()
        conversation = _Conversation(request, network)
        scope = self._scope(request)
        cancel = network.spawn(lambda: conversation.run(self.app, scope))
        try:
            await conversation.until(lambda: conversation.status is not None or conversation.has_ended)
        except BaseException:
            conversation.hang_up()
            cancel()
            raise
        if conversation.status is not None:
            body = _Body(conversation, cancel, self.raise_app_exceptions)
            return Response(conversation.status, headers=conversation.headers, stream=body, request=request)
        if conversation.error is None:
            raise RemoteProtocolError("The ASGI application ended without a response.", request=request)
        if self.raise_app_exceptions:
            raise conversation.error
        return Response(500, request=request)

    def _scope(self, request: Request) -> dict[str, typing.Any]:
        url = request.url
        _, _, port = url._origin
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "root_path": self.root_path,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": (url.host, port),
            "client": self.client,
        }


class _Conversation:
    # What the application and the client have said to each other so far.

    def __init__(self, request: Request, network: Network) -> None:
        self.status: int | None = None
        self.headers = Headers()
        self.piece: bytes | None = None
        self.is_complete = False
        self.has_ended = False
        self.has_hung_up = False
        self.error: Exception | None = None
        self._in_memory = request.stream._bytes if type(request.stream) is ByteStream else None
        self._parts = parts_of(request.stream, network)
        self._all_sent = False
        self._takes_body = request.method != "HEAD"
        self._network = network
        self._waiting: list[Waiter] = []

    async def run(self, app: ASGIApp, scope: dict[str, typing.Any]) -> None:
        """The application's task."""
        try:
            try:
                await app(scope, self._receive, self._send)
            finally:
                if not self._all_sent:
                    await self._parts.close()
        except Exception as error:
            self.error = error
        finally:
            self.has_ended = True
            self._tell()

    async def until(self, condition: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until something has happened; False if it has not by `timeout`."""
        while not condition():
            waiter = self._network.waiter()
            self._waiting.append(waiter)
            try:
                if not await self._network.wait(waiter, timeout):
                    return condition()
            finally:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
        return True

    def hang_up(self) -> None:
        """The client wants nothing more."""
        self.has_hung_up = True
        self._tell()

    def take(self) -> bytes | None:
        """The piece of the response that is there, making room for the next one."""
        piece, self.piece = self.piece, None
        self._tell()
        return piece

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            wake(waiter)

    async def _receive(self) -> Message:
        if not self._all_sent and not self.has_hung_up:
            if self._in_memory is not None:
                self._all_sent = True
                return {"type": "http.request", "body": self._in_memory, "more_body": False}
            part = await self._parts.next()
            if part is not None:
                return {"type": "http.request", "body": part, "more_body": True}
            self._all_sent = True
            await self._parts.close()
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.until(lambda: self.is_complete or self.has_hung_up)
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if self.has_hung_up:
            raise OSError("The client has closed the response.")
        if kind == "http.response.start":
            if self.status is not None:
                raise RuntimeError("The application sent http.response.start twice.")
            self.headers = Headers(message.get("headers", []))
            check_fields(self.headers.raw)
            self.status = _status_of(message)
        elif kind == "http.response.body":
            await self._send_body(message)
        else:
            raise RuntimeError(f"The application sent {kind!r}, which is none of http.response.start and http.response.body.")
        self._tell()

    async def _send_body(self, message: Message) -> None:
        if self.status is None or self.is_complete:
            raise RuntimeError(f"The application sent http.response.body {'after its end' if self.is_complete else 'before a start'}.")
        body = check_piece(message.get("body", b""))
        if body and self._takes_body:
            await self.until(lambda: self.piece is None or self.has_hung_up)
            if self.has_hung_up:
                raise OSError("The client has closed the response.")
            self.piece = body
        self.is_complete = not message.get("more_body", False)


def _status_of(message: Message) -> int:
    status = message.get("status")
    if not isinstance(status, int) or not 100 <= status <= 999:
        raise RuntimeError(f"The application sent the status {shown(status)}, which is no integer from 100 to 999.")
    return status


class _Body(AsyncByteStream):
    # Ends when the application has: what it does after its last piece is part of the request, too.

    def __init__(self, conversation: _Conversation, cancel: Callable[[], None], raises: bool) -> None:
        self._conversation = conversation
        self._cancel = cancel
        self._raises = raises
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        conversation = self._conversation
        await conversation.until(lambda: conversation.piece is not None or conversation.has_ended)
        if (piece := conversation.take()) is not None:
            return piece
        if conversation.error is not None and self._raises:
            raise conversation.error
        if not conversation.is_complete:
            raise RemoteProtocolError("The ASGI application ended within the body of its response.") from conversation.error
        raise StopAsyncIteration

    async def aclose(self) -> None:
        conversation = self._conversation
        self._is_closed = True
        if conversation.has_ended:
            return
        conversation.hang_up()
        try:
            if not await conversation.until(lambda: conversation.has_ended, _GRACE):
                self._cancel()
                await conversation.until(lambda: conversation.has_ended, _GRACE)  # it may take no notice of that, either
        except BaseException:
            self._cancel()
            raise

    def __del__(self) -> None:
        if not self._is_closed and not self._conversation.has_ended:
            warnings.warn("The response of an ASGI application was dropped without being read or closed.", ResourceWarning, stacklevel=2)
            with contextlib.suppress(RuntimeError):  # its event loop may be gone
                self._cancel()
