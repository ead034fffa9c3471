"""The times that are noted while an exchange goes on. What they add up to is worked out when somebody asks: see `timings`."""

from __future__ import annotations


class Setup:
    """When a request had its connection, and what each step on the way to it took: kept only if there was a way to go."""

    __slots__ = ("connect", "name", "proxy", "ready_at", "tls")

    def __init__(self) -> None:
        self.name: float | None = None
        self.connect: float | None = None
        self.proxy: float | None = None
        self.tls: float | None = None
        self.ready_at = 0.0


Marks = tuple[float, float, float, Setup | None]
"""Times by the monotonic clock: when the exchange began, the request was sent, and the head was there."""
