"""Content codings (RFC 9110 section 8.4): gzip and deflate, several of them chained, in bounded memory."""

from __future__ import annotations

import typing
import zlib
from collections.abc import Iterator, Sequence

from .._exceptions import DecodingError

MAX_CODINGS = 5
"""Codings that may be applied to one body."""

MAX_DECODED_SIZE = 100 * 1024 * 1024
MAX_DECODED_RATIO = 250
"""Decoding stops when the body is larger than `MAX_DECODED_SIZE` bytes and than this many times its encoded size."""

_PIECE = 1024 * 1024


class Decoder(typing.Protocol):
    """Undoes one coding, piece by piece."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """What `data` decodes to, in pieces of at most 1 MiB. Raises `DecodingError`."""
        ...

    def flush(self) -> bytes:
        """What is left at the end. Raises `DecodingError` if the data was cut short."""
        ...


class ZlibDecoder:
    """gzip (RFC 1952), also of several members, and deflate, with its zlib wrapper (RFC 1950) or without (RFC 1951)."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._window = 16 + zlib.MAX_WBITS if coding == "gzip" else zlib.MAX_WBITS
        self._engine: typing.Any = zlib.decompressobj(self._window)
        self._has_begun = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._engine.eof:
                data = self._next_member(data)
                continue
            try:
                piece = self._engine.decompress(data, _PIECE)
            except zlib.error as error:
                if self._coding == "deflate" and not self._has_begun:
                    # Some servers send the bare format, without the wrapper.
                    self._has_begun = True
                    self._engine = zlib.decompressobj(-zlib.MAX_WBITS)
                    continue
                raise DecodingError(f"The body is not valid {self._coding}: {error}") from error
            self._has_begun = True
            data = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail
            if piece:
                yield piece
            elif not data:
                break

    def _next_member(self, data: bytes) -> bytes:
        if self._coding != "gzip":
            raise DecodingError("The body goes on behind the end of its deflate data.")
        data = data.lstrip(b"\0")  # members may be padded with zeros
        if data:
            self._engine = zlib.decompressobj(self._window)
        return data

    def flush(self) -> bytes:
        if self._has_begun and not self._engine.eof:
            raise DecodingError(f"The body ends in the middle of its {self._coding} data.")
        return b""


class ChainDecoder:
    """Undoes codings in the reverse of their order, and keeps the sizes in proportion."""

    def __init__(self, decoders: Sequence[Decoder]) -> None:
        self._decoders = decoders
        self._encoded = 0
        self._decoded = 0

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._encoded += len(data)
        for piece in self._run(data, 0):
            self._decoded += len(piece)
            if self._decoded > MAX_DECODED_SIZE and self._decoded > self._encoded * MAX_DECODED_RATIO:
                raise DecodingError(f"The body decodes to over {MAX_DECODED_RATIO} times its size: stopped at {self._decoded} bytes.")
            yield piece

    def _run(self, data: bytes, depth: int) -> Iterator[bytes]:
        if depth == len(self._decoders):
            yield data
            return
        for piece in self._decoders[depth].decode(data):
            yield from self._run(piece, depth + 1)

    def flush(self) -> bytes:
        for decoder in self._decoders:
            decoder.flush()
        return b""


def make_decoder(codings: Sequence[str]) -> Decoder | None:
    """The decoder for a Content-Encoding. None if nothing is to be undone, or if a coding is unknown."""
    names = [name for coding in codings if (name := coding.strip().lower()) not in ("", "identity")]
    if len(names) > MAX_CODINGS:
        raise DecodingError(f"The body has {len(names)} content codings; at most {MAX_CODINGS} are undone.")
    known = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
    if not names or not all(name in known for name in names):
        return None
    return ChainDecoder([ZlibDecoder(known[name]) for name in reversed(names)])


def accept_encoding() -> str:
    """The codings that responses may have: those which can be undone here."""
    return "gzip, deflate"
