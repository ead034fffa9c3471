"""Redirects (RFC 9110 section 15.4): where they lead, and what of a request may go there."""

from __future__ import annotations

import functools
import re
import typing

from .._content.streams import ByteStream
from .._exceptions import InvalidURL, RemoteProtocolError, StreamConsumed, TooManyRedirects
from .._models.headers import Headers
from .._models.request import Request, bare_request
from .._models.response import Response
from .._models.url import URL, parse_url
from . import hooks, single
from .client import Client
from .drain import drain

# Fields that describe content, and go when it goes (section 15.4), with those that frame it or wait for it.
_ABOUT_CONTENT = frozenset(
    (
        b"content-digest",
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-location",
        b"content-range",
        b"content-type",
        b"digest",
        b"expect",
        b"last-modified",
        b"repr-digest",
        b"trailer",
        b"transfer-encoding",
    )
)

_OF_WEBSOCKETS = {"ws": "http", "wss": "https"}
_PORT_ALONE = re.compile(r"https?://(?=:[0-9])", re.IGNORECASE)
_MAX_KNOWN_LOCATION = 2_048
_NON_ASCII = re.compile(rb"[\x80-\xff]")


async def send(client: Client, request: Request, follow: bool, history: list[Response]) -> Response:
    """Send `request`, and if `follow`, whatever it is redirected to; responses that redirected are added to `history`.

    Raises `TooManyRedirects` after the client's `max_redirects`, `RemoteProtocolError` if there is no telling where a redirect
    leads. Without `follow` such a response is returned, and otherwise knows its `next_request`.
    """
    followed = 0
    has_hooks = hooks.are_set(client)
    while True:
        response = await (hooks.send(client, request) if has_hooks else single.send(client, request))
        if history:
            response.history = list(history)
        if not follow:
            await look_ahead(client, request, response)
            return response
        if response.status_code < 300 or not response.has_redirect_location:
            return response
        try:
            following = client._build_redirect_request(request, response)
            if followed == client.max_redirects:
                raise TooManyRedirects(
                    f"Exceeded maximum allowed redirects. {followed} were followed, as many as max_redirects says.", request=following
                )
            if type(following.stream) is not ByteStream:
                require_repeatable(following)
            await drain(client, response)
        except BaseException:
            await client._calls.close(response)
            raise
        history.append(response)
        followed += 1
        request = following


async def look_ahead(client: Client, request: Request, response: Response) -> None:
    """Where a redirect is not followed, it is left to the caller: `next_request` is what would be sent."""
    if response.has_redirect_location:
        try:
            response.next_request = client._build_redirect_request(request, response)
        except RemoteProtocolError:
            return
        except BaseException:
            await client._calls.close(response)
            raise


def require_repeatable(request: Request) -> None:
    """Raise `StreamConsumed` if the content of `request` was a stream that is gone: nothing must be sent as if it were whole."""
    stream: typing.Any = request.stream
    if getattr(stream, "_is_stream_consumed", False) and getattr(stream, "_runs_once", False):
        raise StreamConsumed()


def following(client: Client, request: Request, response: Response) -> Request:
    """The request that the response asks for."""
    try:
        url = _redirect_url(request, response)
    except InvalidURL as error:
        raise RemoteProtocolError(f"Invalid URL in location header: {error}", request=request) from error
    method = redirect_method(request.method, response.status_code)
    headers = client._redirect_headers(request, url, method)
    if headers is request.headers or type(headers) is not Headers:
        headers = Headers(headers)  # of a library that overrides the method
    same_origin = request.url._origin == url._origin or is_same_origin(request.url, url)
    extensions = dict(request.extensions)
    extensions.pop("target", None)  # it was meant for that URL, and this for that server
    if not same_origin:
        extensions.pop("sni_hostname", None)
    asked = bare_request(method, url, headers, extensions)
    if method == request.method:
        asked.stream = request.stream
        if hasattr(request, "_content"):
            asked._content = request._content
        else:
            del asked._content
    index = headers._lookup()
    if b"host" not in index:
        asked._add_host()
    if b"cookie" in index:
        _renew_cookies(client, asked)
    else:
        client._add_cookies(asked, request.__dict__.get("_cookies") if same_origin else None)
    # Its URL, and any name and password in it, are the server's choice; and another origin is not whom credentials were meant for.
    asked.__dict__["_is_redirected"] = True
    if not same_origin or "_is_foreign" in request.__dict__:
        asked.__dict__["_is_foreign"] = True
    return asked


def _renew_cookies(client: Client, request: Request) -> None:
    # The caller's own Cookie field goes along within its origin, and so does what the server has set meanwhile.
    headers = request.headers
    fields, own = headers._fields, "; ".join(headers.get_list("cookie"))
    del headers["cookie"]
    client._add_cookies(request, None)
    stored = headers.get("cookie")
    if stored is None:
        headers._replace_fields(fields)
        return
    names = {pair.partition("=")[0].strip() for pair in stored.split(";")}
    kept = [pair.strip() for pair in own.split(";") if pair.partition("=")[0].strip() not in names]
    headers["Cookie"] = "; ".join([*kept, stored])


def _redirect_url(request: Request, response: Response) -> URL:
    # The first one counts if there are several. What it holds is not changed in any way: it may be signed.
    given = response._values(b"location")[0]
    url = _absolute(given) if len(given) <= _MAX_KNOWN_LOCATION else None
    if url is None:
        location = _as_text(given)
        if (port_alone := _PORT_ALONE.match(location)) is not None:
            # A server that knows its port and not its name means itself.
            location = f"{port_alone[0]}{request.url._netloc.decode().removesuffix(f':{request.url.port}')}{location[port_alone.end() :]}"
        reference = parse_url(location)
        url = reference if reference._host and reference._scheme else request.url.join(location)
    if request.url._fragment and url._fragment is None:
        url = url.copy_with(fragment=request.url.fragment)
    return url


@functools.lru_cache(maxsize=512)
def _absolute(location: bytes) -> URL | None:
    # Servers redirect to the same places again and again. None if it takes more than the location to tell where it leads.
    text = _as_text(location)
    url = None if _PORT_ALONE.match(text) else parse_url(text)
    return url if url is not None and url._host and url._scheme else None


def _as_text(location: bytes) -> str:
    try:
        return location.decode("utf-8")
    except UnicodeDecodeError:  # the bytes of some other encoding, which the server knows: they go back as they are
        return _NON_ASCII.sub(lambda byte: b"%%%02X" % ord(byte[0]), location).decode("ascii")


def redirect_method(method: str, status_code: int) -> str:
    """The method of the request that follows a redirect (sections 15.4.2 to 15.4.4)."""
    if status_code == 303 and method != "HEAD":
        return "GET"
    if status_code in (301, 302) and method == "POST":
        return "GET"
    return method


def redirect_headers(request: Request, url: URL, method: str, sensitive: typing.Collection[str]) -> Headers:
    """The header fields that may go to `url`: to another origin none that holds credentials, and none on content without content."""
    if url._netloc == request.url._netloc and url._origin == request.url._origin and method == request.method:
        # All may go along but cookies, and what these fields amount to is known already.
        before: Headers
        before, with_cookies = request.__dict__.get("_before_cookies", (request.headers, request.headers._fields))
        if request.headers._fields is with_cookies:
            return before._shared()
    dropped: set[bytes] = set()
    if not is_same_origin(request.url, url):
        dropped.update(name.encode("ascii", "replace") for name in sensitive)
        dropped.update((b"authorization", b"proxy-authorization", b"cookie", b"host"))
    elif "_cookies" in request.__dict__:
        dropped.add(b"cookie")  # it came from the jar, which knows what to send where
    if request.url._netloc != url._netloc:
        dropped.add(b"host")
    if method != request.method:
        dropped |= _ABOUT_CONTENT
    return Headers([field for field in request.headers._fields if field[0].lower() not in dropped])


def is_same_origin(url: URL, other: URL) -> bool:
    """Whether credentials for `url` are good for `other`: scheme, host and port are the same, or the only change is to TLS.

    A WebSocket's scheme is that of the HTTP below it (RFC 6455 section 4.1).
    """
    if url._origin == other._origin:
        return True
    scheme, host, port = url._origin
    other_scheme, other_host, other_port = other._origin
    scheme, other_scheme = _OF_WEBSOCKETS.get(scheme, scheme), _OF_WEBSOCKETS.get(other_scheme, other_scheme)
    if host != other_host:
        return False
    if scheme == other_scheme:
        return port == other_port
    return (scheme, port, other_scheme, other_port) == ("http", 80, "https", 443)
