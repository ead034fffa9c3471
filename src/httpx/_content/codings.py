"""Content codings (RFC 9110 section 8.4): what responses may be encoded with, and how it is undone, in bounded memory.

gzip and deflate are always there, br and zstd where a package for them is installed (the extras `brotli` and `zstd`).
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import typing
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from .._exceptions import DecodingError

MAX_CODINGS = 5
"""Codings that may be applied to one body."""

MAX_DECODED_SIZE = 100 * 1024 * 1024
MAX_DECODED_RATIO = 250
"""Decoding stops when the body is larger than `MAX_DECODED_SIZE` bytes and than this many times its encoded size.

A request may say otherwise in its extensions `max_decoded_size` and `max_decoded_ratio`.
"""

PIECE = 1024 * 1024
_INPUT = 65_536  # what is handed to a decoder at once: it may give back the rest, and copying that should cost little


class Decoder(typing.Protocol):
    """Undoes one coding, piece by piece."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """What `data` decodes to, in pieces of at most 1 MiB. Raises `DecodingError`."""
        ...

    def flush(self) -> bytes:
        """What is left at the end. Raises `DecodingError` if the data was cut short."""
        ...


_MEMBER = b"\x1f\x8b"


class ZlibDecoder:
    """gzip (RFC 1952), also of several members, and deflate, with its zlib wrapper (RFC 1950) or without (RFC 1951)."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._engine: typing.Any = zlib.decompressobj(16 + zlib.MAX_WBITS) if coding == "gzip" else None
        self._held = b""  # the first byte of deflate, or of what may be a further member: it does not tell yet
        self._has_begun = False
        self._is_over = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        if self._engine is None:
            data = self._held + data
            if len(data) < 2:
                self._held = data
                return
            self._engine = zlib.decompressobj(zlib.MAX_WBITS if _has_zlib_header(data) else -zlib.MAX_WBITS)
        while data:
            if self._engine.eof:
                data = self._next_member(data)
                continue
            self._has_begun = True
            try:
                piece = self._engine.decompress(data, PIECE)
            except zlib.error as error:
                raise DecodingError(f"The body is not valid {self._coding}: {error}") from error
            data = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail
            if piece:
                yield piece

    def _next_member(self, data: bytes) -> bytes:
        # Behind the end of gzip another member may follow. Whatever else servers put there is not part of the content.
        if self._coding != "gzip" or self._is_over:
            return b""
        data, self._held = (self._held + data).lstrip(b"\0"), b""
        if data[:2] == _MEMBER:
            self._engine = zlib.decompressobj(16 + zlib.MAX_WBITS)
            return data
        if data == _MEMBER[:1]:
            self._held = data
        else:
            self._is_over = bool(data)
        return b""

    def flush(self) -> bytes:
        if self._held if self._engine is None else self._has_begun and not self._engine.eof:
            raise DecodingError(f"The body ends in the middle of its {self._coding} data.")
        return b""


def _has_zlib_header(data: bytes) -> bool:
    # RFC 1950 section 2.2. Some servers send deflate bare, without the wrapper.
    return data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0


class ChainDecoder:
    """Undoes codings in the reverse of their order, and keeps the sizes in proportion."""

    def __init__(self, decoders: Sequence[Decoder], max_size: float, max_ratio: float) -> None:
        self._decoders = decoders
        self._max_size = max_size
        self._max_ratio = max_ratio
        self._encoded = 0
        self._decoded = 0

    def decode(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _INPUT):
            part = data[start : start + _INPUT]
            self._encoded += len(part)
            for piece in self._decoders[0].decode(part) if len(self._decoders) == 1 else self._run(part, 0):
                self._decoded += len(piece)
                if self._decoded > self._max_size and self._decoded > self._encoded * self._max_ratio:
                    raise DecodingError(
                        f"The body decodes to more than {self._max_ratio:g} times its size, and was given up after {self._decoded} bytes. "
                        "Where that is to be expected, set extensions={'max_decoded_ratio': ...} on the request."
                    )
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


def decode_whole(codings: bytes, data: bytes, limits: Mapping[str, typing.Any]) -> bytes:
    """What `make_decoder`'s decoder makes of a body that is there as a whole. Raises `DecodingError`."""
    if codings == b"gzip" and len(data) <= _INPUT and "max_decoded_size" not in limits:
        # Mostly one member, which decodes to less than any limit: one step.
        engine = zlib.decompressobj(16 + zlib.MAX_WBITS)
        with contextlib.suppress(zlib.error):
            content = engine.decompress(data, PIECE)
            if engine.eof and not engine.unused_data:
                return content
    decoder = make_decoder(codings, limits)
    return data if decoder is None else b"".join([*decoder.decode(data), decoder.flush()])


def make_decoder(codings: bytes, limits: Mapping[str, typing.Any]) -> Decoder | None:
    """The decoder for a Content-Encoding. None if nothing is to be undone; at a coding that is unknown it ends.

    `limits` may have `max_decoded_size` and `max_decoded_ratio`; None in one of them means no limit.
    """
    names = [name for coding in codings.decode("latin-1").split(",") if (name := coding.strip().lower()) not in ("", "identity")]
    if len(names) > MAX_CODINGS:
        raise DecodingError(f"The body has {len(names)} content codings; at most {MAX_CODINGS} are undone.")
    known = available_codings()
    undone = list(itertools.takewhile(known.__contains__, reversed(names)))
    return ChainDecoder([known[name]() for name in undone], *_bounds(limits)) if undone else None


def _bounds(limits: Mapping[str, typing.Any]) -> tuple[float, float]:
    size = limits.get("max_decoded_size", MAX_DECODED_SIZE)
    ratio = limits.get("max_decoded_ratio", MAX_DECODED_RATIO)
    return (math.inf, 0) if size is None or ratio is None else (size, ratio)


@functools.cache
def available_codings() -> Mapping[str, Callable[[], Decoder]]:
    """What can be undone here: the name of each coding, with what makes a decoder for it."""
    from .brotli_decoder import BrotliDecoder, has_brotli
    from .zstd_decoder import ZstdDecoder, has_zstd

    gzip = functools.partial(ZlibDecoder, "gzip")
    codings: dict[str, Callable[[], Decoder]] = {"gzip": gzip, "deflate": functools.partial(ZlibDecoder, "deflate")}
    if has_brotli():
        codings["br"] = BrotliDecoder
    if has_zstd():
        codings["zstd"] = ZstdDecoder
    return {**codings, "x-gzip": gzip}


@functools.cache
def accept_encoding() -> str:
    """The codings that responses may have: those which can be undone here."""
    return ", ".join(name for name in available_codings() if name != "x-gzip")
