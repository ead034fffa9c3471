"""What every way to authenticate is: a generator that is handed responses and gives the next request to send."""

from __future__ import annotations

import typing
from collections.abc import AsyncGenerator, Callable, Generator

from .._models.request import Request
from .._models.response import Response


class Auth:
    """A way to authenticate. Subclass it, and override `auth_flow()`:

        def auth_flow(self, request):
            request.headers["Authorization"] = f"Token {self.token}"
            response = yield request
            if response.status_code == 401:
                self.token = self.fetch_token()
                request.headers["Authorization"] = f"Token {self.token}"
                yield request

    Each request that is yielded is sent, redirects included, and its response comes back from `yield`. The response to the
    last one is the caller's. With `requires_request_body` the request's content has been read before the flow starts, with
    `requires_response_body` each response's before the flow sees it.

    A flow that waits for something other than these requests overrides `sync_auth_flow()` or `async_auth_flow()`, or both.
    """

    requires_request_body = False
    requires_response_body = False

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """The requests to send for `request`. This one sends it as it is."""
        yield request

    def sync_auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """What a `Client` runs: `auth_flow()`, with bodies read where it asks for them."""
        if self.requires_request_body:
            request.read()
        flow = self.auth_flow(request)
        with _closing(flow):
            outgoing: Request | None = next(flow)
            while outgoing is not None:
                response = yield outgoing
                if self.requires_response_body:
                    response.read()
                outgoing = _resume(flow, response)

    async def async_auth_flow(self, request: Request) -> AsyncGenerator[Request, Response]:
        """What an `AsyncClient` runs: `auth_flow()`, with bodies read where it asks for them."""
        if self.requires_request_body:
            await request.aread()
        flow = self.auth_flow(request)
        with _closing(flow):
            outgoing: Request | None = next(flow)
            while outgoing is not None:
                response = yield outgoing
                if self.requires_response_body:
                    await response.aread()
                outgoing = _resume(flow, response)


class FunctionAuth(Auth):
    """Authenticates with a function that is handed the request and returns the one to send, usually the same, changed."""

    def __init__(self, func: Callable[[Request], Request]) -> None:
        self._func = func

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        yield self._func(request)


class _closing:
    # `contextlib.closing`, for flows that may be any iterator.
    __slots__ = ("_flow",)

    def __init__(self, flow: typing.Any) -> None:
        self._flow = flow

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        close = getattr(self._flow, "close", None)
        if close is not None:
            close()


def _resume(flow: Generator[Request, Response, None], response: Response) -> Request | None:
    try:
        return flow.send(response)
    except StopIteration:
        return None
