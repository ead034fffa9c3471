"""Text that others have chosen, as it may stand in a message: a log line must not be forged by a server, nor filled by it."""

from __future__ import annotations

MAX_SHOWN = 200
"""Characters of such a text that are shown."""


def printable(text: str, limit: int = MAX_SHOWN) -> str:
    """`text`, cut, and without what a terminal would act upon, or a reader could not see."""
    shown = text if len(text) <= limit else f"{text[:limit]}..."
    return shown if shown.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in shown)
