"""A response as a value, and its body as a stream."""

from __future__ import annotations

import codecs
import re
import time
import typing
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator

from .._content import json_codec
from .._content.codings import Decoder, decode_whole, make_decoder
from .._content.encode import encode_response
from .._content.json_lines import MAX_LINE_SIZE, JSONLinesDecoder
from .._content.pipeline import Pipeline
from .._content.stages import Pieces, Stage
from .._content.streams import AsyncByteStream, ByteStream, SyncByteStream
from .._content.text import ByteChunker, LineDecoder, TextChunker, TextDecoder, is_text_encoding, parse_content_type_charset
from .._exceptions import DecodingError, HTTPStatusError, ResponseNotRead, StreamClosed, StreamConsumed
from .._printable import printable
from .cookies import Cookies
from .credentials import shown_url, without_userinfo
from .headers import Headers, HeaderTypes
from .request import LostStream, Request
from .status import codes
from .url import URL

if typing.TYPE_CHECKING:
    import datetime

    from .._tls.info import TLSInfo
    from .attempt import Attempt
    from .head import Head
    from .marks import Marks
    from .timings import Timings

ResponseStream = SyncByteStream | AsyncByteStream


_KINDS = {1: "Informational response", 3: "Redirect response", 4: "Client error", 5: "Server error"}
_EXCERPT_SIZE = 500  # characters of the body that an error message shows
_TEXTUAL = re.compile(r"text/|[^;]*(?:json|xml|javascript|x-www-form-urlencoded)", re.IGNORECASE)
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
# Possessive and anchored to its semicolon, so that a hostile field takes linear time.
_LINK_PARAMETER = re.compile(r""";\s*+([^\s=;,"']++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^;,]*+))""")


class Response:
    """An HTTP response.

    The response to `client.get()` and its like has been read: `content`, `text` and `json()` are at hand. One from
    `client.stream()` is not: iterate it, or `read()` it.

    `default_encoding` is the charset of text that declares none: a name, or a function from content to a name.
    """

    status_code: int
    stream: ResponseStream
    extensions: dict[str, typing.Any]
    history: list[Response]
    next_request: Request | None = None
    default_encoding: str | Callable[[bytes], str | None]
    is_closed: bool = False
    is_stream_consumed: bool = False
    attempts: typing.Sequence[Attempt] = ()
    """Each time that the request was sent, the one with this response at last; empty unless the client has `retries`."""
    _headers: Headers
    _head: Head | None = None  # that of a response from the network, as long as nobody has asked for its fields
    _num_bytes_downloaded = 0
    _seconds: float | None = None  # from sending the request until the response was closed
    _started: float | None = None  # by the performance counter
    _marks: Marks | None = None

    def __init__(
        self,
        status_code: int,
        *,
        headers: HeaderTypes | None = None,
        content: typing.Any = None,
        text: str | None = None,
        html: str | None = None,
        json: typing.Any = None,
        stream: ResponseStream | None = None,
        request: Request | None = None,
        extensions: dict[str, typing.Any] | None = None,
        history: list[Response] | None = None,
        default_encoding: str | Callable[[bytes], str | None] = "utf-8",
    ) -> None:
        self.status_code = status_code
        self.headers = Headers(headers)
        self._request = request
        self.extensions = {} if extensions is None else dict(extensions)
        self.history = [] if history is None else list(history)
        self.default_encoding = default_encoding
        if stream is not None:
            self.stream = stream
            return
        described, self.stream = encode_response(content, text, html, json)
        framed = "content-length" in self.headers or "transfer-encoding" in self.headers
        for name, value in described.items():
            if name not in self.headers and not (framed and name.lower() in ("content-length", "transfer-encoding")):
                self.headers[name] = value
        if isinstance(self.stream, ByteStream):
            self.read()
            self._num_bytes_downloaded = 0  # nothing came over a network

    # What the head says.

    @property
    def headers(self) -> Headers:
        """The header fields."""
        head = self._head
        if head is not None:
            self._headers = Headers._of(head.parse())
            self._head = None
        return self._headers

    @headers.setter
    def headers(self, value: Headers) -> None:
        self._headers = value
        self._head = None

    @headers.deleter
    def headers(self) -> None:
        # `unittest.mock.patch.object` deletes what it has set, and then sets what was there before.
        self._head = None
        del self._headers

    def _peek(self, name: bytes) -> bytes | None:
        # The joined value of one of the fields named in PICKED. Most responses are asked for nothing else.
        head = self._head
        return self._given_headers()._lookup().get(name) if head is None else head.picked.get(name)

    def _values(self, name: bytes) -> list[bytes]:
        # The values of such a field, apart. One that holds no comma with a space is the only one.
        head = self._head
        joined = b", " if head is None else head.picked.get(name)
        if joined is None:
            return []
        return self._given_headers()._each(name) if b", " in joined else [joined]

    def _given_headers(self) -> Headers:
        headers = self.headers  # of a subclass perhaps, and whatever mapping somebody has set
        return headers if isinstance(headers, Headers) else Headers(headers)

    @property
    def request(self) -> Request:
        """The request that this is the answer to. Raises `RuntimeError` if the response was made without one."""
        if self._request is None:
            raise RuntimeError("The request instance has not been set on this response.")
        return self._request

    @request.setter
    def request(self, value: Request) -> None:
        self._request = value

    @property
    def elapsed(self) -> datetime.timedelta:
        """From sending the request until the response was closed. Raises `RuntimeError` before that."""
        if self._seconds is None:
            raise RuntimeError("'.elapsed' may only be accessed after the response has been read or closed.")
        import datetime

        return datetime.timedelta(seconds=self._seconds)

    @elapsed.setter
    def elapsed(self, value: datetime.timedelta) -> None:
        self._seconds = value.total_seconds()

    @property
    def _elapsed(self) -> datetime.timedelta:
        # Tests of programs set it, and programs ask whether it is there.
        if self._seconds is None:
            raise AttributeError("_elapsed")
        return self.elapsed

    @_elapsed.setter
    def _elapsed(self, value: datetime.timedelta) -> None:
        self.elapsed = value

    @property
    def timings(self) -> Timings | None:
        """How long each phase took, in seconds: waiting for a connection, name, TCP, TLS, sending, waiting, the body.

        None for responses that did not come over a connection of this process.
        """
        from .timings import timings_of

        return None if self._marks is None else timings_of(self._marks, self._seconds)

    @property
    def tls(self) -> TLSInfo | None:
        """The facts of the TLS connection that the response came over: version, cipher, certificates, verified or not.

        None on plain HTTP, and for responses that did not come over a connection of this process.
        """
        if self._request is None or self._request.url.scheme not in ("https", "wss"):
            return None
        stream = getattr(self.extensions.get("network_stream"), "_stream", None)
        return getattr(stream, "tls", None)

    @property
    def http_version(self) -> str:
        """`HTTP/1.1`, `HTTP/1.0` or `HTTP/2`."""
        version = self.extensions.get("http_version")
        return "HTTP/1.1" if version is None else str(version, "ascii", "ignore")

    @property
    def reason_phrase(self) -> str:
        """What the server called the status, or the phrase registered for it."""
        phrase = self.extensions.get("reason_phrase")
        return codes.get_reason_phrase(self.status_code) if phrase is None else str(phrase, "ascii", "ignore")

    @property
    def url(self) -> URL:
        """The URL that answered. Raises `RuntimeError` if the response was made without a request."""
        return self.request.url

    @property
    def is_informational(self) -> bool:
        """Whether the status is 1xx."""
        return 100 <= self.status_code <= 199

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code <= 299

    @property
    def is_redirect(self) -> bool:
        """Whether the status is 3xx; `has_redirect_location` tells whether it leads anywhere."""
        return 300 <= self.status_code <= 399

    @property
    def is_client_error(self) -> bool:
        """Whether the status is 4xx."""
        return 400 <= self.status_code <= 499

    @property
    def is_server_error(self) -> bool:
        """Whether the status is 5xx."""
        return 500 <= self.status_code <= 599

    @property
    def is_error(self) -> bool:
        """Whether the status is 4xx or 5xx."""
        return 400 <= self.status_code <= 599

    @property
    def has_redirect_location(self) -> bool:
        """Whether this is a redirect (301, 302, 303, 307 or 308) with a `Location`."""
        return self.status_code in (301, 302, 303, 307, 308) and self._peek(b"location") is not None

    @property
    def cookies(self) -> Cookies:
        """The cookies that this response sets, those that its host may not set left out.

        `Secure` ones are among them over plain HTTP as well, though no client keeps these.
        """
        if not hasattr(self, "_cookies"):
            self._cookies = Cookies()
            self._cookies._extract_as_if_secure(self)
        return self._cookies

    @property
    def links(self) -> dict[str | None, dict[str, str]]:
        """The `Link` fields (RFC 8288), by their `rel`, or by URL where there is none."""
        links: dict[str | None, dict[str, str]] = {}
        for target, rest in _LINK.findall(self.headers.get("link", "")):
            link = {"url": target}
            for name, double, single, plain in _LINK_PARAMETER.findall(rest):
                link[name] = double or single or plain.strip()
            links[link.get("rel") or link["url"]] = link
        return links

    def raise_for_status(self) -> Response:
        """Return this response if its status is 2xx, else raise `HTTPStatusError`, with the beginning of its text."""
        request = self._request
        if request is None:
            raise RuntimeError("Cannot call `raise_for_status` as the request instance has not been set on this response.")
        if self.is_success:
            return self
        kind = _KINDS.get(self.status_code // 100, "Invalid status code")
        message = f"{kind} '{self.status_code} {printable(self.reason_phrase)}' for url '{printable(str(shown_url(self.url)), 500)}'"
        if self.has_redirect_location:
            message += f"\nRedirect location: '{printable(without_userinfo(self.headers['location']))}'"
        message += f"\nFor more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/{self.status_code}"
        if self.is_error and (excerpt := self._excerpt()):
            message += f"\nThe response begins: {excerpt}"
        raise HTTPStatusError(message, request=request, response=self)

    def _excerpt(self) -> str:
        # The beginning of the body, if it is text and has been read, in one line in which nothing passes for anything else.
        if not hasattr(self, "_content") or not _TEXTUAL.match(self.headers.get("content-type", "text/")):
            return ""
        text = self._content[: _EXCERPT_SIZE * 4].decode(self.encoding or "utf-8", "replace")
        words = " ".join(text.split())
        shown = printable(words[:_EXCERPT_SIZE], _EXCERPT_SIZE)
        return shown + "..." if len(words) > _EXCERPT_SIZE or len(self._content) > _EXCERPT_SIZE * 4 else shown

    def __repr__(self) -> str:
        return f"<Response [{self.status_code} {self.reason_phrase}]>"

    # The body, read.

    @property
    def content(self) -> bytes:
        """The body, decoded. Raises `ResponseNotRead` before it was read."""
        try:
            return self._content
        except AttributeError:
            raise ResponseNotRead() from None

    @property
    def text(self) -> str:
        """The body as text, by `encoding`; what does not decode shows as U+FFFD."""
        if not hasattr(self, "_text"):
            content = self.content
            self._text = "" if not content else content.decode(self.encoding or "utf-8", "replace")
        return self._text

    @property
    def encoding(self) -> str | None:
        """The charset: the one set here, else the one declared in `Content-Type`, else `default_encoding`."""
        if not hasattr(self, "_encoding"):
            encoding = self.charset_encoding
            if encoding is None or not is_text_encoding(encoding):
                default = self.default_encoding
                encoding = default if isinstance(default, str) else default(self._content) if hasattr(self, "_content") else None
            self._encoding: str | None = encoding or "utf-8"
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        if hasattr(self, "_text"):
            raise ValueError("Setting encoding after `text` has been accessed is not allowed.")
        if value is not None:
            codecs.lookup(value)
        self._encoding = value

    @property
    def charset_encoding(self) -> str | None:
        """The charset that `Content-Type` declares, if any."""
        content_type = self.headers.get("content-type")
        return None if content_type is None else parse_content_type_charset(content_type)

    def json(self, **kwargs: typing.Any) -> typing.Any:
        """The body decoded from JSON (RFC 8259); `kwargs` go to `json.loads`. Raises `json.JSONDecodeError`."""
        if kwargs:
            from json import loads

            return loads(self.content, **kwargs)
        return json_codec.decode(self.content)

    @property
    def num_bytes_downloaded(self) -> int:
        """Bytes of the body that have arrived, before decoding."""
        return self._num_bytes_downloaded

    # The body, streamed. The sync and the async half mirror each other; decisions are in what both call.

    def read(self) -> bytes:
        """Read the whole body, and close the response."""
        if not hasattr(self, "_content") and not self._read_at_once():
            self._content = b"".join(self.iter_bytes())
        return self._content

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The decoded body in pieces: as they arrive, or of `chunk_size` bytes each but the last."""
        if hasattr(self, "_content"):
            size = chunk_size or max(len(self._content), 1)
            for start in range(0, len(self._content), size):
                yield self._content[start : start + size]
            return
        if self._peek(b"content-encoding") is None:
            yield from self.iter_raw(chunk_size)
            return
        pipeline = Pipeline(self._make_decoder, chunk_size, self._blame)
        try:
            for raw in self.iter_raw():
                yield from pipeline.feed(raw)
            yield from pipeline.finish()
        except DecodingError:
            self.close()
            raise

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """The body as text, in pieces: as they arrive, or of `chunk_size` characters each but the last."""
        decoder, chunker = TextDecoder(self.encoding or "utf-8"), TextChunker(chunk_size)
        for data in self.iter_bytes():
            yield from chunker.decode(decoder.decode(data))
        yield from chunker.decode(decoder.flush())
        yield from chunker.flush()

    def iter_lines(self) -> Iterator[str]:
        """The lines of the body as text, without their line breaks."""
        decoder = LineDecoder()
        for text in self.iter_text():
            yield from decoder.decode(text)
        yield from decoder.flush()

    def iter_ndjson(self, max_line_size: int = MAX_LINE_SIZE) -> Iterator[typing.Any]:
        """The values of newline-delimited JSON, each as soon as its line has arrived.

        Raises `json.JSONDecodeError` for a line that is no JSON, `DecodingError` for one of more than `max_line_size` bytes.
        """
        decoder = JSONLinesDecoder(max_line_size)
        try:
            for data in self.iter_bytes():
                yield from decoder.feed(data)
            yield from decoder.finish()
        finally:
            self.close()

    def iter_raw(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The body as it arrives, not decoded. Closes the response at the end."""
        if not isinstance(self.stream, Iterable):
            raise RuntimeError("Attempted to call a sync iterator on an async stream. Use `aiter_raw()` and its like.")
        stream = typing.cast(Iterable[bytes], self._begin_stream())
        chunker = None if chunk_size is None else ByteChunker(chunk_size)
        try:
            for raw in stream:
                self._num_bytes_downloaded += len(raw)
                if chunker is not None:
                    yield from chunker.decode(raw)
                elif raw:
                    yield raw
            if chunker is not None:
                yield from chunker.flush()
        finally:
            self.close()

    def close(self) -> None:
        """Close the response: its connection is free, or closed if the body was not read to its end."""
        if not isinstance(self.stream, SyncByteStream):
            raise RuntimeError("Attempted to call a sync close on an async stream. Use `await response.aclose()`.")
        if not self.is_closed:
            self._mark_closed()
            self.stream.close()

    async def aread(self) -> bytes:
        """Read the whole body, and close the response."""
        if not hasattr(self, "_content") and not self._read_at_once():
            self._content = b"".join([part async for part in self.aiter_bytes()])
        return self._content

    def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """The decoded body in pieces: as they arrive, or of `chunk_size` bytes each but the last."""
        if hasattr(self, "_content"):
            size = chunk_size or max(len(self._content), 1)
            return Pieces(self._content[start : start + size] for start in range(0, len(self._content), size))
        if self._peek(b"content-encoding") is None:
            return self.aiter_raw(chunk_size)
        pipeline = Pipeline(self._make_decoder, chunk_size, self._blame)
        return Stage(self.aiter_raw, pipeline.feed, pipeline.finish)

    def aiter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """The body as text, in pieces: as they arrive, or of `chunk_size` characters each but the last."""
        decoder, chunker = TextDecoder(self.encoding or "utf-8"), TextChunker(chunk_size)
        return Stage(
            self.aiter_bytes,
            lambda data: chunker.decode(decoder.decode(data)),
            lambda: [*chunker.decode(decoder.flush()), *chunker.flush()],
        )

    def aiter_lines(self) -> AsyncIterator[str]:
        """The lines of the body as text, without their line breaks."""
        decoder = LineDecoder()
        return Stage(self.aiter_text, decoder.decode, decoder.flush)

    def aiter_ndjson(self, max_line_size: int = MAX_LINE_SIZE) -> AsyncIterator[typing.Any]:
        """The values of newline-delimited JSON, each as soon as its line has arrived.

        Raises `json.JSONDecodeError` for a line that is no JSON, `DecodingError` for one of more than `max_line_size` bytes.
        """
        decoder = JSONLinesDecoder(max_line_size)
        return Stage(self.aiter_bytes, decoder.feed, decoder.finish, self.aclose)

    def aiter_raw(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """The body as it arrives, not decoded. Closes the response at the end."""
        if not isinstance(self.stream, AsyncIterable):
            raise RuntimeError("Attempted to call an async iterator on a sync stream. Use `iter_raw()` and its like.")
        if chunk_size is None:
            return Stage(self._begin_async_stream, self._counted, close=self.aclose)
        chunker = ByteChunker(chunk_size)
        return Stage(self.aiter_raw, chunker.decode, chunker.flush)

    def _begin_async_stream(self) -> AsyncIterator[bytes]:
        return typing.cast(AsyncIterable[bytes], self._begin_stream()).__aiter__()

    def _counted(self, raw: bytes) -> Iterable[bytes]:
        self._num_bytes_downloaded += len(raw)
        return (raw,) if raw else ()

    async def aclose(self) -> None:
        """Close the response: its connection is free, or closed if the body was not read to its end."""
        if not isinstance(self.stream, AsyncByteStream):
            raise RuntimeError("Attempted to call an async close on a sync stream. Use `response.close()`.")
        if not self.is_closed:
            self._mark_closed()
            await self.stream.aclose()

    # What both halves share.

    def _make_decoder(self) -> Decoder | None:
        codings = self._peek(b"content-encoding")
        return None if codings is None else make_decoder(codings, self._decoding_limits())

    def _decoding_limits(self) -> typing.Mapping[str, typing.Any]:
        return {} if self._request is None else self._request.extensions

    def _read_at_once(self, encoded: bool = True) -> bool:
        # What is in memory already need not be streamed. With `encoded` false, a body that has to be decoded is left as it is.
        stream = self.stream
        if type(stream) is not ByteStream or self.is_stream_consumed or self.is_closed:
            return False
        head = self._head
        codings = self._peek(b"content-encoding") if head is None else head.picked.get(b"content-encoding")
        if codings is not None and not encoded:
            return False
        raw = stream._bytes
        self.is_stream_consumed = self.is_closed = True
        self._num_bytes_downloaded = len(raw)
        if self._started is not None:
            self._seconds = time.perf_counter() - self._started
        if codings is None:
            self._content = raw
            return True
        try:
            self._content = decode_whole(codings, raw, self._decoding_limits())
        except DecodingError as error:
            self._blame(error)
            raise
        return True

    def _begin_stream(self) -> ResponseStream:
        if self.is_stream_consumed:
            raise StreamConsumed()
        if self.is_closed:
            raise StreamClosed()
        self.is_stream_consumed = True
        return self.stream

    def _mark_closed(self) -> None:
        self.is_closed = True
        if self._started is not None and self._seconds is None:
            self._seconds = time.perf_counter() - self._started

    def _blame(self, error: DecodingError) -> None:
        if error._request is None and self._request is not None:
            error.request = self._request

    def __getstate__(self) -> dict[str, typing.Any]:
        self.headers  # noqa: B018  # makes them, and lets go of the head
        state = {name: value for name, value in self.__dict__.items() if name not in ("stream", "_started", "next_request", "is_closed")}
        state["extensions"] = {name: value for name, value in self.extensions.items() if isinstance(value, (bytes, str, int))}
        return state

    def __setstate__(self, state: dict[str, typing.Any]) -> None:
        self.__dict__.update(state)
        self.next_request = None
        self.is_closed = True
        self.stream = LostStream()


def received_response(head: Head, stream: ResponseStream, request: Request, extensions: dict[str, typing.Any]) -> Response:
    """A response from a transport of ours: nothing to convert, nothing to copy."""
    response = _new(Response)
    response.status_code = head.status_code
    response._head = head
    response.stream = stream
    response._request = request
    response.extensions = extensions
    response.history = []
    response.default_encoding = "utf-8"
    return response


_new = object.__new__
