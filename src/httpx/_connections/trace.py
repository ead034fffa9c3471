"""Telling a function of the user's what happens to a request: the `trace` extension.

    client.get(url, extensions={"trace": log})      # log("connection.connect_tcp.started", {...})

Each step has a `.started` and then a `.complete` or a `.failed`. An `AsyncClient` takes coroutine functions as well.
"""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable, Coroutine

from .._models.head import Head
from .._models.request import Request
from .exchange import Exchange

T = typing.TypeVar("T")

Function = Callable[[str, dict[str, typing.Any]], typing.Any]


class Trace:
    """The user's function, and in which step of its exchange the request is."""

    __slots__ = ("_function", "_is_async", "_protocol", "_step")

    def __init__(self, function: Function, is_async: bool) -> None:
        self._function = function
        self._is_async = is_async
        self._protocol = ""
        self._step = ""

    async def tell(self, event: str, info: dict[str, typing.Any]) -> None:
        """Call the function. Raises `TypeError` if it wants to be awaited where nobody can."""
        result = self._function(event, info)
        if isinstance(result, Awaitable):
            if not self._is_async:
                if isinstance(result, Coroutine):
                    result.close()
                raise TypeError("The trace function of this request is a coroutine function, which only an AsyncClient can call.")
            await result

    async def around(self, step: str, info: dict[str, typing.Any], work: Awaitable[T]) -> T:
        """Await `work`, and tell of its beginning and its end."""
        try:
            await self.tell(f"{step}.started", info)
        except BaseException:
            if isinstance(work, Coroutine):
                work.close()
            raise
        try:
            result = await work
        except Exception as error:
            await self.tell(f"{step}.failed", {"exception": error})
            raise
        try:
            await self.tell(f"{step}.complete", {"return_value": result})
        except BaseException:
            if (close := getattr(result, "close", None)) is not None:
                close()  # a connection that nobody will ever see
            raise
        return result

    async def begin(self, request: Request, is_http2: bool) -> None:
        """The request has its connection and is about to be sent."""
        self._protocol = "http2" if is_http2 else "http11"
        await self._turn("send_request_headers", request)

    async def head_is_sent(self, request: Request) -> None:
        """Its content follows, if there is any."""
        await self._turn("send_request_body", request)

    async def is_sent(self, request: Request) -> None:
        """The request has gone out."""
        if self._step == "send_request_headers":  # in one piece
            await self.head_is_sent(request)
        await self._turn("receive_response_headers", request)

    async def is_answered(self, head: Head) -> None:
        """The head of the response is here."""
        answer: typing.Any = (head.http_version, head.status_code, head.reason_phrase, head.parse())
        if self._protocol == "http2":
            answer = (head.status_code, head.parse())
        await self._end(answer)

    def over_body(self, exchange: Exchange, request: Request) -> Exchange:
        """The same exchange, which tells of its body."""
        return typing.cast(Exchange, TracedExchange(exchange, self, request))

    async def body_begins(self, request: Request) -> None:
        """What follows is the body."""
        await self._turn("receive_response_body", request)

    async def body_ends(self, request: Request) -> None:
        """The body is complete, and the connection free."""
        await self._turn("response_closed", request)
        await self._end()

    async def failed(self, error: Exception) -> None:
        """The step that the exchange is in has failed."""
        step, self._step = self._step, ""
        if step:
            await self.tell(f"{self._protocol}.{step}.failed", {"exception": error})

    async def _turn(self, step: str, request: Request) -> None:
        await self._end()
        self._step = step
        await self.tell(f"{self._protocol}.{step}.started", {"request": request})

    async def _end(self, value: typing.Any = None) -> None:
        step, self._step = self._step, ""
        if step:
            await self.tell(f"{self._protocol}.{step}.complete", {"return_value": value})


class TracedExchange:
    """An exchange whose body somebody wants to hear of."""

    def __init__(self, exchange: Exchange, trace: Trace, request: Request) -> None:
        self._exchange = exchange
        self._trace = trace
        self._request = request
        self._has_begun = False

    def __getattr__(self, name: str) -> typing.Any:
        return getattr(self._exchange, name)

    async def next_data(self, timeout: float | None) -> bytes | None:
        """The next bytes of the body, None at its end."""
        if not self._has_begun:
            self._has_begun = True
            await self._trace.body_begins(self._request)
        try:
            data = await self._exchange.next_data(timeout)
        except Exception as error:
            await self._trace.failed(error)
            raise
        if data is None:
            await self._trace.body_ends(self._request)
        return data
