"""What the life of a request asks of a client, and the two ways of calling what exists in a sync and in an async form.

Each concern of this floor is one coroutine for both clients. A client's `Calls` are what differs: the sync ones never suspend.
"""

from __future__ import annotations

import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from .._auth.base import Auth
from .._content.streams import SyncByteStream
from .._models.cookies import Cookies
from .._models.headers import Headers
from .._models.request import Request
from .._models.response import Response
from .._models.url import URL
from .._network.blocking import BlockingNetwork
from .._network.runtime import current_network
from .._types import CookieTypes

Hook = Callable[..., typing.Any]
T = typing.TypeVar("T")


class Client(typing.Protocol):
    """A client, as the exchange sees it. All of it is looked up at each request: any of it may have been replaced."""

    max_redirects: int
    default_encoding: str | Callable[[bytes], str | None]
    _event_hooks: dict[str, list[Hook]]
    _cookies: Cookies

    @property
    def is_closed(self) -> bool: ...

    @property
    def _calls(self) -> Calls: ...

    def _build_redirect_request(self, request: Request, response: Response) -> Request: ...

    def _redirect_headers(self, request: Request, url: URL, method: str) -> Headers: ...

    def _add_cookies(self, request: Request, own: CookieTypes | None) -> None: ...


class Calls(typing.Protocol):
    """A client's way of calling."""

    is_async: bool
    """Whether what it calls is to be awaited. Asked where a coroutine between the two would cost every request."""

    def send_single_request(self, client: typing.Any, request: Request) -> typing.Any:
        """One exchange, through whatever has taken the place of the client's own method: to be awaited if `is_async`."""
        ...

    async def read(self, response: Response) -> None:
        """Read the body into memory."""
        ...

    async def close(self, response: Response) -> None:
        """Close the response."""
        ...

    async def hook(self, hook: Hook, message: Request | Response) -> None:
        """Call an event hook."""
        ...

    def start_flow(self, auth: Auth, request: Request) -> typing.Any:
        """The requests that authenticate `request`."""
        ...

    async def next_request(self, flow: typing.Any, response: Response | None) -> Request | None:
        """What the flow wants to be sent, now that it has `response`; None if that was the last one."""
        ...

    async def close_generator(self, generator: typing.Any) -> None:
        """Let go of a flow, or of the pieces of a body, finished or not."""
        ...

    def pieces(self, response: Response) -> typing.Any:
        """An iterator over the body as it arrives, not decoded."""
        ...

    async def next_piece(self, pieces: typing.Any) -> bytes | None:
        """Its next piece, None at the end."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Do nothing for a while."""
        ...

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Call what may block where it does no harm."""
        ...

    async def send(self, client: typing.Any, request: Request, **settings: typing.Any) -> Response:
        """A whole request through the client's public method; the response is left to be read."""
        ...

    def contents(self, response: Response) -> typing.Any:
        """An iterator over the body as it arrives, decoded."""
        ...


class SyncCalls:
    """The calls of `Client`."""

    is_async = False

    def send_single_request(self, client: typing.Any, request: Request) -> Response:
        if not isinstance(request.stream, SyncByteStream):
            raise RuntimeError("Attempted to send an async request with a sync Client instance.")
        response: Response = client._send_single_request(request)
        return response

    async def read(self, response: Response) -> None:
        response.read()

    async def close(self, response: Response) -> None:
        response.close()

    async def hook(self, hook: Hook, message: Request | Response) -> None:
        hook(message)

    def start_flow(self, auth: Auth, request: Request) -> typing.Any:
        return auth.sync_auth_flow(request)

    async def next_request(self, flow: typing.Any, response: Response | None) -> Request | None:
        try:
            request: Request = flow.send(response)
        except StopIteration:
            return None
        return request

    async def close_generator(self, generator: typing.Any) -> None:
        generator.close()

    def pieces(self, response: Response) -> Iterator[bytes]:
        return response.iter_raw()

    async def next_piece(self, pieces: Iterator[bytes]) -> bytes | None:
        return next(pieces, None)

    async def sleep(self, seconds: float) -> None:
        await BlockingNetwork().sleep(seconds)

    async def in_thread(self, function: Callable[[], T]) -> T:
        return function()

    async def send(self, client: typing.Any, request: Request, **settings: typing.Any) -> Response:
        response: Response = client.send(request, stream=True, **settings)
        return response

    def contents(self, response: Response) -> Iterator[bytes]:
        return response.iter_bytes()


class AsyncCalls:
    """The calls of `AsyncClient`."""

    is_async = True

    def send_single_request(self, client: typing.Any, request: Request) -> Awaitable[Response]:
        answer: Awaitable[Response] = client._send_single_request(request)
        return answer

    async def read(self, response: Response) -> None:
        await response.aread()

    async def close(self, response: Response) -> None:
        await response.aclose()

    async def hook(self, hook: Hook, message: Request | Response) -> None:
        result = hook(message)
        if isinstance(result, Awaitable):
            await result

    def start_flow(self, auth: Auth, request: Request) -> typing.Any:
        return auth.async_auth_flow(request)

    async def next_request(self, flow: typing.Any, response: Response | None) -> Request | None:
        try:
            request: Request = await flow.asend(response)
        except StopAsyncIteration:
            return None
        return request

    async def close_generator(self, generator: typing.Any) -> None:
        await generator.aclose()

    def pieces(self, response: Response) -> AsyncIterator[bytes]:
        return response.aiter_raw()

    async def next_piece(self, pieces: AsyncIterator[bytes]) -> bytes | None:
        return await anext(pieces, None)

    async def sleep(self, seconds: float) -> None:
        await current_network().sleep(seconds)

    async def in_thread(self, function: Callable[[], T]) -> T:
        return await current_network().in_thread(function)

    async def send(self, client: typing.Any, request: Request, **settings: typing.Any) -> Response:
        response: Response = await client.send(request, stream=True, **settings)
        return response

    def contents(self, response: Response) -> AsyncIterator[bytes]:
        return response.aiter_bytes()
