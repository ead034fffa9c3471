"""What an application in this process may answer: no more than a server could put on the wire for it."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable

from .._printable import printable

_BREAKS_OUT = re.compile(rb"[\r\n\0]")


def check_fields(fields: Iterable[tuple[bytes, bytes]]) -> None:
    """Raise `ValueError` for a header field that would break out of its line."""
    for name, value in fields:
        if not name or _BREAKS_OUT.search(name):
            raise ValueError(f"The application sent the header name {shown(name)}, which is none.")
        if _BREAKS_OUT.search(value):
            # The value itself may be a secret.
            raise ValueError(f"The application sent a value of the header {shown(name)} that holds a line break or a NUL.")


def check_piece(piece: typing.Any) -> bytes:
    """A piece of a body as bytes. Raises `TypeError` for what is none: `bytes()` would make zeros of a number."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, bytearray | memoryview):
        return bytes(piece)
    raise TypeError(f"The application sent {shown(piece)} as a piece of its body, which must be bytes.")


def shown(value: object) -> str:
    """What an application sent, as it may stand in a message."""
    return printable(repr(value), 60)
