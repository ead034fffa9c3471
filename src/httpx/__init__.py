"""HTTPX: an HTTP client for Python, sync and async."""

import importlib
import typing

from .__version__ import __description__, __title__, __version__
from ._auth import Auth, BasicAuth, FunctionAuth
from ._client import USE_CLIENT_DEFAULT, AsyncClient, Client
from ._client.functions import delete, get, head, options, patch, post, put, request, stream
from ._config import Limits, Timeout
from ._content.streams import AsyncByteStream, ByteStream, SyncByteStream
from ._exceptions import (
    CertificateVerifyError,
    CloseError,
    ConnectError,
    ConnectTimeout,
    CookieConflict,
    DecodingError,
    DownloadError,
    HTTPError,
    HTTPStatusError,
    InvalidURL,
    LocalProtocolError,
    NetworkError,
    PoolTimeout,
    ProtocolError,
    ProxyError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    RequestError,
    RequestNotRead,
    ResponseNotRead,
    SSEError,
    StreamClosed,
    StreamConsumed,
    StreamError,
    TimeoutException,
    TLSError,
    TooManyRedirects,
    TransportError,
    UnsupportedProtocol,
    WebSocketClosed,
    WebSocketError,
    WriteError,
    WriteTimeout,
)
from ._main import main
from ._models.cookies import Cookies
from ._models.headers import Headers
from ._models.query import QueryParams
from ._models.request import Request
from ._models.response import Response
from ._models.status import codes
from ._models.url import URL
from ._network.resolver import Resolver
from ._pool.pool import PoolStats
from ._proxy import Proxy
from ._tls.default import create_ssl_context
from ._transports.base import AsyncBaseTransport, BaseTransport
from ._transports.http import AsyncHTTPTransport, HTTPTransport

if typing.TYPE_CHECKING:
    from ._auth import DigestAuth, NetRCAuth
    from ._client.sse import aconnect_sse, connect_sse
    from ._connections.inspect import ainspect_tls, inspect_tls
    from ._content.sse import ServerSentEvent
    from ._exchange.rate_limit import RateLimit
    from ._exchange.retries import Retry
    from ._models.attempt import Attempt
    from ._models.timings import Timings
    from ._observability.har import HAR
    from ._observability.telemetry import OpenTelemetry
    from ._streaming.download import Downloaded
    from ._streaming.events import AsyncEventSource, EventSource
    from ._streaming.websocket import AsyncWebSocket, WebSocket
    from ._tls.certificate import Certificate as Certificate
    from ._tls.context import SSLContext
    from ._tls.info import TLSInfo as TLSInfo
    from ._tls.report import TLSReport as TLSReport
    from ._transports.asgi import ASGITransport
    from ._transports.mock import MockTransport
    from ._transports.wsgi import WSGITransport

__all__ = [
    "HAR",
    "URL",
    "USE_CLIENT_DEFAULT",
    "ASGITransport",
    "AsyncBaseTransport",
    "AsyncByteStream",
    "AsyncClient",
    "AsyncEventSource",
    "AsyncHTTPTransport",
    "AsyncWebSocket",
    "Attempt",
    "Auth",
    "BaseTransport",
    "BasicAuth",
    "ByteStream",
    "CertificateVerifyError",
    "Client",
    "CloseError",
    "ConnectError",
    "ConnectTimeout",
    "CookieConflict",
    "Cookies",
    "DecodingError",
    "DigestAuth",
    "DownloadError",
    "Downloaded",
    "EventSource",
    "FunctionAuth",
    "HTTPError",
    "HTTPStatusError",
    "HTTPTransport",
    "Headers",
    "InvalidURL",
    "Limits",
    "LocalProtocolError",
    "MockTransport",
    "NetRCAuth",
    "NetworkError",
    "OpenTelemetry",
    "PoolStats",
    "PoolTimeout",
    "ProtocolError",
    "Proxy",
    "ProxyError",
    "QueryParams",
    "RateLimit",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "Request",
    "RequestError",
    "RequestNotRead",
    "Resolver",
    "Response",
    "ResponseNotRead",
    "Retry",
    "SSEError",
    "SSLContext",
    "ServerSentEvent",
    "StreamClosed",
    "StreamConsumed",
    "StreamError",
    "SyncByteStream",
    "TLSError",
    "Timeout",
    "TimeoutException",
    "Timings",
    "TooManyRedirects",
    "TransportError",
    "UnsupportedProtocol",
    "WSGITransport",
    "WebSocket",
    "WebSocketClosed",
    "WebSocketError",
    "WriteError",
    "WriteTimeout",
    "__description__",
    "__title__",
    "__version__",
    "aconnect_sse",
    "ainspect_tls",
    "codes",
    "connect_sse",
    "create_ssl_context",
    "delete",
    "get",
    "head",
    "inspect_tls",
    "main",
    "options",
    "patch",
    "post",
    "put",
    "request",
    "stream",
]


# What most programs never name is imported when they do (PEP 562), so that `import httpx` stays cheap.
_IMPORTED_WHEN_NAMED = {
    "ASGITransport": "_transports.asgi",
    "Attempt": "_models.attempt",
    "AsyncEventSource": "_streaming.events",
    "AsyncWebSocket": "_streaming.websocket",
    "Certificate": "_tls.certificate",
    "DigestAuth": "_auth.digest",
    "Downloaded": "_streaming.download",
    "HAR": "_observability.har",
    "EventSource": "_streaming.events",
    "MockTransport": "_transports.mock",
    "NetRCAuth": "_auth.netrc",
    "OpenTelemetry": "_observability.telemetry",
    "RateLimit": "_exchange.rate_limit",
    "Retry": "_exchange.retries",
    "ServerSentEvent": "_content.sse",
    "SSLContext": "_tls.context",
    "TLSInfo": "_tls.info",
    "TLSReport": "_tls.report",
    "Timings": "_models.timings",
    "WebSocket": "_streaming.websocket",
    "WSGITransport": "_transports.wsgi",
    "aconnect_sse": "_client.sse",
    "ainspect_tls": "_connections.inspect",
    "connect_sse": "_client.sse",
    "inspect_tls": "_connections.inspect",
}


# Modules of HTTPX that hold nothing of ours: some programs name them without an import of their own.
_KEPT_NAMES = ("_api", "_decoders", "_multipart", "_status_codes", "_urls", "_utils")


def __getattr__(name: str) -> typing.Any:
    if name in _KEPT_NAMES:
        return importlib.import_module(f".{name}", __name__)
    if name not in _IMPORTED_WHEN_NAMED:
        raise AttributeError(f"module 'httpx' has no attribute {name!r}")
    thing = globals()[name] = getattr(importlib.import_module(f".{_IMPORTED_WHEN_NAMED[name]}", __name__), name)
    _rename(name, thing)
    return thing


def __dir__() -> list[str]:
    return sorted({*globals(), *_IMPORTED_WHEN_NAMED})


def _rename(name: str, thing: object) -> None:
    # Users meet these as `httpx.something`: in tracebacks, in `repr`, and in pickles.
    if callable(thing) and name in __all__:
        thing.__module__ = "httpx"


for _name in __all__:
    if _name in globals():
        _rename(_name, globals()[_name])
