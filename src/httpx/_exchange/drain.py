"""Letting go of a response that nobody will read, in a way that its connection can be used again."""

from __future__ import annotations

import typing

from .._content.streams import ByteStream
from .._exceptions import RequestError
from .._models.response import Response
from .client import Client

LIMIT = 65_536  # bytes, encoded; a longer body costs more than a new connection
PATIENCE = 1.0  # seconds; the same goes for a body that does not come


async def drain(client: Client, response: Response) -> None:
    """Read the rest of the body if it is short, and close the response. Nothing is decoded.

    What was read can still be had from `response.read()`, or from `response.content` if it has no content coding. That it could
    not be read is no error: the response has already said all that is needed.
    """
    if hasattr(response, "_content"):
        return
    if response.is_stream_consumed or response.is_closed:
        await client._calls.close(response)
        return
    if response._read_at_once(encoded=False):
        return  # it was here already
    if int(_declared_length(response)) > LIMIT:
        await client._calls.close(response)
        return
    if type(response.stream) is not ByteStream:
        raw = await _read(client, response)
        if raw is None:
            await client._calls.close(response)
            return
        response.stream = ByteStream(raw)
        response.is_closed = response.is_stream_consumed = False
    if response._peek(b"content-encoding") is None:
        await client._calls.read(response)


def _declared_length(response: Response) -> str:
    length = (response._peek(b"content-length") or b"").decode("latin-1")
    return length if length.isdigit() and len(length) < 20 else "0"


async def _read(client: Client, response: Response) -> bytes | None:
    if (rest := getattr(response.stream, "rest", None)) is not None:
        return typing.cast("bytes | None", await rest(LIMIT, PATIENCE))
    calls = client._calls
    received = bytearray()
    pieces = calls.pieces(response)
    try:
        while (piece := await calls.next_piece(pieces)) is not None:
            received += piece
            if len(received) > LIMIT:
                return None
    except RequestError:
        return None
    finally:
        await calls.close_generator(pieces)
    return bytes(received)
