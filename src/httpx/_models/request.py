"""A request as a value: what is asked, before anything is sent."""

from __future__ import annotations

import typing
from collections.abc import AsyncIterable, Iterable

from .._content import json_codec
from .._content.encode import encode_request
from .._content.streams import AsyncByteStream, ByteStream, SyncByteStream
from .._exceptions import RequestNotRead, StreamClosed
from .._types import CookieTypes, QueryParamTypes, RequestContent, RequestData, RequestFiles, URLTypes
from .cookies import Cookies
from .credentials import shown_url
from .headers import Fields, Headers, HeaderTypes
from .url import URL

if typing.TYPE_CHECKING:
    from .._content.encode import Described

RequestStream = SyncByteStream | AsyncByteStream

SAY_IF_EMPTY = ("POST", "PUT", "PATCH")
"""Methods that go with content, so that a request without any says so (RFC 9110 section 8.6)."""

_DESCRIBING = frozenset((b"content-length", b"content-type", b"transfer-encoding"))  # as an index has them
_JSON = (b"Content-Type", b"application/json")


class Request:
    """An HTTP request.

    The content is the first that is given of

    * `content`: bytes, text, a file or the path of one (a `pathlib.Path`), or an iterable of bytes,
    * `files`: a mapping (or pairs) of field names to files, each bytes, a file, a path, an iterable of bytes, or a tuple of
      file name, content and, if wanted, content type and headers; sent with the fields in `data` as multipart/form-data,
    * `data`: a form, whose values may be lists,
    * `json`: anything that `json.dumps` takes,

    or a `stream` that is sent as it is. `Host` and the fields that describe the content (`Content-Length` or
    `Transfer-Encoding`, `Content-Type`) are added unless `headers` has them. `params` replaces the query of the URL,
    `cookies` are sent as a `Cookie` field.

    `extensions` goes to the transport: `timeout` (a dict of seconds), `sni_hostname`, `target`, `trace`.
    """

    __slots__ = ("__dict__", "__weakref__", "_content", "extensions", "headers", "method", "stream", "url")

    method: str
    url: URL
    headers: Headers
    extensions: dict[str, typing.Any]
    stream: RequestStream
    _content: bytes

    def __init__(
        self,
        method: str,
        url: URLTypes,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        content: RequestContent | None = None,
        data: RequestData | None = None,
        files: RequestFiles | None = None,
        json: typing.Any = None,
        stream: RequestStream | None = None,
        extensions: typing.Mapping[str, typing.Any] | None = None,
    ) -> None:
        self.method = method.upper()
        self.url = (url if type(url) is URL else URL(url)) if params is None else URL(url, params=params)
        self.headers = Headers(headers)
        self.extensions = {} if extensions is None else dict(extensions)
        if cookies:
            Cookies(cookies).set_cookie_header(self)
        self._add_host()
        if stream is None:
            self._encode(content, data, files, json)
        else:
            self.stream = stream

    def _encode(self, content: typing.Any, data: typing.Any, files: typing.Any, json: typing.Any) -> None:
        if json is not None and content is None and data is None and files is None:
            self._content = json_codec.encode(json)
            self.stream = ByteStream(self._content)
            self._describe_content([(b"Content-Length", b"%d" % len(self._content)), _JSON])
            return
        own_type = self.headers.get("content-type") if files else None
        if own_type is None:
            described, self.stream = encode_request(content, data, files, json)
        else:
            described, self.stream = self._encode_form(own_type, content, data, files, json)
        if not described and self.method in SAY_IF_EMPTY:
            described = {"Content-Length": "0"}
        if described:
            self._describe_content([(name.encode("ascii"), value.encode("ascii")) for name, value in described.items()])
        if type(self.stream) is ByteStream:
            self._content = self.stream._bytes
        elif hasattr(self, "_content"):
            del self._content  # that of a bare request

    def _encode_form(self, own_type: str, content: typing.Any, data: typing.Any, files: typing.Any, json: typing.Any) -> Described:
        # With files the caller's own type counts, and a boundary in it; imported when somebody sends a file.
        from .._content.multipart import MultipartStream, boundary_of, with_boundary

        described, stream = encode_request(content, data, files, json, boundary_of(own_type))
        if isinstance(stream, MultipartStream):
            self.headers["Content-Type"] = with_boundary(own_type, stream.boundary)
        return described, stream

    def _add_host(self) -> None:
        if self.url._netloc and "host" not in self.headers:
            self.headers._replace_fields([(b"Host", self.url._netloc), *self.headers._fields])

    def _describe_content(self, fields: Fields) -> None:
        # A caller who frames the message, in either way, is not contradicted: never both (RFC 9112 section 6.1).
        index = self.headers._lookup()
        if not _DESCRIBING.isdisjoint(index):
            framed = b"content-length" in index or b"transfer-encoding" in index
            known = {*index, b"content-length", b"transfer-encoding"} if framed else index
            fields = [field for field in fields if field[0].lower() not in known]
        self.headers._append(fields)

    @property
    def content(self) -> bytes:
        """The content in memory. Raises `RequestNotRead` if it is a stream that was not read."""
        try:
            return self._content
        except AttributeError:
            raise RequestNotRead() from None

    def read(self) -> bytes:
        """Read the content into memory, so that it can be looked at and sent again."""
        if not hasattr(self, "_content"):
            if not isinstance(self.stream, Iterable):
                raise TypeError("The content of this request is an async stream: use `await request.aread()`.")
            self._keep(b"".join(self.stream))
        return self._content

    async def aread(self) -> bytes:
        """Read the content into memory, so that it can be looked at and sent again."""
        if not hasattr(self, "_content"):
            if isinstance(self.stream, AsyncIterable):
                self._keep(b"".join([part async for part in self.stream]))
            else:
                self.read()
        return self._content

    def _keep(self, content: bytes) -> None:
        self._content = content
        if not isinstance(self.stream, ByteStream):
            # The headers may say that the length is unknown; what is sent follows them.
            self.stream = ByteStream(content)

    def __repr__(self) -> str:
        return f"<Request({self.method!r}, {str(shown_url(self.url))!r})>"

    def __getstate__(self) -> dict[str, typing.Any]:
        return {
            "method": self.method,
            "url": self.url,
            "headers": self.headers,
            "extensions": {key: value for key, value in self.extensions.items() if key == "timeout"},
            "content": getattr(self, "_content", None),
        }

    def __setstate__(self, state: dict[str, typing.Any]) -> None:
        content = state.pop("content")
        for name, value in state.items():
            setattr(self, name, value)
        if content is None:
            self.stream = LostStream()
        else:
            self._content = content
            self.stream = ByteStream(content)


def bare_request(method: str, url: URL, headers: Headers, extensions: dict[str, typing.Any]) -> Request:
    """A request without content, from parts that are known to be in order."""
    request = _new(Request)
    request.method = method
    request.url = url
    request.headers = headers
    request.extensions = extensions
    request.stream = _EMPTY
    request._content = b""
    return request


_new = object.__new__


class LostStream(SyncByteStream, AsyncByteStream):
    """The stream of a message that was pickled or copied before it was read: there is none any more."""

    def __iter__(self) -> typing.Iterator[bytes]:
        raise StreamClosed()

    async def __aiter__(self) -> typing.AsyncIterator[bytes]:
        raise StreamClosed()
        yield b""


_EMPTY = ByteStream(b"")
