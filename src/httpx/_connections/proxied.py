"""What a proxy changes about a request, and what the proxy itself is told.

An HTTP proxy is sent whole requests for http:// URLs, with the URL as their target (RFC 9112 section 3.2.2). For https://
it is asked to connect (CONNECT), and sees nothing more; so it is for http:// where only HTTP/2 may be spoken. A SOCKS proxy
connects, for both.

The proxy's credentials and `Proxy.headers` are for the proxy: what goes through a tunnel never has them, and neither does
a request that is sent without a proxy.
"""

from __future__ import annotations

import base64

from .._exceptions import LocalProtocolError, TLSError, TransportError
from .._models.headers import Headers
from .._models.request import Request, bare_request
from .._network.addresses import peer_name
from .._protocols.http1.serialize import serialize_fields, serialize_head
from .._proxy import Proxy
from .wire_form import prepare

_SECRET = b"proxy-authorization"


def is_http(proxy: Proxy) -> bool:
    """Whether this is an HTTP proxy, with or without TLS to it."""
    return proxy.url.scheme in ("http", "https")


def address_of(proxy: Proxy) -> tuple[str, int]:
    """Where the proxy listens. SOCKS has port 1080 unless the URL says otherwise."""
    _, host, port = proxy.url._origin
    return host, 1080 if port is None else port


def name_proxy(error: TransportError, peer: str) -> None:
    """Say in the message of what failed on the way to a proxy that it was the proxy, and where its TLS is set."""
    settings = "; its ssl_context= goes to httpx.Proxy(url, ssl_context=...)" if isinstance(error, TLSError) else ""
    error.args = (f"{error} {peer} is the proxy{settings}.",)


def request_through(proxy: Proxy, request: Request, forwards: bool) -> tuple[Request, bytes | None]:
    """The request as it is to be sent, and the `Proxy-Authorization` that it brings for a tunnel of its own.

    `forwards`: whether it is the proxy that the request is sent to, whole. Raises `LocalProtocolError` for fields that cannot
    be sent.
    """
    given = request.headers._lookup().get(_SECRET)
    if forwards:
        headers = Headers._of([*request.headers._fields, *_fields(proxy, request.headers)])
        prepare(headers)
        return _changed(request, headers, {**request.extensions, "target": _absolute_target(request)}), None
    if given is None:
        return request, None
    fields = [(name, value) for name, value in request.headers._fields if name.lower() != _SECRET]
    return _changed(request, Headers._of(fields), request.extensions), given if is_http(proxy) else None


def connect_request(proxy: Proxy, host: str, port: int, authorization: bytes | None) -> bytes:
    """The CONNECT that asks an HTTP proxy for a tunnel. Raises `LocalProtocolError` for fields that cannot be sent."""
    target = peer_name(host, port).encode("ascii")
    own = Headers() if authorization is None else Headers._of([(b"Proxy-Authorization", authorization)])
    fields = [(b"Host", target), *own._fields, *_fields(proxy, own)]
    return serialize_head("CONNECT", target, serialize_fields(fields))


def _fields(proxy: Proxy, request_headers: Headers) -> list[tuple[bytes, bytes]]:
    # What the proxy is told, unless the request says it otherwise.
    fields = [(name, value) for name, value in proxy.headers._fields if name.lower() not in (b"host", *request_headers._lookup())]
    raw_auth = proxy.raw_auth
    if raw_auth is None or any("proxy-authorization" in headers for headers in (proxy.headers, request_headers)):
        return fields
    if b":" in raw_auth[0]:
        raise LocalProtocolError("A user name for a proxy holds no colon (RFC 7617 section 2).")
    return [*fields, (b"Proxy-Authorization", b"Basic " + base64.b64encode(b":".join(raw_auth)))]


def _absolute_target(request: Request) -> bytes:
    # A target of the caller's own is completed, so that it leads to the same host.
    target: bytes = request.extensions.get("target") or request.url._target
    if target.startswith(b"/") or target == b"*":
        return b"http://" + request.url._netloc + (b"" if target == b"*" else target)
    return target


def _changed(request: Request, headers: Headers, extensions: dict[str, object]) -> Request:
    changed = bare_request(request.method, request.url, headers, extensions)
    changed.stream = request.stream
    return changed
