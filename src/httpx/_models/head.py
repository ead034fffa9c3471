"""The head of a response, as a protocol gives it."""

from __future__ import annotations

import typing


class Head(typing.Protocol):
    """The head of a response, as it came. `picked` holds the fields that the client itself goes by, `parse` gives all of them."""

    @property
    def http_version(self) -> bytes:
        """`HTTP/1.1`, `HTTP/1.0` or `HTTP/2`."""
        ...

    @property
    def status_code(self) -> int:
        """The status."""
        ...

    @property
    def reason_phrase(self) -> bytes:
        """What the server calls the status; nothing on HTTP/2."""
        ...

    @property
    def picked(self) -> dict[bytes, bytes]:
        """See `httpx._models.headers.PICKED`."""
        ...

    def parse(self) -> list[tuple[bytes, bytes]]:
        """All fields in order: a list that is not to be changed."""
        ...
