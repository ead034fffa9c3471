"""HTTPX: an HTTP client for Python, sync and async."""

import typing

from .__version__ import __description__, __title__, __version__
from ._auth import Auth, BasicAuth, DigestAuth, FunctionAuth, NetRCAuth
from ._client import USE_CLIENT_DEFAULT, AsyncClient, Client
from ._client.functions import delete, get, head, options, patch, post, put, request, stream
from ._config import Limits, Timeout
from ._connections.inspect import ainspect_tls, inspect_tls
from ._content.streams import AsyncByteStream, ByteStream, SyncByteStream
from ._exceptions import (
    CertificateVerifyError,
    CloseError,
    ConnectError,
    ConnectTimeout,
    CookieConflict,
    DecodingError,
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
    StreamClosed,
    StreamConsumed,
    StreamError,
    TimeoutException,
    TLSError,
    TooManyRedirects,
    TransportError,
    UnsupportedProtocol,
    WriteError,
    WriteTimeout,
)
from ._exchange.rate_limit import RateLimit
from ._exchange.retries import Retry
from ._main import main
from ._models.cookies import Cookies
from ._models.headers import Headers
from ._models.query import QueryParams
from ._models.request import Request
from ._models.response import Attempt, Response
from ._models.status import codes
from ._models.url import URL
from ._network.resolver import Resolver
from ._pool.pool import PoolStats
from ._proxy import Proxy
from ._tls.context import SSLContext
from ._tls.default import create_ssl_context
from ._transports.asgi import ASGITransport
from ._transports.base import AsyncBaseTransport, BaseTransport
from ._transports.http import AsyncHTTPTransport, HTTPTransport
from ._transports.mock import MockTransport
from ._transports.wsgi import WSGITransport

if typing.TYPE_CHECKING:
    from ._tls.certificate import Certificate as Certificate
    from ._tls.info import TLSInfo as TLSInfo
    from ._tls.report import TLSReport as TLSReport

__all__ = [
    "URL",
    "USE_CLIENT_DEFAULT",
    "ASGITransport",
    "AsyncBaseTransport",
    "AsyncByteStream",
    "AsyncClient",
    "AsyncHTTPTransport",
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
    "SSLContext",
    "StreamClosed",
    "StreamConsumed",
    "StreamError",
    "SyncByteStream",
    "TLSError",
    "Timeout",
    "TimeoutException",
    "TooManyRedirects",
    "TransportError",
    "UnsupportedProtocol",
    "WSGITransport",
    "WriteError",
    "WriteTimeout",
    "__description__",
    "__title__",
    "__version__",
    "ainspect_tls",
    "codes",
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


def __getattr__(name: str) -> typing.Any:
    # Types that programs rarely name: imported when they do.
    if name not in ("Certificate", "TLSInfo", "TLSReport"):
        raise AttributeError(f"module 'httpx' has no attribute {name!r}")
    from ._tls import report

    return getattr(report, name)


def _rename(names: dict[str, object]) -> None:
    # Users meet these classes as `httpx.Something`: in tracebacks, in `repr`, and in pickles.
    for name in __all__:
        if isinstance(thing := names[name], type):
            thing.__module__ = "httpx"


_rename(globals())
