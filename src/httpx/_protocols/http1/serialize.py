"""A request as bytes (RFC 9112 section 3), checked so that nothing a caller gives can become a line of its own."""

from __future__ import annotations

import re

from ..._exceptions import LocalProtocolError
from ..._models.headers import Fields
from .head import excerpt

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_FIELD_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*\Z")
_TARGET = re.compile(rb"[!-~]+\Z")

# Methods that were checked before, with the space that follows them.
_KNOWN_METHODS: dict[str, bytes] = {}
_MAX_KNOWN_METHODS = 64


def serialize_head(method: str, target: bytes, field_block: bytes) -> bytes:
    """The bytes of a request head. Raises `LocalProtocolError` for a method that is none.

    The target is a URL's own, which is in order, or has passed `check_target`.
    """
    return (_KNOWN_METHODS.get(method) or _check_method(method)) + target + b" HTTP/1.1\r\n" + field_block + b"\r\n"


def encode_method(method: str) -> bytes:
    """The method as bytes, for other versions of HTTP. Raises `LocalProtocolError` for what is none."""
    return (_KNOWN_METHODS.get(method) or _check_method(method))[:-1]


def check_target(target: bytes) -> bytes:
    """The target, if it is one. Raises `LocalProtocolError`."""
    if _TARGET.match(target) is None:
        raise LocalProtocolError(f"The request target holds a character that it must not: {excerpt(target)}")
    return target


def serialize_fields(fields: Fields) -> bytes:
    """Field lines, each with its CRLF. Raises `LocalProtocolError` for a name or value that would break out of its line."""
    lines = []
    for name, value in fields:
        if _TOKEN.match(name) is None:
            raise LocalProtocolError(f"Illegal header name {excerpt(name)}")
        if _FIELD_VALUE.match(value) is None:
            # The value itself may be a secret: only the name is shown.
            raise LocalProtocolError(f"Illegal header value: {name.decode('ascii')} holds a line break or another control character.")
        lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join(lines)


def serialize_chunk(data: bytes) -> bytes:
    """One chunk of a chunked body (RFC 9112 section 7.1); `data` must not be empty, since that would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def _check_method(method: str) -> bytes:
    encoded = method.encode("latin-1", "replace")
    if _TOKEN.match(encoded) is None:
        raise LocalProtocolError(f"Illegal method characters: {excerpt(encoded)}")
    if len(_KNOWN_METHODS) < _MAX_KNOWN_METHODS:
        _KNOWN_METHODS[method] = encoded + b" "
    return encoded + b" "
