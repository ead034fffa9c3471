"""A body on its way from the wire to the caller: decoded, and cut to size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .._exceptions import DecodingError
from .codings import Decoder
from .text import ByteChunker


class Pipeline:
    """Pieces in as they arrive, decoded pieces out, of `chunk_size` bytes each but the last. `blame` is told of errors, which rise."""

    __slots__ = ("_blame", "_chunker", "_decoder", "_make_decoder")

    def __init__(self, make_decoder: Callable[[], Decoder | None], chunk_size: int | None, blame: Callable[[DecodingError], None]) -> None:
        self._make_decoder: Callable[[], Decoder | None] | None = make_decoder
        self._decoder: Decoder | None = None
        self._chunker = ByteChunker(chunk_size)
        self._blame = blame

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """What has become of one more piece."""
        try:
            if self._make_decoder is not None:
                self._decoder = self._make_decoder()
                self._make_decoder = None
            if self._decoder is None:
                yield from self._chunker.decode(raw)
                return
            for piece in self._decoder.decode(raw):
                yield from self._chunker.decode(piece)
        except DecodingError as error:
            self._blame(error)
            raise

    def finish(self) -> Iterator[bytes]:
        """What is left at the end."""
        try:
            if self._decoder is not None:
                yield from self._chunker.decode(self._decoder.flush())
        except DecodingError as error:
            self._blame(error)
            raise
        yield from self._chunker.flush()
