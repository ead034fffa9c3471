"""Newline-delimited JSON (JSON Lines, NDJSON): one value per line, as the bytes arrive."""

from __future__ import annotations

import typing
from collections.abc import Iterator

from .._exceptions import DecodingError
from . import json_codec

MAX_LINE_SIZE = 16_777_216
"""Bytes of one line that are kept at most unless another bound is given."""


class JSONLinesDecoder:
    """Takes bytes as they arrive.

    Raises `json.JSONDecodeError` for a line that is no JSON, or none that Python can hold, and `DecodingError` for one without end.
    """

    def __init__(self, max_line_size: int) -> None:
        self._max_size = max_line_size
        self._line = bytearray()  # what there is of it

    def feed(self, data: bytes) -> Iterator[typing.Any]:
        """The values of the lines that are complete."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._keep(line)
            yield from self.finish()
        if rest:
            self._keep(rest)

    def finish(self) -> Iterator[typing.Any]:
        """The value of the line that has not ended with a line break. Empty lines have none."""
        line = self._line.strip()
        self._line = bytearray()
        if line:
            try:
                value = json_codec.decode(bytes(line))
            except (ValueError, RecursionError) as error:
                from json import JSONDecodeError

                if isinstance(error, JSONDecodeError):
                    raise
                # Not in Unicode; numbers too long, or values too deep, for this Python.
                raise JSONDecodeError(str(error), "", 0) from error
            yield value

    def _keep(self, part: bytes) -> None:
        self._line += part
        if len(self._line) > self._max_size:
            raise DecodingError(f"A line of JSON has more than {self._max_size} bytes (max_line_size).")
