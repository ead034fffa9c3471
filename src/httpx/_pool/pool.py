"""The pool's books: which connections are open, which are idle, and who waits.

It never touches a connection's network. `check_out` and `check_in` return what is to be done, and the caller does it:
open a connection, close some, wake a waiter. Each takes the same small time however many connections are open.

Waiting is first come, first served. One exception keeps a full pool from reconnecting for every request when several
origins compete: a connection that comes back may go to a later waiter for the same origin, but the oldest waiter is
passed over at most `MAX_OVERTAKEN` times.
"""

from __future__ import annotations

import collections
import threading
import typing

from .._config import Limits
from .._network.base import Waiter

MAX_OVERTAKEN = 16


class PooledConnection(typing.Protocol):
    """What the pool needs to know of a connection."""

    key: typing.Hashable
    idle_since: float


C = typing.TypeVar("C", bound=PooledConnection)


class Request(typing.Generic[C]):
    """A request that waits its turn. When woken, `connection` is what it was given; None is leave to open a new one."""

    __slots__ = ("connection", "key", "overtaken", "served", "waiter")

    def __init__(self, key: typing.Hashable, waiter: Waiter) -> None:
        self.key = key
        self.waiter = waiter
        self.connection: C | None = None
        self.served = False
        self.overtaken = 0


class Pool(typing.Generic[C]):
    """The connections of one client. Thread-safe."""

    def __init__(self, limits: Limits) -> None:
        self._max_connections = float("inf") if limits.max_connections is None else limits.max_connections
        self._max_idle = float("inf") if limits.max_keepalive_connections is None else limits.max_keepalive_connections
        self._expiry = float("inf") if limits.keepalive_expiry is None else limits.keepalive_expiry
        self._lock = threading.Lock()
        self._slots = 0  # connections that are open or being opened
        self._idle: dict[typing.Hashable, list[C]] = {}  # by key, the one used last at the end
        self._idle_order: collections.OrderedDict[C, None] = collections.OrderedDict()  # the longest idle first
        self._busy: set[C] = set()
        self._waiting: collections.OrderedDict[Request[C], None] = collections.OrderedDict()
        self._waiting_by_key: dict[typing.Hashable, collections.OrderedDict[Request[C], None]] = {}
        self.is_closed = False

    def check_out(self, key: typing.Hashable, now: float) -> tuple[C | None, bool, list[C]]:
        """Ask for a connection.

        Returns `(connection, may_open, to_close)`: an idle connection if there is one, else whether there is room to
        open one (its slot is taken), else the caller must `wait`. Those in `to_close` are no longer in the pool.
        """
        with self._lock:
            to_close = self._take_expired(now) if self._idle_order else []
            idle = self._idle.get(key)
            if idle:
                connection = idle.pop()
                if not idle:
                    del self._idle[key]
                del self._idle_order[connection]
                self._busy.add(connection)
                return connection, False, to_close
            if self._slots >= self._max_connections and self._idle_order:
                to_close.append(self._take_longest_idle())
            if self._slots < self._max_connections:
                self._slots += 1
                return None, True, to_close
            return None, False, to_close

    def wait(self, key: typing.Hashable, waiter: Waiter) -> Request[C]:
        """Queue up; the waiter is woken at once if a place became free in the meantime."""
        request: Request[C] = Request(key, waiter)
        with self._lock:
            if self._slots < self._max_connections:
                self._slots += 1
                self._serve(request, None)
            else:
                self._waiting[request] = None
                self._waiting_by_key.setdefault(key, collections.OrderedDict())[request] = None
        return request

    def give_up(self, request: Request[C], now: float) -> list[C]:
        """The request no longer waits; what it was given at the same moment goes on. Returns the connections to close."""
        with self._lock:
            if not request.served:
                self._forget(request)
                return []
        if request.connection is not None:
            return self.check_in(request.connection, now)
        self.release_slot()
        return []

    def opened(self, connection: C) -> None:
        """A slot that was granted now holds this connection, in use."""
        with self._lock:
            self._busy.add(connection)

    def release_slot(self) -> None:
        """A slot that was granted is not used after all."""
        with self._lock:
            self._free_slot()

    def discard(self, connection: C) -> None:
        """A connection is gone. The caller closes it."""
        with self._lock:
            if connection in self._busy:
                self._busy.discard(connection)
                self._free_slot()

    def check_in(self, connection: C, now: float) -> list[C]:
        """A connection is free again and fit for reuse. Returns the connections to close."""
        with self._lock:
            if connection not in self._busy:
                return [connection]
            if self.is_closed:
                self._busy.discard(connection)
                self._slots -= 1
                return [connection]
            if self._waiting:
                request = self._next_for(connection.key)
                if request is not None:
                    self._serve(request, connection)
                    return []
                self._busy.discard(connection)
                self._free_slot()
                return [connection]
            self._busy.discard(connection)
            connection.idle_since = now
            self._idle.setdefault(connection.key, []).append(connection)
            self._idle_order[connection] = None
            return [self._take_longest_idle()] if len(self._idle_order) > self._max_idle else []

    def close(self) -> list[C]:
        """No connection is kept from here on. Returns all that are open, to be closed."""
        with self._lock:
            self.is_closed = True
            every = [*self._idle_order, *self._busy]
            self._slots -= len(every)
            self._idle.clear()
            self._idle_order.clear()
            self._busy.clear()
            for request in list(self._waiting):
                self._forget(request)
                self._slots += 1
                self._serve(request, None)
            return every

    def counts(self) -> dict[str, int]:
        """How many connections are open, idle and in use, and how many requests wait."""
        with self._lock:
            return {"open": self._slots, "idle": len(self._idle_order), "busy": len(self._busy), "waiting": len(self._waiting)}

    # Called with the lock held.

    def _take_expired(self, now: float) -> list[C]:
        expired = []
        while self._idle_order:
            oldest = next(iter(self._idle_order))
            if now - oldest.idle_since <= self._expiry:
                break
            expired.append(self._take_longest_idle())
        return expired

    def _take_longest_idle(self) -> C:
        connection, _ = self._idle_order.popitem(last=False)
        idle = self._idle[connection.key]
        idle.remove(connection)  # among the first: lists are in order of use
        if not idle:
            del self._idle[connection.key]
        self._slots -= 1
        return connection

    def _next_for(self, key: typing.Hashable) -> Request[C] | None:
        oldest = next(iter(self._waiting))
        if oldest.key == key:
            return oldest
        same = self._waiting_by_key.get(key)
        if not same or oldest.overtaken >= MAX_OVERTAKEN:
            return None
        oldest.overtaken += 1
        return next(iter(same))

    def _free_slot(self) -> None:
        if self._waiting:
            self._serve(next(iter(self._waiting)), None)
        else:
            self._slots -= 1

    def _serve(self, request: Request[C], connection: C | None) -> None:
        self._forget(request)
        request.connection = connection
        request.served = True
        request.waiter.wake()

    def _forget(self, request: Request[C]) -> None:
        if self._waiting.pop(request, False) is False:
            return
        same = self._waiting_by_key[request.key]
        del same[request]
        if not same:
            del self._waiting_by_key[request.key]
