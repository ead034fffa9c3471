"""From what a caller gives as content to a stream of bytes and the header fields that describe it."""

from __future__ import annotations

import os
import typing
import warnings
from collections.abc import Iterable, Mapping

from . import json_codec
from .files import is_async_file, remaining_length
from .streams import AsyncIteratorByteStream, ByteStream, IteratorByteStream

if typing.TYPE_CHECKING:
    from .multipart import MultipartStream

    Stream = ByteStream | IteratorByteStream | AsyncIteratorByteStream | MultipartStream
    Described = tuple[dict[str, str], Stream]


def encode_request(
    content: typing.Any = None, data: typing.Any = None, files: typing.Any = None, json: typing.Any = None, boundary: bytes | None = None
) -> Described:
    """The fields and the stream for the content of a request.

    Of several the first counts: `content`, `files` (with `data`), `data`, `json`. Raises `TypeError` for what is of no
    known kind.
    """
    if data is not None and not isinstance(data, Mapping):
        if _are_pairs(data):
            data = _grouped(data)
        else:
            warnings.warn("Use 'content=<...>' to upload raw bytes/text content.", DeprecationWarning, stacklevel=4)
            return encode_content(data)
    if content is not None:
        return encode_content(content)
    if files:
        return encode_multipart_data(data or {}, files, boundary)
    if data:
        return encode_urlencoded_data(data)
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
    """Bytes, text, a file or the path of one, or an iterable of bytes. What has no length that is known goes out in chunks."""
    if isinstance(content, (bytes, str, bytearray, memoryview)):
        body = content.encode("utf-8") if isinstance(content, str) else bytes(content)
        return ({"Content-Length": str(len(body))} if body else {}), ByteStream(body)
    if is_async_file(content) and not isinstance(content, Iterable):  # what is both, either client can send as the one
        return {"Transfer-Encoding": "chunked"}, AsyncIteratorByteStream(content)
    if (isinstance(content, (Iterable, os.PathLike)) or hasattr(content, "read")) and not isinstance(content, Mapping):
        length = remaining_length(content)
        framing = {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}
        return framing, IteratorByteStream(typing.cast("Iterable[bytes]", content))
    raise TypeError(f"Unexpected type for 'content', {type(content)}. It is bytes, text, a file, a path, or an iterable of bytes.")


def encode_json(json: typing.Any) -> Described:
    """JSON (RFC 8259) in UTF-8, without spaces. Raises `ValueError` for NaN and infinities, which JSON does not have."""
    body = json_codec.encode(json)
    return {"Content-Length": str(len(body)), "Content-Type": "application/json"}, ByteStream(body)


def encode_urlencoded_data(data: Mapping[str, typing.Any]) -> tuple[dict[str, str], ByteStream]:
    """A form as application/x-www-form-urlencoded: a list stands for several fields of its name, None for an empty one."""
    from urllib.parse import urlencode

    pairs = [
        (name, _form_value(item)) for name, value in data.items() for item in (value if isinstance(value, (list, tuple)) else (value,))
    ]
    body = urlencode(pairs).encode("ascii")
    return {"Content-Length": str(len(body)), "Content-Type": "application/x-www-form-urlencoded"}, ByteStream(body)


def encode_multipart_data(data: typing.Any, files: typing.Any, boundary: bytes | None = None) -> tuple[dict[str, str], MultipartStream]:
    """A form with files as multipart/form-data (RFC 7578), in chunks if the length of a file is not known."""
    from .multipart import MultipartStream

    stream = MultipartStream(data, files, boundary)
    length = stream.content_length()
    framing = {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}
    return {**framing, "Content-Type": stream.content_type}, stream


def _are_pairs(data: typing.Any) -> bool:
    return isinstance(data, (list, tuple)) and bool(data) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in data)


def _grouped(pairs: Iterable[tuple[typing.Any, typing.Any]]) -> dict[typing.Any, list[typing.Any]]:
    grouped: dict[typing.Any, list[typing.Any]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).extend(value if isinstance(value, (list, tuple)) else (value,))
    return grouped


def _form_value(value: typing.Any) -> str | bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
