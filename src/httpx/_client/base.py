"""What both clients have in common: their settings, and how a request is made from them."""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable

from .._config import DEFAULT_TIMEOUT_CONFIG, Timeout, TimeoutTypes
from .._connections.http1 import prepare
from .._models.headers import Headers, HeaderTypes
from .._models.query import QueryParams
from .._models.request import Request
from .._models.url import URL, parse_url
from .._types import QueryParamTypes, URLTypes
from .defaults import USE_CLIENT_DEFAULT, UseClientDefault, default_headers

_MAX_PREPARED = 256  # origins for which the default headers are kept ready


class ClientState(enum.Enum):
    """Clients are opened by their first request or by `with`, and closed once."""

    UNOPENED = 1
    OPENED = 2
    CLOSED = 3


class BaseClient:
    """The settings of a client, which are properties, and `build_request()`."""

    def __init__(
        self,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        base_url: URLTypes = "",
        trust_env: bool = True,
        default_encoding: str | Callable[[bytes], str | None] = "utf-8",
    ) -> None:
        self.base_url = base_url
        self.params = params
        self.headers = headers
        self.timeout = timeout
        self.default_encoding = default_encoding
        self._trust_env = trust_env
        self._state = ClientState.UNOPENED
        self._prepared: dict[bytes, Headers] = {}
        self._prepared_from: object = None

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed; a closed client sends nothing any more."""
        return self._state is ClientState.CLOSED

    @property
    def trust_env(self) -> bool:
        """Whether environment variables such as `HTTP_PROXY` are looked at. TLS settings never come from there."""
        return self._trust_env

    @property
    def timeout(self) -> Timeout:
        """The time-outs of requests that set none."""
        return self._timeout

    @timeout.setter
    def timeout(self, timeout: TimeoutTypes) -> None:
        self._timeout = Timeout(timeout)

    @property
    def base_url(self) -> URL:
        """What relative URLs are appended to. Its path ends in a slash."""
        return self._base_url

    @base_url.setter
    def base_url(self, url: URLTypes) -> None:
        base = URL(url)
        path, mark, query = base.raw_path.partition(b"?")
        self._base_url = base if path.endswith(b"/") else base.copy_with(raw_path=path + b"/" + mark + query)
        self._has_base = bool(str(url))

    @property
    def headers(self) -> Headers:
        """The header fields that every request has, unless it sets the same ones itself."""
        return self._headers

    @headers.setter
    def headers(self, headers: HeaderTypes | None) -> None:
        merged = default_headers()
        merged.update(headers)
        self._headers = merged

    @property
    def params(self) -> QueryParams:
        """Query parameters that every request has."""
        return self._params

    @params.setter
    def params(self, params: QueryParamTypes | None) -> None:
        self._params = QueryParams(params)

    def build_request(
        self,
        method: str,
        url: URLTypes,
        *,
        content: typing.Any = None,
        json: typing.Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: typing.Mapping[str, typing.Any] | None = None,
    ) -> Request:
        """A request with the client's settings merged in, to be sent with `send()`."""
        merged_url = self._merge_url(url)
        if params is not None or self._params:
            if params is None:
                merged_url = merged_url.copy_merge_params(self._params)
            else:
                merged_url = merged_url.copy_with(params=self._params.merge(params))
        phases = (self._timeout if isinstance(timeout, UseClientDefault) else Timeout(timeout)).as_dict()
        merged_extensions = {"timeout": phases} if extensions is None else {"timeout": phases, **extensions}
        has_content = content is not None or json is not None
        if headers is None and not has_content and method in ("GET", "HEAD", "OPTIONS", "DELETE"):
            return Request._of(method, merged_url, self._headers_for(merged_url), merged_extensions)
        merged_headers = Headers(self._headers)
        if headers is not None:
            merged_headers.update(headers)
        return Request(method, merged_url, headers=merged_headers, content=content, json=json, extensions=merged_extensions)

    def _merge_url(self, url: URLTypes) -> URL:
        merged = parse_url(url) if isinstance(url, str) else url
        if not self._has_base or not merged.is_relative_url or merged.scheme:
            return merged
        base_path, _, base_query = self._base_url.raw_path.partition(b"?")
        path, _, query = merged.raw_path.partition(b"?")
        joined = base_path + path.lstrip(b"/")
        queries = b"&".join(part for part in (base_query, query) if part)
        return self._base_url.copy_with(raw_path=joined + b"?" + queries if queries else joined)

    def _headers_for(self, url: URL) -> Headers:
        # Most requests differ in nothing but the host: these fields are merged, indexed and serialized once for each.
        fields = self._headers._fields
        if self._prepared_from is not fields:
            self._prepared_from = fields
            self._prepared = {}
        ready = self._prepared.get(url._netloc)
        if ready is None:
            host = [] if "host" in self._headers else [(b"Host", url._netloc)]
            ready = Headers._of([*host, *fields])
            prepare(ready)
            if len(self._prepared) < _MAX_PREPARED:
                self._prepared[url._netloc] = ready
        return Headers(ready)

    def _require_open(self) -> None:
        if self._state is ClientState.CLOSED:
            raise RuntimeError("This client has been closed and sends nothing any more: make a new one.")
        self._state = ClientState.OPENED

    def _enter(self) -> None:
        if self._state is not ClientState.UNOPENED:
            raise RuntimeError(
                "This client has been closed and cannot be opened again: make a new one."
                if self._state is ClientState.CLOSED
                else "This client is open already: enter it with `with` before its first request, and only once."
            )
        self._state = ClientState.OPENED
