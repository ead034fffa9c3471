"""The content coding br (RFC 7932), by the package `brotli` or, for PyPy, `brotlicffi`, from version 1.2 on.

Older versions cannot be told to stop: a few bytes may make them fill the memory. With one of those, br is not offered.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator

from .._exceptions import DecodingError

_OUTPUT = 524_288  # asked for at once: the package fills what it has allocated, up to twice that


@functools.cache
def _load() -> typing.Any:
    from importlib import import_module

    for name in ("brotli", "brotlicffi"):
        try:
            package: typing.Any = import_module(name)
        except ImportError:
            continue
        if hasattr(package.Decompressor, "can_accept_more_data"):
            return package
    return None


def has_brotli() -> bool:
    """Whether br can be undone."""
    return _load() is not None


class BrotliDecoder:
    """Undoes br."""

    def __init__(self) -> None:
        package = _load()
        self._engine: typing.Any = package.Decompressor()
        self._error: type[Exception] = package.error
        self._has_begun = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._has_begun = self._has_begun or bool(data)
        while True:
            try:
                if data and self._engine.is_finished():
                    raise DecodingError("The body goes on behind the end of its br data.")
                piece = self._engine.process(data, output_buffer_limit=_OUTPUT)
            except self._error as error:
                raise DecodingError(f"The body is not valid br: {error}") from error
            data = b""
            if piece:
                yield piece
            elif self._engine.can_accept_more_data():
                return  # it takes input before all that it knows already has come out
            if self._engine.is_finished():
                return

    def flush(self) -> bytes:
        if self._has_begun and not self._engine.is_finished():
            raise DecodingError("The body ends in the middle of its br data.")
        return b""
