"""What one exchange spent its time on."""

from __future__ import annotations

import typing

from .marks import Marks


class Timings(typing.NamedTuple):
    """How long each phase of an exchange took, in seconds, in the order of the phases; None for what did not happen.

    On a connection that was used before, or that another request opened, there is no `name`, `connect`, `proxy` and `tls`.
    """

    pool: float
    """Waiting for a connection, or for a place to open one."""
    name: float | None
    """Looking up the address of the host, or of its proxy."""
    connect: float | None
    """Connecting, by TCP or to a unix domain socket."""
    proxy: float | None
    """Having the proxy connect to the server; TLS with the proxy included."""
    tls: float | None
    """The TLS handshake with the server."""
    send: float
    """Sending the request."""
    wait: float
    """From its end until the head of the response was there."""
    body: float | None
    """From the head until the response was closed, by reading it to its end or otherwise; None before that."""
    total: float
    """All of it, as far as it went."""

    def __str__(self) -> str:
        return ", ".join(f"{name} {seconds * 1000:.2f} ms" for name, seconds in self._asdict().items() if seconds is not None)


def timings_of(marks: Marks, elapsed: float | None) -> Timings:
    """The timings of an exchange, which took `elapsed` seconds until its response was closed."""
    began, sent, answered, setup = marks
    until_head = answered - began
    body = None if elapsed is None else max(elapsed - until_head, 0.0)
    total = until_head + (body or 0.0)
    if setup is None:
        return Timings(0.0, None, None, None, None, sent - began, answered - sent, body, total)
    steps = (setup.name, setup.connect, setup.proxy, setup.tls)
    pool = max(setup.ready_at - began - sum(step for step in steps if step is not None), 0.0)
    return Timings(pool, *steps, max(sent - setup.ready_at, 0.0), answered - sent, body, total)
