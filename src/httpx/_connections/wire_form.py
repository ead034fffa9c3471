"""What the header fields of a request amount to, worked out once for all requests that share them."""

from __future__ import annotations

from .._exceptions import LocalProtocolError
from .._models.headers import Fields, Headers
from .._models.url import URL
from .._protocols.http1.serialize import serialize_fields

# Fields that concern the connection, which HTTP/2 has no place for (RFC 9113 section 8.2.2); the host is in a pseudo-header.
_NOT_IN_HTTP2 = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"host", b"http2-settings"))

_MAX_EXTENDED = 8


class WireForm:
    """What the header fields of a request amount to: their bytes, and what they say about the message and the connection."""

    __slots__ = (
        "_extended",
        "block",
        "chunked",
        "expects_continue",
        "http2",
        "http2_request",
        "is_plain",
        "length",
        "offers_upgrade",
        "stays_open",
    )

    def __init__(self, block: bytes, length: int | None, chunked: bool, index: dict[bytes, bytes]) -> None:
        self.block = block
        self.length = length
        self.chunked = chunked
        self.stays_open = b"close" not in index.get(b"connection", b"").lower()
        self.offers_upgrade = b"upgrade" in index
        self.expects_continue = b"100-continue" in index.get(b"expect", b"").lower()
        self.is_plain = not chunked and b"expect" not in index  # head and body may go out in one piece
        self.http2: tuple[tuple[bytes, bytes], Fields] | None = None  # :authority and the others, once an HTTP/2 connection has asked
        self.http2_request: tuple[str, URL, Fields] | None = None  # the last one that went out with them: its method, URL and all fields
        self._extended: dict[tuple[tuple[bytes, bytes], ...], WireForm] = {}

    def extended(self, fields: Fields) -> WireForm | None:
        """The same with cookies, or fields on content that the others are not on, behind them; None if there are other fields."""
        key = tuple(fields)
        form = self._extended.get(key)  # mostly a client sends the same cookies, and content of the same kind and length, again
        if form is None and (form := self._extend(fields)) is not None:
            if len(self._extended) >= _MAX_EXTENDED:
                self._extended.clear()
            self._extended[key] = form
        return form

    def _extend(self, fields: Fields) -> WireForm | None:
        form = WireForm.__new__(WireForm)
        form.block = self.block + serialize_fields(fields)
        form.length, form.chunked = self.length, self.chunked
        form.stays_open, form.offers_upgrade = self.stays_open, self.offers_upgrade
        form.expects_continue, form.is_plain = self.expects_continue, self.is_plain
        form.http2 = form.http2_request = None
        form._extended = {}
        for name, value in fields:
            lower = name.lower()
            if lower == b"content-length":
                form.length = int(value)
            elif lower == b"transfer-encoding":
                form.chunked, form.is_plain = True, False
            elif lower not in (b"content-type", b"cookie"):
                return None
        return form


def prepare(headers: Headers) -> WireForm:
    """Check and serialize header fields, once for all requests that share them. Raises `LocalProtocolError`."""
    index = headers._lookup()
    if b"host" not in index:
        raise LocalProtocolError("The request has no Host header.")
    length, chunked = _framing(index)
    fields = headers._fields
    if fields[0][0].lower() != b"host":  # the first field, wherever the caller put it (RFC 9110 section 7.2)
        fields = sorted(fields, key=lambda field: field[0].lower() != b"host")
    form = headers._wire = WireForm(serialize_fields(fields), length, chunked, index)
    return form


def http2_fields(headers: Headers) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The value of `:authority`, and the fields that HTTP/2 has a place for, their names in lower case (RFC 9113 section 8.2)."""
    index = headers._lookup()
    named = index.get(b"connection", b"").lower().split(b",")
    left_out = _NOT_IN_HTTP2.union(name.strip() for name in named)
    fields = []
    for name, value in headers._fields:
        lower = name.lower()
        if lower not in left_out and (lower != b"te" or value.strip().lower() == b"trailers"):
            fields.append((lower, value.strip(b" \t")))
    return index[b"host"], fields


def _framing(index: dict[bytes, bytes]) -> tuple[int | None, bool]:
    # The declared length of the body (None if there is none), and whether it goes out in chunks.
    length = index.get(b"content-length")
    coding = index.get(b"transfer-encoding")
    if coding is not None:
        if length is not None:
            raise LocalProtocolError("A request has either Content-Length or Transfer-Encoding, not both.")
        if coding.lower() != b"chunked":
            raise LocalProtocolError("The only Transfer-Encoding of a request is chunked.")
        return None, True
    if length is None:
        return None, False
    if not length.isdigit() or len(length) > 19:
        raise LocalProtocolError("Content-Length is one decimal number.")
    return int(length), False
