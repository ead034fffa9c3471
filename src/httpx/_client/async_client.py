"""The asynchronous client: typed signatures; the decisions are in the floors below."""

from __future__ import annotations

import contextlib
import types
import typing
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

from .._config import DEFAULT_LIMITS, DEFAULT_MAX_REDIRECTS, DEFAULT_TIMEOUT_CONFIG, MAX_EVENT_SIZE, Limits, TimeoutTypes
from .._exchange import lifecycle
from .._exchange.client import AsyncCalls, Calls, Hook
from .._models.headers import HeaderTypes
from .._models.request import Request
from .._models.response import Response
from .._models.url import URL
from .._network.resolver import ResolverTypes
from .._proxy import Proxy
from .._transports.base import AsyncBaseTransport
from .._transports.http import AsyncHTTPTransport
from .._types import (
    AuthTypes,
    CertTypes,
    CookieTypes,
    ProxyTypes,
    QueryParamTypes,
    RequestContent,
    RequestData,
    RequestExtensions,
    RequestFiles,
    URLTypes,
    VerifyTypes,
)
from .base import BaseClient, ClientState, tls_settings
from .defaults import USE_CLIENT_DEFAULT, UseClientDefault
from .mounts import arrange, refuse_other_kind
from .options import RequestOptions
from .url_pattern import URLPattern

if typing.TYPE_CHECKING:
    import os
    import ssl

    from .._exchange.rate_limit import RateLimit
    from .._exchange.retries import Retry
    from .._streaming.download import Downloaded
    from .._streaming.events import AsyncEventSource
    from .._streaming.websocket import AsyncWebSocket

C = typing.TypeVar("C", bound="AsyncClient")


class AsyncClient(BaseClient):
    """An HTTP client with a pool of connections, for asyncio and trio.

    Use it from one event loop, by any number of tasks. Close it when done, best with `async with`.

    * `auth`: user name and password, an `httpx.Auth`, or a function from request to request.
    * `params`, `headers`, `cookies`: sent with every request. Cookies that servers set are kept with these.
    * `ssl_context`: how servers are verified, see `httpx.SSLContext`; any `ssl.SSLContext` will do, and is never
      modified. The default verifies against certifi's bundle.
    * `verify`, `cert`: the older way to say the same, as `httpx.SSLContext` takes them; not together with `ssl_context`.
    * `http1`, `http2`: the protocols that may be spoken.
    * `proxy`: what all requests go through: a URL or an `httpx.Proxy`.
    * `mounts`: transports by URL pattern, such as `"all://*.example.org"`; None there is the client's own. See docs/transports.md.
    * `timeout`: 5 seconds for each phase by default, see `httpx.Timeout`; None for no limit.
    * `follow_redirects`: whether to follow them, at most `max_redirects` (20) for one request; not by default.
    * `limits`: at most 100 connections, 20 of them idle, for 5 seconds, by default; see `httpx.Limits`.
    * `event_hooks`: functions called with each request and each response: `{"request": [...], "response": [...]}`.
    * `base_url`: what relative URLs are appended to. `auth` and cookies are for its origin; with `allow_absolute_urls=False`
      no request leads to another one.
    * `transport`: answers the requests instead of the network.
    * `trust_env`: whether `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say which proxy to use, if no argument does.
      No other variable is read, and none that concerns TLS.
    * `default_encoding`: the charset of text that declares none, or a function from content to charset.
    * `sensitive_headers`: names of header fields that hold credentials, besides the usual ones: no redirect takes them to
      another origin.
    * `resolver`: a function from host name and port to IP addresses; the system's resolver by default, see `httpx.Resolver`.
    * `retries`: whether requests are sent again that fail: an `httpx.Retry`, or how often at most beside the first time; not by default.
    * `rate_limit`: an `httpx.RateLimit`: how many requests may go to one origin in which time; as many as come by default.
    """

    _calls: Calls = AsyncCalls()

    def __init__(
        self,
        *,
        auth: AuthTypes | None = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        verify: VerifyTypes = True,
        cert: CertTypes | None = None,
        trust_env: bool = True,
        http1: bool = True,
        http2: bool = False,
        proxy: ProxyTypes | None = None,
        mounts: Mapping[str, AsyncBaseTransport | None] | None = None,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        follow_redirects: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        max_redirects: int = DEFAULT_MAX_REDIRECTS,
        event_hooks: Mapping[str, Iterable[Hook]] | None = None,
        base_url: URLTypes = "",
        transport: AsyncBaseTransport | None = None,
        default_encoding: str | Callable[[bytes], str | None] = "utf-8",
        ssl_context: ssl.SSLContext | None = None,
        sensitive_headers: Iterable[str] = (),
        resolver: ResolverTypes | None = None,
        allow_absolute_urls: bool = True,
        retries: Retry | int | None = None,
        rate_limit: RateLimit | None = None,
    ) -> None:
        super().__init__(
            auth=auth,
            params=params,
            headers=headers,
            cookies=cookies,
            timeout=timeout,
            follow_redirects=follow_redirects,
            max_redirects=max_redirects,
            event_hooks=event_hooks,
            base_url=base_url,
            trust_env=trust_env,
            default_encoding=default_encoding,
            sensitive_headers=sensitive_headers,
            allow_absolute_urls=allow_absolute_urls,
            retries=retries,
        )
        if rate_limit is not None:
            from .._exchange.rate_limit import LimitedAsyncCalls

            self._calls = LimitedAsyncCalls(rate_limit)

        verify, cert = tls_settings(verify, cert, ssl_context)
        settings: dict[str, typing.Any] = {
            "verify": verify,
            "cert": cert,
            "trust_env": trust_env,
            "http1": http1,
            "http2": http2,
            "limits": limits,
            "resolver": resolver,
        }
        self._transport: AsyncBaseTransport = self._init_transport(transport=transport, **settings)
        self._mounts: dict[URLPattern, AsyncBaseTransport | None] = arrange(
            mounts, proxy, trust_env and transport is None, lambda via: self._init_proxy_transport(via, **settings)
        )
        refuse_other_kind(self._transports(), "handle_async_request", "handle_request")

    # These two are overridden by subclasses that other libraries make, to put transports of their own around ours.

    def _init_transport(self, *, transport: AsyncBaseTransport | None = None, **settings: typing.Any) -> AsyncBaseTransport:
        return AsyncHTTPTransport(**settings) if transport is None else transport

    def _init_proxy_transport(self, proxy: Proxy, **settings: typing.Any) -> AsyncBaseTransport:
        return AsyncHTTPTransport(proxy=proxy, **settings)

    async def request(
        self,
        method: str,
        url: URLTypes,
        *,
        content: RequestContent | None = None,
        data: RequestData | None = None,
        files: RequestFiles | None = None,
        json: typing.Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: RequestExtensions | None = None,
    ) -> Response:
        """Build a request from the client's settings and these, send it, and read the response.

        The content comes from one of `content`, `data` with `files`, and `json`; see `httpx.Request`. `auth=None` sends the
        request without the client's authentication. What is left out is as the client has it.

        Raises a subclass of `httpx.RequestError` if no complete response was received, `httpx.InvalidURL` for a URL
        that is none.
        """
        request = self.build_request(
            method,
            url,
            content=content,
            data=data,
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            timeout=timeout,
            extensions=extensions,
        )
        return await self.send(request, auth=auth, follow_redirects=follow_redirects)

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        url: URLTypes,
        *,
        content: RequestContent | None = None,
        data: RequestData | None = None,
        files: RequestFiles | None = None,
        json: typing.Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: RequestExtensions | None = None,
    ) -> AsyncIterator[Response]:
        """Like `request()`, but the body is left to be iterated within the `async with` block, and closed at its end."""
        request = self.build_request(
            method,
            url,
            content=content,
            data=data,
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            timeout=timeout,
            extensions=extensions,
        )
        response = await self.send(request, stream=True, auth=auth, follow_redirects=follow_redirects)
        try:
            yield response
        finally:
            await response.aclose()

    def sse(
        self,
        url: URLTypes,
        *,
        method: str = "GET",
        reconnect: bool | None = None,
        max_attempts: int = 5,
        max_event_size: int = MAX_EVENT_SIZE,
        **options: typing.Unpack[RequestOptions],
    ) -> AsyncEventSource:
        """Listen to server-sent events: `async with client.sse(url) as events:` and `async for event in events:`.

        `options` are those of `request()`.

        Where the stream ends or breaks, it is asked for again from the last event on (`Last-Event-ID`), after the pause that the
        server wants, at most `max_attempts` times in a row without success. That is the default for GET; `reconnect` says otherwise.
        There is no time-out for the next event unless `timeout` is given here.

        Raises `SSEError` for what is no event stream, or an event of more than `max_event_size` characters; `HTTPStatusError` for
        a status that is not 2xx. A 204 ends the events.
        """
        from .._streaming.events import AsyncEventSource, listen

        settings = {"reconnect": reconnect, "max_attempts": max_attempts, "max_event_size": max_event_size, **options}
        return AsyncEventSource(listen(self, method, url, settings))

    async def download(
        self,
        url: URLTypes,
        path: str | os.PathLike[str],
        *,
        progress: Callable[[int, int | None], typing.Any] | None = None,
        resume: bool = True,
        overwrite: bool = False,
        digest: str | None = None,
        attempts: int = 3,
        **options: typing.Unpack[RequestOptions],
    ) -> Downloaded:
        """Save what is at `url` as the file at `path`, or under the name that the server proposes if that is a folder.

        The file is there when it is complete, and not before: until then it is `NAME.part`. With `resume`, what an earlier call has left
        of the same version is not asked for again (`If-Range`), nor when the connection breaks, in at most `attempts` attempts.

        `progress` is called with the bytes that are there and those in all (None if unknown); `digest` is what the file must
        amount to: "sha256:9f86d0...". `options` are those of `request()`.

        Raises `FileExistsError` unless `overwrite`, `HTTPStatusError`, `DownloadError` if the file is not what it should be, and what
        `request()` raises.
        """
        from .._streaming.download import prepare

        settings = {"path": path, "progress": progress, "resume": resume, "overwrite": overwrite, "digest": digest, "attempts": attempts}
        done: Downloaded = await prepare(self, url, {**settings, **options})
        return done

    def websocket(
        self,
        url: URLTypes,
        *,
        subprotocols: Sequence[str] = (),
        max_message_size: int = 16_777_216,
        **options: typing.Unpack[RequestOptions],
    ) -> AsyncWebSocket:
        """Open a WebSocket (RFC 6455), for a `async with` block: over the client's TLS and proxies, with its headers, cookies and auth.

        Needs `httpx[ws]`. `options` are those of `request()`. A message of more than `max_message_size` bytes ends it.

        Entering raises what `request()` raises, `HTTPStatusError` if the server refuses, and `WebSocketError`.
        """
        from .._streaming.websocket import AsyncWebSocket, prepare

        return AsyncWebSocket(prepare(self, url, subprotocols, max_message_size, options))

    async def send(
        self,
        request: Request,
        *,
        stream: bool = False,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a request that was built before. With `stream`, the body is left to be read, and the response to be closed."""
        chosen, follow = self._start(request, auth, follow_redirects)
        if self._retries is not None:
            from .._exchange import retries as retrying

            return await retrying.send(self, self._retries, request, stream, chosen, follow)
        return await lifecycle.send(self, request, stream, chosen, follow)

    async def _send_single_request(self, request: Request) -> Response:
        return await self._transport_for_url(request.url).handle_async_request(request)

    def _transport_for_url(self, url: URL) -> AsyncBaseTransport:
        if self._mounts:
            for pattern, transport in self._mounts.items():
                if pattern.matches(url):
                    return self._transport if transport is None else transport
        return self._transport

    async def get(
        self,
        url: URLTypes,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: RequestExtensions | None = None,
    ) -> Response:
        """Send a GET request; see `request()`."""
        return await self.request(
            "GET",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    async def options(
        self,
        url: URLTypes,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: RequestExtensions | None = None,
    ) -> Response:
        """Send an OPTIONS request; see `request()`."""
        return await self.request(
            "OPTIONS",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    async def head(
        self,
        url: URLTypes,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: RequestExtensions | None = None,
    ) -> Response:
        """Send a HEAD request; see `request()`."""
        return await self.request(
            "HEAD",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    async def post(
        self,
        url: URLTypes,
        *,
        content: RequestContent | None = None,
        data: RequestData | None = None,
        files: RequestFiles | None = None,
        json: typing.Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: RequestExtensions | None = None,
    ) -> Response:
        """Send a POST request; see `request()`."""
        return await self.request(
            "POST",
            url,
            content=content,
            data=data,
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    async def put(
        self,
        url: URLTypes,
        *,
        content: RequestContent | None = None,
        data: RequestData | None = None,
        files: RequestFiles | None = None,
        json: typing.Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: RequestExtensions | None = None,
    ) -> Response:
        """Send a PUT request; see `request()`."""
        return await self.request(
            "PUT",
            url,
            content=content,
            data=data,
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    async def patch(
        self,
        url: URLTypes,
        *,
        content: RequestContent | None = None,
        data: RequestData | None = None,
        files: RequestFiles | None = None,
        json: typing.Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: RequestExtensions | None = None,
    ) -> Response:
        """Send a PATCH request; see `request()`."""
        return await self.request(
            "PATCH",
            url,
            content=content,
            data=data,
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    async def delete(
        self,
        url: URLTypes,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: RequestExtensions | None = None,
    ) -> Response:
        """Send a DELETE request; see `request()`."""
        return await self.request(
            "DELETE",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    async def aclose(self) -> None:
        """Close the client and its connections."""
        if self._state is not ClientState.CLOSED:
            self._state = ClientState.CLOSED
            for transport in self._transports():
                await transport.aclose()

    async def __aenter__(self: C) -> C:
        self._enter()
        for transport in self._transports():
            await transport.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: types.TracebackType | None = None,
    ) -> None:
        self._state = ClientState.CLOSED
        for transport in self._transports():
            await transport.__aexit__(exc_type, exc_value, traceback)

    def _transports(self) -> list[AsyncBaseTransport]:
        return [self._transport, *(transport for transport in self._mounts.values() if transport is not None)]
