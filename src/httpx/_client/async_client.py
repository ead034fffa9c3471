"""The asynchronous client: typed signatures; the decisions are in the floors below."""

from __future__ import annotations

import contextlib
import ssl
import types
import typing
from collections.abc import AsyncIterator, Callable

from .._config import DEFAULT_LIMITS, DEFAULT_TIMEOUT_CONFIG, Limits, TimeoutTypes
from .._exchange import lifecycle
from .._models.headers import HeaderTypes
from .._models.request import Request
from .._models.response import Response
from .._models.url import URL
from .._transports.base import AsyncBaseTransport
from .._transports.http import AsyncHTTPTransport
from .._types import CertTypes, QueryParamTypes, RequestContent, URLTypes
from .base import BaseClient, ClientState
from .defaults import USE_CLIENT_DEFAULT, UseClientDefault

C = typing.TypeVar("C", bound="AsyncClient")


class AsyncClient(BaseClient):
    """An HTTP client with a pool of connections, for asyncio.

    Use it from one event loop, by any number of tasks. Close it when done, best with `async with`.

    * `params`, `headers`: sent with every request.
    * `ssl_context`: how servers are verified, see `httpx.SSLContext`; any `ssl.SSLContext` will do, and is never
      modified. The default verifies against certifi's bundle.
    * `verify`, `cert`: the older way to say the same, as `httpx.SSLContext` takes them; not together with `ssl_context`.
    * `timeout`: 5 seconds for each phase by default, see `httpx.Timeout`; None for no limit.
    * `limits`: at most 100 connections, 20 of them idle, for 5 seconds, by default; see `httpx.Limits`.
    * `base_url`: what relative URLs are appended to.
    * `transport`: answers the requests instead of the network.
    * `trust_env`: whether environment variables may have an effect; none that concerns TLS ever has.
    * `default_encoding`: the charset of text that declares none, or a function from content to charset.
    """

    def __init__(
        self,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        verify: ssl.SSLContext | str | bool = True,
        cert: CertTypes | None = None,
        trust_env: bool = True,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        limits: Limits = DEFAULT_LIMITS,
        base_url: URLTypes = "",
        transport: AsyncBaseTransport | None = None,
        default_encoding: str | Callable[[bytes], str | None] = "utf-8",
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            params=params,
            headers=headers,
            timeout=timeout,
            base_url=base_url,
            trust_env=trust_env,
            default_encoding=default_encoding,
        )
        self._transport: AsyncBaseTransport = transport or AsyncHTTPTransport(
            verify=verify, cert=cert, trust_env=trust_env, limits=limits, ssl_context=ssl_context
        )
        self._caller = _Caller(self)

    async def request(
        self,
        method: str,
        url: URLTypes,
        *,
        content: RequestContent | None = None,
        json: typing.Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: typing.Mapping[str, typing.Any] | None = None,
    ) -> Response:
        """Build a request from the client's settings and these, send it, and read the response.

        Raises a subclass of `httpx.RequestError` if no complete response was received, `httpx.InvalidURL` for a URL
        that is none.
        """
        request = self.build_request(
            method,
            url,
            content=content,
            json=json,
            params=params,
            headers=headers,
            timeout=timeout,
            extensions=extensions,
        )
        return await self.send(request)

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        url: URLTypes,
        *,
        content: RequestContent | None = None,
        json: typing.Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: typing.Mapping[str, typing.Any] | None = None,
    ) -> AsyncIterator[Response]:
        """Like `request()`, but the body is left to be iterated within the `async with` block, and closed at its end."""
        request = self.build_request(
            method,
            url,
            content=content,
            json=json,
            params=params,
            headers=headers,
            timeout=timeout,
            extensions=extensions,
        )
        response = await self.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    async def send(self, request: Request, *, stream: bool = False) -> Response:
        """Send a request that was built before. With `stream`, the body is left to be read, and the response to be closed."""
        self._require_open()
        return await lifecycle.send(self._caller, request, stream)

    async def _send_single_request(self, request: Request) -> Response:
        return await self._transport_for_url(request.url).handle_async_request(request)

    def _transport_for_url(self, url: URL) -> AsyncBaseTransport:
        return self._transport

    async def get(
        self,
        url: URLTypes,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: typing.Mapping[str, typing.Any] | None = None,
    ) -> Response:
        """Send a GET request; see `request()`."""
        return await self.request("GET", url, params=params, headers=headers, timeout=timeout, extensions=extensions)

    async def options(
        self,
        url: URLTypes,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: typing.Mapping[str, typing.Any] | None = None,
    ) -> Response:
        """Send a OPTIONS request; see `request()`."""
        return await self.request("OPTIONS", url, params=params, headers=headers, timeout=timeout, extensions=extensions)

    async def head(
        self,
        url: URLTypes,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: typing.Mapping[str, typing.Any] | None = None,
    ) -> Response:
        """Send a HEAD request; see `request()`."""
        return await self.request("HEAD", url, params=params, headers=headers, timeout=timeout, extensions=extensions)

    async def post(
        self,
        url: URLTypes,
        *,
        content: RequestContent | None = None,
        json: typing.Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: typing.Mapping[str, typing.Any] | None = None,
    ) -> Response:
        """Send a POST request; see `request()`."""
        return await self.request(
            "POST",
            url,
            content=content,
            json=json,
            params=params,
            headers=headers,
            timeout=timeout,
            extensions=extensions,
        )

    async def put(
        self,
        url: URLTypes,
        *,
        content: RequestContent | None = None,
        json: typing.Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: typing.Mapping[str, typing.Any] | None = None,
    ) -> Response:
        """Send a PUT request; see `request()`."""
        return await self.request(
            "PUT",
            url,
            content=content,
            json=json,
            params=params,
            headers=headers,
            timeout=timeout,
            extensions=extensions,
        )

    async def patch(
        self,
        url: URLTypes,
        *,
        content: RequestContent | None = None,
        json: typing.Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: typing.Mapping[str, typing.Any] | None = None,
    ) -> Response:
        """Send a PATCH request; see `request()`."""
        return await self.request(
            "PATCH",
            url,
            content=content,
            json=json,
            params=params,
            headers=headers,
            timeout=timeout,
            extensions=extensions,
        )

    async def delete(
        self,
        url: URLTypes,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: typing.Mapping[str, typing.Any] | None = None,
    ) -> Response:
        """Send a DELETE request; see `request()`."""
        return await self.request("DELETE", url, params=params, headers=headers, timeout=timeout, extensions=extensions)

    async def aclose(self) -> None:
        """Close the client and its connections."""
        if self._state is not ClientState.CLOSED:
            self._state = ClientState.CLOSED
            await self._transport.aclose()

    async def __aenter__(self: C) -> C:
        self._enter()
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: types.TracebackType | None = None,
    ) -> None:
        self._state = ClientState.CLOSED
        await self._transport.__aexit__(exc_type, exc_value, traceback)


class _Caller:
    # What `lifecycle.send` may ask of this client.
    __slots__ = ("_client",)

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    @property
    def default_encoding(self) -> str | Callable[[bytes], str | None]:
        return self._client.default_encoding

    async def send_single_request(self, request: Request) -> Response:
        return await self._client._send_single_request(request)

    async def read(self, response: Response) -> None:
        await response.aread()

    async def close(self, response: Response) -> None:
        await response.aclose()
