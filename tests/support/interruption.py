"""Interruptions at every point where a conversation can be interrupted, one after the other.

`cancelled_at(k, ...)` runs a coroutine on asyncio and cancels it at its k-th suspension, as a real task is cancelled: while
it waits, or in the moment after it was woken. `FaultyNetwork` is a network whose k-th operation fails.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

MOMENTS = ("while it waits", "after it was woken")


@types.coroutine
def _stepped(coroutine: Coroutine[Any, Any, Any], at: int, moment: str) -> Generator[Any, Any, bool]:
    suspensions = 0
    step: Callable[[], Any] = lambda: coroutine.send(None)  # noqa: E731
    while True:
        try:
            awaited = step()
        except StopIteration:
            return False
        suspensions += 1
        is_the_one = suspensions == at
        if is_the_one and moment == MOMENTS[0]:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        try:
            yield awaited
        except BaseException as error:
            step = lambda error=error: coroutine.throw(error)  # noqa: E731
        else:
            step = lambda: coroutine.send(None)  # noqa: E731
            if is_the_one and moment == MOMENTS[1]:
                step = lambda: coroutine.throw(asyncio.CancelledError())  # noqa: E731


async def cancelled_at(k: int, moment: str, make: Callable[[], Coroutine[Any, Any, Any]]) -> bool:
    """Run the coroutine and cancel it at its k-th suspension. False if it came to its end before that."""

    async def run() -> bool:
        return await _stepped(make(), k, moment)

    task = asyncio.create_task(run())
    try:
        return await task
    except asyncio.CancelledError:
        return True


class Fault(Exception):
    """What no network would raise: it must get through, and leave nothing behind."""


class FaultyNetwork:
    """A network whose `at`-th operation (connecting, TLS, sending, receiving, waiting) raises what `error` makes."""

    def __init__(self, network: Any, at: int, error: Callable[[], BaseException] = Fault) -> None:
        self._network = network
        self._left = at
        self._error = error
        self.has_failed = False
        self.is_armed = True

    def count(self) -> None:
        if not self.is_armed:
            return
        self._left -= 1
        if self._left == 0:
            self.has_failed = True
            raise self._error()

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        self.count()
        return FaultyStream(self, await self._network.connect(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)


class FaultyStream:
    """A stream whose operations count."""

    keeps_unsent = False

    def __init__(self, faults: FaultyNetwork, stream: Any) -> None:
        self.__dict__.update(_faults=faults, _stream=stream)

    async def receive(self, timeout: float | None) -> bytes:
        self._faults.count()
        data: bytes = await self._stream.receive(timeout)
        return data

    async def send(self, data: bytes, timeout: float | None) -> None:
        self._faults.count()
        await self._stream.send(data, timeout)

    async def start_tls(self, *args: Any) -> Any:
        self._faults.count()
        return FaultyStream(self._faults, await self._stream.start_tls(*args))

    def share(self) -> Any:
        return FaultyStream(self._faults, self._stream.share())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._stream, name, value)
