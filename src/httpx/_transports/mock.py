"""A transport that is a function from request to response."""

from __future__ import annotations

import collections.abc
import typing

from .._models.request import Request
from .._models.response import Response
from .base import AsyncBaseTransport, BaseTransport


class MockTransport(AsyncBaseTransport, BaseTransport):
    """Answers every request with `handler(request)`; an `AsyncClient` may be given an async handler."""

    def __init__(self, handler: typing.Callable[[Request], typing.Any]) -> None:
        self.handler = handler

    def handle_request(self, request: Request) -> Response:
        request.read()
        response = self.handler(request)
        if isinstance(response, collections.abc.Coroutine):
            response.close()
            raise TypeError("Cannot use an async handler in a sync Client")
        return _checked(response)

    async def handle_async_request(self, request: Request) -> Response:
        await request.aread()
        response = self.handler(request)
        if isinstance(response, collections.abc.Awaitable):
            response = await response
        return _checked(response)


def _checked(response: typing.Any) -> Response:
    if not isinstance(response, Response):
        raise TypeError(f"The handler of a MockTransport must return an httpx.Response, not {type(response).__name__}.")
    return response
