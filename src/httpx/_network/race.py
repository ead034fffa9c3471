"""Happy eyeballs (RFC 8305): in which order the addresses of a host are tried, and when the next one is due.

Decides only. Each network starts the attempts, waits for them, and tells what became of them:

    race = Race(addresses, timeout)
    while not race.is_lost:
        while (address := race.next(now)) is not None:
            ...  # start connecting to it
        ...      # wait for one of the attempts to end, for race.patience(now) seconds at most
        ...      # connected: that is the winner, close the others. Failed: race.failed(address, error, now)

What is left out: RFC 8305 asks for IPv6 and IPv4 separately and starts with the answer that comes first, where
`getaddrinfo` gives both at once, in the order of RFC 6724.
"""

from __future__ import annotations

import collections
import typing

STAGGER, MIN_STAGGER = 0.25, 0.01
"""Seconds after which the next address is tried beside one that has not answered (RFC 8305 section 8).

It is less where there is not the time to try them all otherwise.
"""

Address = tuple[int, typing.Any]
"""An address family and the socket address in it."""


class Race:
    """Attempts to reach one host by several addresses, the next one started when the last one fails or hesitates."""

    __slots__ = ("_due", "_left", "_running", "_stagger", "failures")

    def __init__(self, addresses: typing.Sequence[Address], timeout: float | None = None) -> None:
        self._left = collections.deque(interleave(addresses))
        self._running: list[Address] = []
        self._due = float("-inf")
        self._stagger = STAGGER if timeout is None else max(min(STAGGER, timeout / len(addresses)), MIN_STAGGER)
        self.failures: list[tuple[Address, OSError]] = []

    def next(self, now: float) -> Address | None:
        """The address to try now, or None if none is due."""
        if not self._left or now < self._due:
            return None
        self._due = now + self._stagger
        self._running.append(self._left.popleft())
        return self._running[-1]

    def failed(self, address: Address, error: OSError, now: float) -> None:
        """An attempt failed: there is no reason to wait with the next one."""
        self._running.remove(address)
        self.failures.append((address, error))
        self._due = now

    def patience(self, now: float) -> float | None:
        """Seconds to wait for the running attempts until another one is due; None if there is no other one."""
        return max(self._due - now, 0.0) if self._left else None

    @property
    def is_lost(self) -> bool:
        """Whether every address has been tried, and has failed."""
        return not self._left and not self._running

    @property
    def unanswered(self) -> list[Address]:
        """The addresses that have been tried and have neither answered nor failed."""
        return list(self._running)

    @property
    def untried(self) -> list[Address]:
        """The addresses whose turn has not come."""
        return list(self._left)


def interleave(addresses: typing.Sequence[Address]) -> list[Address]:
    """The addresses, with the families in turn: where one family is broken, every second attempt works (section 4)."""
    by_family: dict[int, collections.deque[Address]] = {}
    for address in addresses:
        by_family.setdefault(address[0], collections.deque()).append(address)
    queues = list(by_family.values())
    ordered = []
    while queues:
        ordered += [queue.popleft() for queue in queues]
        queues = [queue for queue in queues if queue]
    return ordered
