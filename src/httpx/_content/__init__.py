"""The content of messages. The names here are those that other libraries import from HTTPX under `httpx._content`."""

from .encode import (
    encode_content,
    encode_json,
    encode_multipart_data,
    encode_request,
    encode_response,
    encode_urlencoded_data,
)
from .streams import AsyncIteratorByteStream, ByteStream, IteratorByteStream

__all__ = [
    "AsyncIteratorByteStream",
    "ByteStream",
    "IteratorByteStream",
    "encode_content",
    "encode_json",
    "encode_multipart_data",
    "encode_request",
    "encode_response",
    "encode_urlencoded_data",
]
