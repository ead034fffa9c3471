"""What both clients have in common: their settings, and how a request is made from them."""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable, Iterable, Mapping

from .._auth.base import Auth, FunctionAuth
from .._auth.basic import BasicAuth
from .._config import DEFAULT_MAX_REDIRECTS, DEFAULT_TIMEOUT_CONFIG, Timeout, TimeoutTypes
from .._connections.wire_form import prepare
from .._exceptions import InvalidURL, LocalProtocolError
from .._exchange.client import Calls, Hook
from .._exchange.redirects import following, is_same_origin, redirect_headers
from .._models.cookies import Cookies
from .._models.credentials import CREDENTIAL_FIELDS, shown_url
from .._models.headers import Headers, HeaderTypes
from .._models.query import QueryParams
from .._models.request import SAY_IF_EMPTY, Request, bare_request
from .._models.url import URL, parse_url
from .._pool.pool import PoolStats
from .._tls.default import resolve_ssl_context
from .._types import (
    AuthTypes,
    CertTypes,
    CookieTypes,
    QueryParamTypes,
    RequestContent,
    RequestData,
    RequestExtensions,
    RequestFiles,
    URLTypes,
    VerifyTypes,
)
from .defaults import USE_CLIENT_DEFAULT, UseClientDefault, default_headers

if typing.TYPE_CHECKING:
    import ssl

    from .._exchange.retries import Retry
    from .._models.response import Response

_MAX_PREPARED = 256  # origins for which the default headers are kept ready
_METHODS = ("GET", "HEAD", "OPTIONS", "DELETE", *SAY_IF_EMPTY)  # as they are sent, so that none has to be made upper case


def tls_settings(verify: VerifyTypes, cert: CertTypes | None, ssl_context: ssl.SSLContext | None) -> tuple[VerifyTypes, CertTypes | None]:
    """`verify` and `cert` with `ssl_context` woven in, for transports that take no third argument."""
    if ssl_context is None:
        return verify, cert
    return resolve_ssl_context(verify, cert, ssl_context) or True, None


_NO_BASE = URL("")
_NO_PARAMS = QueryParams()


class ClientState(enum.Enum):
    """Clients are opened by their first request or by `with`, and closed once."""

    UNOPENED = 1
    OPENED = 2
    CLOSED = 3


class BaseClient:
    """The settings of a client, and `build_request()`."""

    follow_redirects: bool
    """Whether requests that do not say so themselves follow redirects."""

    max_redirects: int
    """How many redirects are followed for one request."""

    default_encoding: str | Callable[[bytes], str | None]
    """The charset of text that declares none, or a function from content to charset."""

    sensitive_headers: frozenset[str]
    """Names, in lower case, of the header fields that are dropped when a redirect leads to another origin. May be set."""

    allow_absolute_urls: bool
    """Whether a request's URL may lead to another origin than `base_url`."""

    _calls: Calls

    def __init__(
        self,
        *,
        auth: AuthTypes | None = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        follow_redirects: bool = False,
        max_redirects: int = DEFAULT_MAX_REDIRECTS,
        event_hooks: Mapping[str, Iterable[Hook]] | None = None,
        base_url: URLTypes = "",
        trust_env: bool = True,
        default_encoding: str | Callable[[bytes], str | None] = "utf-8",
        sensitive_headers: Iterable[str] = (),
        allow_absolute_urls: bool = True,
        retries: Retry | int | None = None,
    ) -> None:
        self.base_url = base_url
        self.allow_absolute_urls = allow_absolute_urls
        self.auth = auth
        self.params = params
        self.headers = headers
        self.cookies = cookies
        self.timeout = timeout
        self.follow_redirects = follow_redirects
        self.max_redirects = max_redirects
        self.event_hooks = event_hooks
        self.default_encoding = default_encoding
        if isinstance(sensitive_headers, str):
            raise TypeError(f"sensitive_headers= is a list of names, [{sensitive_headers!r}], not a str.")
        self.sensitive_headers = CREDENTIAL_FIELDS.union([name.lower() for name in sensitive_headers])
        self._retries = None if retries is None else _make_retry(retries)
        self._trust_env = trust_env
        self._state = ClientState.UNOPENED
        self._prepared: dict[bytes, Headers] = {}
        self._prepared_from: object = None

    def __getstate__(self) -> dict[str, typing.Any]:
        # A client is pickled as its settings and cookies; the copy has connections of its own, and is as good as new.
        state = self.__dict__.copy()
        for name in ("_prepared", "_prepared_from"):
            del state[name]
        if self._state is ClientState.OPENED:
            state["_state"] = ClientState.UNOPENED
        return state

    def __setstate__(self, state: dict[str, typing.Any]) -> None:
        self.__dict__.update(state, _prepared={}, _prepared_from=None)

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed; a closed client sends nothing any more."""
        return self._state is ClientState.CLOSED

    def pool_stats(self) -> PoolStats:
        """How many connections are open, idle and in use at this moment, and how many requests wait for one."""
        found = [stats() for transport in self._transports() if (stats := getattr(transport, "pool_stats", None)) is not None]
        return PoolStats(*(sum(numbers) for numbers in zip(*found, strict=True))) if found else PoolStats(0, 0, 0, 0)

    def _transports(self) -> typing.Sequence[typing.Any]:
        raise NotImplementedError("Client and AsyncClient know their transports.")

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
    def event_hooks(self) -> dict[str, list[Hook]]:
        """The functions that are called with each request before it is sent, and each response before it is read."""
        return self._event_hooks

    @event_hooks.setter
    def event_hooks(self, event_hooks: Mapping[str, Iterable[Hook]] | None) -> None:
        given = event_hooks or {}
        self._event_hooks = {event: list(given.get(event, ())) for event in ("request", "response")}

    @property
    def auth(self) -> Auth | None:
        """How requests are authenticated that say nothing themselves."""
        return self._auth

    @auth.setter
    def auth(self, auth: AuthTypes | None) -> None:
        self._auth = _make_auth(auth)

    @property
    def cookies(self) -> Cookies:
        """The cookies that were set here, or by servers; each is sent where it belongs."""
        return self._cookies

    @cookies.setter
    def cookies(self, cookies: CookieTypes | None) -> None:
        self._cookies = Cookies(cookies)

    @property
    def base_url(self) -> URL:
        """What relative URLs are appended to. Its path ends in a slash."""
        return self._base_url

    @base_url.setter
    def base_url(self, url: URLTypes) -> None:
        if url == "":
            self._base_url, self._has_base = _NO_BASE, False
            return
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
        if headers is not None:
            merged.update(headers)
        self._headers = merged

    @property
    def params(self) -> QueryParams:
        """Query parameters that every request has."""
        return self._params

    @params.setter
    def params(self, params: QueryParamTypes | None) -> None:
        self._params = _NO_PARAMS if params is None else QueryParams(params)

    def build_request(
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
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: RequestExtensions | None = None,
    ) -> Request:
        """A request with the client's settings merged in, to be sent with `send()`."""
        merged_url = self._merge_url(url)
        if params is not None or self._params._dict:
            if params is None:
                merged_url = merged_url.copy_merge_params(self._params)
            else:
                merged_url = merged_url.copy_with(params=self._params.merge(params))
        phases = (self._timeout if isinstance(timeout, UseClientDefault) else Timeout(timeout))._phases.copy()
        merged_extensions = {"timeout": phases} if extensions is None else {"timeout": phases, **extensions}
        if headers is None and method in _METHODS:
            request = bare_request(method, merged_url, self._headers_for(merged_url), merged_extensions)
            if not (content is None and json is None and data is None and files is None) or method in SAY_IF_EMPTY:
                request._encode(content, data, files, json)
        else:
            merged_headers = Headers(self._headers)
            merged_headers.update(headers)
            request = Request(
                method, merged_url, headers=merged_headers, content=content, data=data, files=files, json=json, extensions=merged_extensions
            )
        if cookies is not None or self._cookies._jar is not None:
            self._add_cookies(request, cookies)
        return request

    def _merge_url(self, url: URLTypes) -> URL:
        merged = parse_url(url) if isinstance(url, str) else url if isinstance(url, URL) else URL(url)
        if not self._has_base or not merged.is_relative_url or merged.scheme:
            if not self.allow_absolute_urls and self._leaves_base(merged):
                raise InvalidURL(f"{str(shown_url(merged))!r} is of another origin than base_url: allow_absolute_urls is False.")
            return merged
        base_path, _, base_query = self._base_url.raw_path.partition(b"?")
        path, mark, query = merged.raw_path.partition(b"?")
        joined = base_path + path.lstrip(b"/")
        queries = b"&".join(part for part in (base_query, query) if part)
        return self._base_url.copy_with(raw_path=joined + b"?" + queries if queries or mark else joined)

    def _leaves_base(self, url: URL) -> bool:
        base = self._base_url
        return bool(self._has_base and base._host and not is_same_origin(base, url))

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
            try:
                prepare(ready)
            except LocalProtocolError:
                return ready  # it is raised when the request is sent, and carries it then
            if len(self._prepared) < _MAX_PREPARED:
                self._prepared[url._netloc] = ready
        return ready._shared()

    def _add_cookies(self, request: Request, own: CookieTypes | None) -> None:
        # The request remembers where its cookies come from: a redirect asks again, and takes its own ones only to the same origin.
        headers = request.headers
        if b"cookie" not in headers._lookup():
            if self._has_base and self._cookies._jar is not None and self._leaves_base(request.url):
                # Cookies for nobody in particular are meant for the server that the client was made for.
                self._cookies.set_cookie_header(Request("GET", self._base_url))
            before = headers._shared()
            self._cookies.set_cookie_header(request, own)
            request.__dict__["_cookies"] = own
            request.__dict__["_before_cookies"] = before, headers._fields
        else:
            # Those for nobody in particular stay with this host, though it does not get them.
            from .._models.cookie_store import find

            find(self._cookies.jar, self._base_url if self._leaves_base(request.url) else request.url)

    def _build_redirect_request(self, request: Request, response: Response) -> Request:
        # Overridden by programs that look at where a redirect leads, or sign what is sent there.
        return following(self, request, response)

    def _redirect_headers(self, request: Request, url: URL, method: str) -> Headers:
        # Overridden by libraries that drop more.
        return redirect_headers(request, url, method, self.sensitive_headers)

    def _start(
        self, request: Request, auth: AuthTypes | UseClientDefault | None, follow_redirects: bool | UseClientDefault
    ) -> tuple[Auth | None, bool]:
        # What `send()` does first: what the request and the caller left open is as the client has it.
        if self._state is not ClientState.OPENED:
            self._require_open()
        if "timeout" not in request.extensions:
            request.extensions["timeout"] = self._timeout.as_dict()
        if isinstance(auth, UseClientDefault):
            chosen = self._auth
            if chosen is not None and ("_is_foreign" in request.__dict__ or self._leaves_base(request.url)):
                # Who follows a redirect by hand, or a link away from `base_url`, does not mean to tell the other server who they are.
                chosen = None
        else:
            chosen = _make_auth(auth)
        if chosen is None and request.url._userinfo and "_is_redirected" not in request.__dict__:
            username, password = request.url.username, request.url.password
            if username or password:
                chosen = BasicAuth(username, password)
        return chosen, self.follow_redirects if isinstance(follow_redirects, UseClientDefault) else follow_redirects

    def _require_open(self) -> None:
        if self._state is ClientState.CLOSED:
            raise RuntimeError("Cannot send a request, as the client has been closed.")
        self._state = ClientState.OPENED

    def _enter(self) -> None:
        if self._state is not ClientState.UNOPENED:
            raise RuntimeError(
                "Cannot reopen a client instance, once it has been closed."
                if self._state is ClientState.CLOSED
                else "Cannot open a client instance more than once."
            )
        self._state = ClientState.OPENED


def _make_retry(retries: Retry | int) -> Retry:
    from .._exchange.retries import Retry

    if isinstance(retries, int):
        return Retry(retries + 1)
    if not isinstance(retries, Retry):
        raise TypeError(f"retries= is a number, or an httpx.Retry, not {type(retries).__name__}.")
    return retries


def _make_auth(auth: AuthTypes | None) -> Auth | None:
    if auth is None or isinstance(auth, Auth):
        return auth
    if isinstance(auth, tuple):
        if len(auth) != 2:
            raise TypeError(f'Invalid "auth" argument: a tuple is (user name, password), not {len(auth)} values.')
        return BasicAuth(*auth)
    if callable(auth):
        return FunctionAuth(auth)
    raise TypeError(
        f'Invalid "auth" argument: {type(auth).__name__} is not (user name, password), an httpx.Auth, or a function of the request.'
    )
