"""Torture, as curl's tests do it: whatever can be interrupted is interrupted, whatever can fail fails, one point after another.

while await cancel_at(runtime, step, client.get(url)):       # cancelled when it suspends for the `step`-th time
    step += 1

with SocketFaults("reset", at=3) as faults:                   # the third call of a socket of this thread fails
    ...
assert not faults.happened                                    # there were fewer calls: this was the last round
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import trio


class CancelledAt:
    """Await a coroutine, and call `cancel` when the coroutine suspends for the `step`-th time."""

    def __init__(self, step: int, coroutine: Coroutine[Any, Any, Any], cancel: Callable[[], object]) -> None:
        self.steps_left = step
        self._coroutine = coroutine
        self._cancel = cancel

    def __await__(self) -> Iterator[Any]:
        inner = self._coroutine.__await__()
        send, value = inner.send, None
        while True:
            try:
                suspended = send(value)
            except StopIteration as end:
                return end.value
            self.steps_left -= 1
            if self.steps_left == 0:
                self._cancel()
            try:
                send, value = inner.send, (yield suspended)
            except BaseException as error:
                send, value = inner.throw, error


async def cancel_at(runtime: Any, step: int, coroutine: Coroutine[Any, Any, Any]) -> bool:
    """Await `coroutine`, cancelled at its `step`-th suspension: whether it had so many."""
    if runtime.name == "trio":
        with trio.CancelScope() as scope:
            counting = CancelledAt(step, coroutine, scope.cancel)
            await counting
        return counting.steps_left <= 0
    task = asyncio.current_task()
    assert task is not None
    counting = CancelledAt(step, coroutine, task.cancel)
    try:
        await counting
    except asyncio.CancelledError:
        task.uncancel()
    return counting.steps_left <= 0


def _tls_error() -> ssl.SSLError:
    error = ssl.SSLError(ssl.SSL_ERROR_SSL, "[SSL: BAD_RECORD_TYPE] bad record type")
    error.library, error.reason = "SSL", "BAD_RECORD_TYPE"
    return error


FAULTS: dict[str, dict[str, Callable[[], BaseException]]] = {
    "reset": {
        "recv": lambda: ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        "send": lambda: ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        "connect": lambda: ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
    },
    "timed out": {kind: lambda: TimeoutError(errno.ETIMEDOUT, "Connection timed out") for kind in ("recv", "send", "connect")},
    "input/output error": {kind: lambda: OSError(errno.EIO, "Input/output error") for kind in ("recv", "send", "connect")},
    "broken pipe": {
        "send": lambda: BrokenPipeError(errno.EPIPE, "Broken pipe"),
        "connect": lambda: OSError(errno.ENETUNREACH, "Network is unreachable"),
    },
    "end": {},
    "short": {},
    "TLS error": {kind: lambda: _tls_error() for kind in ("recv", "send")},
    "no memory": {kind: lambda: MemoryError() for kind in ("recv", "send", "connect")},
    "interrupt": {kind: lambda: KeyboardInterrupt() for kind in ("recv", "send", "connect")},
}
"""What can happen to a call. "end" is an end of file, which stays; "short" a transfer of a single byte, which is no error at all."""

_CALLS = {"recv": "recv", "send": "send", "sendall": "send", "sendmsg": "send", "connect": "connect", "connect_ex": "connect"}


class SocketFaults:
    """While it is entered, the `at`-th call of a TCP socket by this thread fails as `fault` says."""

    def __init__(self, fault: str, at: int) -> None:
        self.happened = False
        self._fault = fault
        self._calls_left = at
        self._ended: list[socket.socket] = []
        self._owner = threading.get_ident()
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> SocketFaults:
        for owner in (socket.socket, ssl.SSLSocket):
            for name, kind in _CALLS.items():
                if owner is socket.socket or name in vars(owner):
                    self._replace(owner, name, kind)
        self._replace(ssl.SSLSocket, "do_handshake", "recv")
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def _replace(self, owner: Any, name: str, kind: str) -> None:
        inherited = name not in vars(owner)
        real = getattr(owner, name)

        def call(sock: Any, *args: Any, **kwargs: Any) -> Any:
            if name == "recv" and sock in self._ended:
                return b""
            if not self._is_due(sock):
                return real(sock, *args, **kwargs)
            return self._fail(sock, real, name, kind, args, kwargs)

        setattr(owner, name, call)
        self._undo.callback(*((delattr, owner, name) if inherited else (setattr, owner, name, real)))

    def _is_due(self, sock: socket.socket) -> bool:
        if threading.get_ident() != self._owner or sock.family != socket.AF_INET or self._calls_left <= 0:
            return False
        self._calls_left -= 1
        self.happened = self._calls_left == 0
        return self.happened

    def _fail(self, sock: Any, real: Any, name: str, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._fault == "short" and name == "recv" and not isinstance(sock, ssl.SSLSocket):  # which gives whole records
            return real(sock, 1)
        if self._fault == "short" and name == "send":
            return real(sock, bytes(args[0][:1]), *args[1:])
        if self._fault == "end" and name == "recv":
            self._ended.append(sock)
            return b""
        if self._fault == "TLS error" and not isinstance(sock, ssl.SSLSocket):
            return real(sock, *args, **kwargs)
        make = FAULTS[self._fault].get(kind)
        if make is None:
            return real(sock, *args, **kwargs)
        error = make()
        if isinstance(error, OSError):  # it is not only said: the connection is gone
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        if name == "connect_ex" and isinstance(error, OSError) and error.errno:
            return error.errno
        raise error
