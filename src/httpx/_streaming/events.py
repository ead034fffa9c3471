"""Listening to a stream of server-sent events, over as many connections as it takes (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import collections
import re
import typing
from collections.abc import AsyncIterator, Iterator

from .._content.sse import EventDecoder, EventTooLarge, ServerSentEvent
from .._exceptions import HTTPStatusError, NetworkError, RemoteProtocolError, RequestError, SSEError, TimeoutException, TLSError
from .._models.request import Request
from .._models.response import Response
from .._network.base import drive
from .._printable import printable

RETRY = 3.0
"""Seconds to wait before connecting again, unless the server says otherwise."""

MIN_RETRY = 0.1
"""Seconds that clients wait at least: a server that hangs up at once must not be able to make them come back in a hurry."""

MAX_RETRY = 300.0
"""Seconds that a server can make clients wait at most."""

MAX_EVENT_ID = 4_096
"""Characters of an ID that are sent back to a server."""

_SENDABLE_ID = re.compile(rf"[^\x00-\x1f\x7f]{{1,{MAX_EVENT_ID}}}")
_BUSY = frozenset((429, 500, 502, 503, 504))  # statuses that may pass, once a stream has been there


class _Listening:
    # The conversation: one coroutine for both clients.

    def __init__(
        self,
        client: typing.Any,
        request: Request,
        sending: dict[str, typing.Any],
        *,
        reconnect: bool | None,
        max_attempts: int,
        max_event_size: int,
        is_patient: bool,
    ) -> None:
        self._client = client
        self._request = request
        self._sending = sending
        self._timeout = dict(request.extensions.get("timeout") or {})
        self._reconnects = request.method == "GET" if reconnect is None else reconnect
        self._max_attempts = max_attempts
        self._max_event_size = max_event_size
        self._is_patient = is_patient
        self._decoder = EventDecoder(request.headers.get("last-event-id", ""), max_event_size)
        self._events: collections.deque[ServerSentEvent] = collections.deque()
        self._pieces: typing.Any = None
        self._retry = RETRY
        self._has_begun = False
        self._is_over = False
        self.response: Response | None = None

    async def start(self) -> None:
        """Connect, if that has not been done."""
        if not self._has_begun:
            await self._connect()
            self._has_begun = True

    async def next(self) -> ServerSentEvent | None:
        """The next event, None when there are no more."""
        await self.start()
        while not self._events:
            if self._is_over:
                return None
            try:
                piece = await self._client._calls.next_piece(self._pieces)
            except RequestError as error:
                await self._lost(error)
                continue
            if piece is None:
                await self._lost(None)
                continue
            try:
                self._events.extend(self._decoder.feed(piece))
            except EventTooLarge as error:
                await self.close()
                raise SSEError(str(error), request=self._request) from None
            if self._decoder.retry is not None:
                self._retry = max(MIN_RETRY, min(self._decoder.retry / 1000, MAX_RETRY))
        return self._events.popleft()

    async def close(self) -> None:
        """Hang up."""
        self._is_over = True
        await self._hang_up()

    @property
    def last_event_id(self) -> str:
        """The ID that the stream gave last."""
        return self._decoder.last_event_id

    async def _connect(self) -> None:
        request = self._request
        request.extensions["timeout"] = timeout = dict(self._timeout)
        request.headers.pop("Last-Event-ID", None)
        if _SENDABLE_ID.fullmatch(self.last_event_id):  # it is the server's choice, and may be nothing that a field can hold
            request.headers["Last-Event-ID"] = self.last_event_id.encode("utf-8").decode("latin-1")
        calls = self._client._calls
        response = self.response = await calls.send(self._client, request, **self._sending)
        try:
            if response.status_code == 204:
                self._is_over = True  # the server's way to say that there will be nothing more
                await calls.close(response)
                return
            if not response.is_success:
                await calls.read(response)
                response.raise_for_status()
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "text/event-stream":
                raise SSEError(f"Expected text/event-stream, and the server sent {printable(kind) or 'no Content-Type'}.", request=request)
        except BaseException:
            await calls.close(response)
            raise
        if self._is_patient:
            # The body is read with what stands here: an event may be long in coming, the head of the response may not.
            for patience in (timeout, response.request.extensions.get("timeout")):
                if isinstance(patience, dict):
                    patience["read"] = None
        self._decoder = EventDecoder(self.last_event_id, self._max_event_size)
        self._pieces = calls.contents(response)

    async def _lost(self, error: RequestError | None) -> None:
        # The stream has ended, or broken: connect again, or be done.
        await self._hang_up()
        if not self._reconnects or not getattr(self._request.stream, "can_repeat", False) or self._client.is_closed:
            self._is_over = True
            if error is not None:
                raise error
            return
        for attempt in range(self._max_attempts):
            await self._client._calls.sleep(min(self._retry * 2.0 ** min(attempt, 60), max(self._retry, 30.0)))
            try:
                await self._connect()
                return
            except (RequestError, HTTPStatusError) as failure:
                if attempt + 1 == self._max_attempts or not _may_pass(failure):
                    self._is_over = True
                    raise

    async def _hang_up(self) -> None:
        pieces, self._pieces = self._pieces, None
        calls = self._client._calls
        if pieces is not None:
            await calls.close_generator(pieces)
        if self.response is not None:
            await calls.close(self.response)


def _may_pass(failure: RequestError | HTTPStatusError) -> bool:
    if isinstance(failure, HTTPStatusError):
        return failure.response.status_code in _BUSY
    return isinstance(failure, (NetworkError, TimeoutException, RemoteProtocolError)) and not isinstance(failure, TLSError)


class _Base:
    def __init__(self, listening: _Listening) -> None:
        self._listening = listening

    @property
    def response(self) -> Response:
        """The response that the events come in, on the present connection."""
        response = self._listening.response
        if response is None:
            raise RuntimeError("There is no response before the stream was connected to: enter it with `with`, or take its first event.")
        return response

    @property
    def last_event_id(self) -> str:
        """The ID that the stream gave last."""
        return self._listening.last_event_id


class EventSource(_Base):
    """The events of a stream, for `for`. Use it in a `with` block, which connects, and hangs up at its end."""

    def iter_sse(self) -> Iterator[ServerSentEvent]:
        """The events; the name that httpx-sse has for iterating this."""
        return iter(self)

    def close(self) -> None:
        """Hang up."""
        drive(self._listening.close())

    def __iter__(self) -> EventSource:
        return self

    def __next__(self) -> ServerSentEvent:
        event = drive(self._listening.next())
        if event is None:
            raise StopIteration
        return event

    def __enter__(self) -> EventSource:
        drive(self._listening.start())
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncEventSource(_Base):
    """The events of a stream, for `async for`. Use it in an `async with` block, which connects, and hangs up at its end."""

    def aiter_sse(self) -> AsyncIterator[ServerSentEvent]:
        """The events; the name that httpx-sse has for iterating this."""
        return self.__aiter__()

    async def aclose(self) -> None:
        """Hang up."""
        await self._listening.close()

    def __aiter__(self) -> AsyncEventSource:
        return self

    async def __anext__(self) -> ServerSentEvent:
        event = await self._listening.next()
        if event is None:
            raise StopAsyncIteration
        return event

    async def __aenter__(self) -> AsyncEventSource:
        await self._listening.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def listen(client: typing.Any, method: str, url: typing.Any, settings: dict[str, typing.Any]) -> _Listening:
    """Prepare to listen: `settings` are those of `client.sse()`."""
    own: dict[str, typing.Any] = {name: settings.pop(name) for name in ("reconnect", "max_attempts", "max_event_size")}
    sending: dict[str, typing.Any] = {name: settings.pop(name) for name in ("auth", "follow_redirects") if name in settings}
    request = client.build_request(method, url, **settings)
    for name, value in (("Accept", "text/event-stream"), ("Cache-Control", "no-store")):
        if name not in request.headers or (name == "Accept" and request.headers[name] == "*/*"):
            request.headers[name] = value
    return _Listening(client, request, sending, is_patient="timeout" not in settings, **own)
