"""The seam between a client and whatever answers its requests: one method, and a way to close."""

from __future__ import annotations

import types
import typing

from .._models.request import Request
from .._models.response import Response

T = typing.TypeVar("T", bound="BaseTransport")
A = typing.TypeVar("A", bound="AsyncBaseTransport")


class BaseTransport:
    """Answers the requests of a `Client`. Subclass it to answer them your own way.

    A transport does one exchange: it follows no redirect, stores no cookie and does not judge the status. The response's
    `stream` must free what it holds when it is closed, read to its end or not. Failures are raised as subclasses of
    `httpx.TransportError`.
    """

    def handle_request(self, request: Request) -> Response:
        """Send one request and return the head of its response, with the body as a stream."""
        raise NotImplementedError("The 'handle_request' method must be implemented.")

    def close(self) -> None:
        """Let go of everything. Called when the client is closed."""

    def __enter__(self: T) -> T:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: types.TracebackType | None = None,
    ) -> None:
        self.close()


class AsyncBaseTransport:
    """Answers the requests of an `AsyncClient`; the obligations are those of `BaseTransport`."""

    async def handle_async_request(self, request: Request) -> Response:
        """Send one request and return the head of its response, with the body as an async stream."""
        raise NotImplementedError("The 'handle_async_request' method must be implemented.")

    async def aclose(self) -> None:
        """Let go of everything. Called when the client is closed."""

    async def __aenter__(self: A) -> A:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: types.TracebackType | None = None,
    ) -> None:
        await self.aclose()
