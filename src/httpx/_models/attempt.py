"""`httpx.Attempt`: what came of sending a request once."""

from __future__ import annotations

import typing


class Attempt(typing.NamedTuple):
    """One of several times that a request was sent, see `httpx.Retry`."""

    status_code: int | None
    """The status of the answer, None if there was none."""
    error: Exception | None
    """What was raised instead of an answer."""
    elapsed: float
    """Seconds that it took."""
    pause: float = 0.0
    """Seconds that were waited after it."""

    def __str__(self) -> str:
        return str(self.status_code) if self.error is None else f"{type(self.error).__name__}: {self.error}"
