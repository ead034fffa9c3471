"""From what a caller gives as content to a stream of bytes and the header fields that describe it."""

from __future__ import annotations

import json as jsonlib
import os
import typing
from collections.abc import AsyncIterable, Iterable

from .streams import AsyncIteratorByteStream, ByteStream, IteratorByteStream

Stream = ByteStream | IteratorByteStream | AsyncIteratorByteStream
Described = tuple[dict[str, str], Stream]


def encode_request(content: typing.Any = None, json: typing.Any = None) -> Described:
    """The fields and the stream for the content of a request. Raises `TypeError` for content of no known kind."""
    if content is not None:
        if json is not None:
            raise TypeError("A request has one content: give content= or json=, not both.")
        return encode_content(content)
    if json is not None:
        return encode_json(json)
    return {}, ByteStream(b"")


def encode_response(content: typing.Any = None, text: str | None = None, html: str | None = None, json: typing.Any = None) -> Described:
    """The fields and the stream for the content of a response that is made by hand."""
    if content is not None:
        return encode_content(content)
    if text is not None or html is not None:
        body = (text if text is not None else html or "").encode("utf-8")
        kind = "text/plain" if text is not None else "text/html"
        return {"Content-Length": str(len(body)), "Content-Type": f"{kind}; charset=utf-8"}, ByteStream(body)
    if json is not None:
        return encode_json(json)
    return {}, ByteStream(b"")


def encode_content(content: typing.Any) -> Described:
    """Bytes, text, a file, or an iterable of bytes. What has no length that is known goes out in chunks."""
    if isinstance(content, (bytes, str, bytearray, memoryview)):
        body = content.encode("utf-8") if isinstance(content, str) else bytes(content)
        return ({"Content-Length": str(len(body))} if body else {}), ByteStream(body)
    if isinstance(content, Iterable) and not isinstance(content, dict):
        length = _remaining_length(content)
        framing = {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}
        return framing, IteratorByteStream(content)
    if isinstance(content, AsyncIterable):
        return {"Transfer-Encoding": "chunked"}, AsyncIteratorByteStream(content)
    raise TypeError(f"content= is bytes, text, a file, or an iterable of bytes, not {type(content).__name__}.")


def encode_json(json: typing.Any) -> Described:
    """JSON (RFC 8259) in UTF-8, without spaces. Raises `ValueError` for NaN and infinities, which JSON does not have."""
    body = jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
    return {"Content-Length": str(len(body)), "Content-Type": "application/json"}, ByteStream(body)


def _remaining_length(content: typing.Any) -> int | None:
    # A file sends what follows its present position.
    if not hasattr(content, "read"):
        return None
    try:
        position = content.tell()
        try:
            end = os.fstat(content.fileno()).st_size
        except (AttributeError, OSError):
            end = content.seek(0, os.SEEK_END)
            content.seek(position)
    except (AttributeError, OSError):
        return None
    return max(int(end) - int(position), 0)
