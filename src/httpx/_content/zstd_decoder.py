"""The content coding zstd (RFC 8878), by the standard library (Python 3.14), its backport, or the package `zstandard`.

As RFC 9659 has it, a frame may have a window of 8 MiB: what wants more is refused before memory is given to it.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator

from .._exceptions import DecodingError

if typing.TYPE_CHECKING:
    import zstandard

_WINDOW_LOG = 23
_PIECE = 1024 * 1024
_AFTER_A_FRAME = 256  # bytes that the next one is given at first: what it leaves is copied, for each of very many small ones
_MAX_BLOCKS = 8  # a block decodes to 128 KiB at most (RFC 8878 section 3.1.1.2.4)

_MAGIC_SIZE = 4
_SKIPPABLE = b"\x2a\x4d\x18"  # behind a byte from 0x50 to 0x5f (section 3.1.2)
_DICTIONARY_ID_SIZES = (0, 1, 2, 4)
_CONTENT_SIZE_SIZES = (0, 2, 4, 8)


class Engine(typing.Protocol):
    """Decodes one frame; the interface is that of the standard library."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


MakeEngine = typing.Callable[[], Engine]


@functools.cache
def _load() -> tuple[typing.Callable[[], MakeEngine], type[Exception]] | None:
    # What gives a body its way of making engines, and the exception that these raise.
    from importlib import import_module

    for name in ("compression.zstd", "backports.zstd"):
        try:
            zstd: typing.Any = import_module(name)
        except ImportError:
            continue
        options = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        return functools.partial(functools.partial, zstd.ZstdDecompressor, options=options), zstd.ZstdError
    try:
        import zstandard
    except ImportError:
        return None
    return engines_of_zstandard, zstandard.ZstdError


@functools.cache
def has_zstd() -> bool:
    """Whether zstd can be undone. Looks for the packages, and leaves importing them, which takes a while, to the first response."""
    from importlib.util import find_spec

    def is_there(name: str) -> bool:
        try:
            return find_spec(name) is not None
        except ModuleNotFoundError:  # of the package that it would be in
            return False

    return any(map(is_there, ("compression.zstd", "backports.zstd", "zstandard")))


class ZstdDecoder:
    """Undoes zstd, also of several frames."""

    def __init__(self) -> None:
        loaded = _load()
        if loaded is None:
            raise DecodingError("The body is encoded with zstd, and the package for it cannot be imported: pip install httpx[zstd].")
        start_body, self._error = loaded
        self._make_engine = start_body()
        self._engine: Engine | None = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        start, size = 0, len(data)
        while start < len(data) or (self._engine is not None and not self._engine.needs_input):
            if self._engine is None:
                self._engine = self._make_engine()
            part = data[start : start + size] if self._engine.needs_input else b""
            start += len(part)
            size *= 2
            try:
                piece = self._engine.decompress(part, _PIECE)
            except self._error as error:
                raise DecodingError(f"The body is not valid zstd: {error}") from error
            if self._engine.eof:
                start -= len(self._engine.unused_data)
                size = _AFTER_A_FRAME
                self._engine = None
            if piece:
                yield piece

    def flush(self) -> bytes:
        if self._engine is not None:
            raise DecodingError("The body ends in the middle of its zstd data.")
        return b""


def engines_of_zstandard() -> MakeEngine:
    """Engines for the frames of one body. They share what takes far longer to make than a small frame to decode."""
    import zstandard

    return functools.partial(BlockwiseEngine, zstandard.ZstdDecompressor(max_window_size=1 << _WINDOW_LOG))


class BlockwiseEngine:
    """Decodes one frame with `zstandard`, which itself cannot be told to stop: it is given few blocks at a time."""

    def __init__(self, decompressor: zstandard.ZstdDecompressor) -> None:
        self._engine = decompressor.decompressobj()
        self._buffer = b""
        self._left = 0  # bytes of what has begun: a block, the checksum, a frame to be skipped
        self._in_frame = False
        self._is_skippable = False
        self._has_checksum = False
        self._is_last = False
        self.eof = False
        self.needs_input = True
        self.unused_data = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """What the next blocks decode to."""
        self._buffer += data
        end = self._find_end()
        part, self._buffer = self._buffer[:end], self._buffer[end:]
        if self.eof:
            self.unused_data, self._buffer = self._buffer, b""
        self.needs_input = not self.eof and not part
        if not part or self._is_skippable:
            return b""
        return self._engine.decompress(part)

    def _find_end(self) -> int:
        # How much of the buffer may be decoded now: the head of the frame, and at most so many blocks.
        position = 0
        if not self._in_frame:
            position = self._read_head()
            if not position:
                return 0
            self._in_frame = True
        blocks = 0
        while True:
            step = min(self._left, len(self._buffer) - position)
            position += step
            self._left -= step
            if self._left or self.eof:
                return position
            if self._is_last:
                self._left, self._has_checksum = 4 * self._has_checksum, False
                self.eof = not self._left
                continue
            if blocks == _MAX_BLOCKS or len(self._buffer) < position + 3:
                return position
            blocks += 1
            self._read_block_head(int.from_bytes(self._buffer[position : position + 3], "little"))
            position += 3

    def _read_head(self) -> int:
        # The size of the frame's head (section 3.1.1.1), 0 if it is not complete.
        buffer = self._buffer
        if len(buffer) <= _MAGIC_SIZE:
            return 0
        if buffer[1:_MAGIC_SIZE] == _SKIPPABLE and buffer[0] >> 4 == 5:
            if len(buffer) < 8:
                return 0
            self._is_skippable = self._is_last = True
            self._left = int.from_bytes(buffer[4:8], "little")
            return 8
        descriptor = buffer[_MAGIC_SIZE]
        is_single_segment = bool(descriptor & 0x20)
        size = _MAGIC_SIZE + 1 + (not is_single_segment) + _DICTIONARY_ID_SIZES[descriptor & 3]
        size += _CONTENT_SIZE_SIZES[descriptor >> 6] or is_single_segment
        self._has_checksum = bool(descriptor & 4)
        return size if len(buffer) >= size else 0

    def _read_block_head(self, head: int) -> None:
        self._is_last = bool(head & 1)
        is_repeated = head >> 1 & 3 == 1  # one byte, many times
        self._left = 1 if is_repeated else head >> 3
