"""Interruptions at every point where a conversation can be interrupted, one after the other.

`cancelled_at(k, ...)` runs a coroutine on asyncio and cancels it at its k-th suspension, as a real task is cancelled: while
it waits, or in the moment after it was woken. `FaultyNetwork` is a network whose k-th operation fails. `Signals` come in the middle of
anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import dis
import functools
import gc
import os
import sys
import threading
import types
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any

import httpx

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


class Interruption(KeyboardInterrupt):
    """What a signal's handler raises."""


class Signals:
    """While it is entered, `at(k)` makes the k-th point in HTTPX at which Python might run a signal's handler raise `Interruption`.

    These are, in this thread, the beginnings of functions and of another round of a loop, and the returns from functions that are
    written in C. `where` tells which it was, None if there were not so many. Needs Python 3.12.
    """

    _POINTS = ("CALL", "RESUME", "JUMP_BACKWARD", "SEND")

    def __init__(self) -> None:
        self._left = 0
        self._previous: tuple[Any, str] | None = None
        self._thread = threading.get_ident()
        self.where: str | None = None

    @contextlib.contextmanager
    def at(self, point: int) -> Iterator[None]:
        self._left, self._previous, self.where = point, None, None
        try:
            yield
        finally:
            self._left = 0

    def __enter__(self) -> Signals:
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        monitoring.use_tool_id(monitoring.OPTIMIZER_ID, "signals")
        monitoring.register_callback(monitoring.OPTIMIZER_ID, monitoring.events.INSTRUCTION, self._reached)
        for code in _codes_of_httpx():
            monitoring.set_local_events(monitoring.OPTIMIZER_ID, code, monitoring.events.INSTRUCTION)
        return self

    def __exit__(self, *_: object) -> None:
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        for code in _codes_of_httpx():
            monitoring.set_local_events(monitoring.OPTIMIZER_ID, code, 0)
        monitoring.register_callback(monitoring.OPTIMIZER_ID, monitoring.events.INSTRUCTION, None)
        monitoring.free_tool_id(monitoring.OPTIMIZER_ID)

    def _reached(self, code: types.CodeType, offset: int) -> None:
        if self._left <= 0 or threading.get_ident() != self._thread:
            return
        operation = _operations(code)[offset]
        previous, self._previous = self._previous, (code, operation)
        if previous is None or previous[0] is not code or not previous[1].startswith(self._POINTS):
            return
        if operation.startswith("RETURN"):
            return  # which is not in the `try` that the call before it is in
        self._left -= 1
        if self._left == 0:
            self.where = f"{code.co_qualname}, line {list(code.co_positions())[offset // 2][0]}"
            raise Interruption


@functools.cache
def _operations(code: types.CodeType) -> dict[int, str]:
    return {instruction.offset: instruction.opname for instruction in dis.get_instructions(code)}


def _codes_of_httpx() -> set[types.CodeType]:
    folder = os.path.dirname(httpx.__file__)
    found: set[types.CodeType] = set()
    left = [function.__code__ for function in gc.get_objects() if isinstance(function, types.FunctionType)]
    while left:
        code = left.pop()
        if code not in found and code.co_filename.startswith(folder):
            found.add(code)
            left += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return found
