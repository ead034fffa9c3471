"""The pool's books: which connections are open, which are idle, and who waits.

It never touches a connection's network. What it returns says what is to be done, and the caller does it: open a
connection, close some. Each operation takes the same small time however many connections are open and requests wait.

Each origin has a queue of its own: first come, first served. A slot that becomes free goes to the origins in turn, so that
a long queue for one does not hold up the others. One exception keeps a full pool from reconnecting for every request when
several origins compete: a connection that comes back may serve the next request of its own origin, but another origin
whose turn it is is passed over at most `MAX_OVERTAKEN` times, or more often where it has as many connections already. A
connection that carries many exchanges at a time may never come back: it takes no further ones then, and makes room after
those that it has.

Where a connection may turn out to carry many exchanges at a time (HTTP/2), one is opened at first, and the other requests
wait to see what it is, and then how much its peer takes.

A signal may raise an exception in the main thread at any time, which is: when Python calls a function, or one written in C
returns. So what must change together is changed without a call in between, and who is given something in the same moment
gives it back.
"""

from __future__ import annotations

import collections
import threading
import typing

from .._config import Limits
from .._network.base import Waiter, wake

MAX_OVERTAKEN = 16
MAX_OVERTAKEN_AT_PAR = 256  # by an origin that has no more connections than the one whose turn it is
_NO_LIMIT = float("inf")


class PoolStats(typing.NamedTuple):
    """What a client has open at one moment."""

    open: int
    """Connections that are open or being opened."""
    idle: int
    """Those of them that are kept for the next request."""
    in_use: int
    """Those that a request or a response is on."""
    waiting: int
    """Requests that wait for a connection."""


class PooledConnection(typing.Protocol):
    """What the pool needs to know of a connection, and what it notes on it."""

    key: typing.Hashable
    idle_since: float
    opened_at: float
    origin: typing.Any

    @property
    def multiplexes(self) -> bool:
        """Whether it may carry more than one exchange at a time."""
        ...

    @property
    def capacity(self) -> int:
        """How many exchanges it carries at a time, at present; 0 if it takes no further ones."""
        ...

    @property
    def is_settled(self) -> bool:
        """Whether it is known how many. `Pool.resized` says so when it is."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether it has not ended. `Pool.resized` says so when it has."""
        ...


C = typing.TypeVar("C", bound=PooledConnection)


class Place(typing.Generic[C]):
    """A place in the queue of an origin. When woken, `connection` is what it was given; None is leave to open a new one."""

    __slots__ = ("closings", "connection", "origin", "served", "waiter")

    def __init__(self, origin: Origin[C], waiter: Waiter, closings: int) -> None:
        self.closings = closings
        self.origin = origin
        self.waiter = waiter
        self.connection: C | None = None
        self.served = False


class Origin(typing.Generic[C]):
    """The connections with one key, and who waits for one."""

    __slots__ = ("dials_alone", "idle", "is_dialing", "is_retired", "key", "overtaken", "settling", "shared", "slots", "waiting")

    def __init__(self, key: typing.Hashable) -> None:
        self.key = key
        self.slots = 0  # connections that are open or being opened
        self.idle: list[C] = []  # the one used last at the end
        self.shared: dict[C, None] = {}  # in use, with room for more
        self.waiting: collections.OrderedDict[Place[C], None] = collections.OrderedDict()
        self.dials_alone = False  # one connection is opened at a time, since it may serve all
        self.is_dialing = False
        self.settling: C | None = None  # opened alone, and its peer has not said yet how much it takes
        self.is_retired = False  # its connections serve whom they serve, and nobody after that
        self.overtaken = 0

    @property
    def waits_to_see(self) -> bool:
        """Whether nobody else opens a connection, since the one that is begun may do for all."""
        return self.dials_alone and (self.is_dialing or self.settling is not None)


class Pool(typing.Generic[C]):
    """The connections of one client. Thread-safe."""

    def __init__(self, limits: Limits) -> None:
        self._max_connections = _NO_LIMIT if limits.max_connections is None else limits.max_connections
        self._max_per_origin = _NO_LIMIT if limits.max_connections_per_host is None else limits.max_connections_per_host
        self._max_idle = _NO_LIMIT if limits.max_keepalive_connections is None else limits.max_keepalive_connections
        self._expiry = _NO_LIMIT if limits.keepalive_expiry is None else limits.keepalive_expiry
        self._max_age = limits.max_connection_age
        self.closings = 0
        """How often the pool has been closed: who finds another number than before has lost its connection, or its place."""
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._slots = 0
        self._waiting = 0
        self._origins: dict[typing.Hashable, Origin[C]] = {}
        self._idle_order: collections.OrderedDict[C, None] = collections.OrderedDict()  # the longest idle first
        self._expires_at = _NO_LIMIT  # no idle connection expires before
        self._busy: dict[C, int] = {}  # with the number of exchanges on each
        self._turns: collections.OrderedDict[Origin[C], None] = collections.OrderedDict()  # origins that lack nothing but a slot
        self._leaving: set[C] = set()  # in use, to make room for those when they are through

    def take_idle(self, key: typing.Hashable, now: float) -> C | None:
        """The usual cases of `check_out`, made short: there is a connection, idle or with room for one more, and nothing else is due."""
        connection: C | None = None
        try:
            with self._lock:
                origin = self._origins.get(key)
                if origin is None or now >= self._expires_at or self._max_age is not None or self._turns:
                    return None
                if origin.idle:
                    connection = origin.idle[-1]
                    del origin.idle[-1]
                    del self._idle_order[connection]
                    self._busy[connection] = 1
                    if connection.multiplexes and connection.capacity > 1:
                        origin.shared[connection] = None
                    return connection
                for connection in origin.shared:
                    load = self._busy[connection] = self._busy[connection] + 1
                    if load >= connection.capacity:
                        del origin.shared[connection]
                    return connection
                return None
        except BaseException:
            if connection is not None:
                self.check_in(connection, now)
            raise

    def check_out(self, key: typing.Hashable, now: float, alone: bool = False) -> tuple[C | None, bool, list[C]]:
        """Ask for a connection; `alone` if the one that is opened may carry many exchanges at a time.

        Returns `(connection, may_open, to_close)`: a connection if there is one, else whether there is room to open one
        (its slot is taken), else the caller must `wait`. Those in `to_close` are no longer in the pool.
        """
        connection: C | None = None
        is_granted = False
        closings = self.closings
        try:
            with self._lock:
                to_close = self._take_expired(now) if now >= self._expires_at else []
                origin = self._origins.get(key)
                if origin is None:
                    origin = self._origins[key] = Origin(key)
                origin.dials_alone = alone
                connection = self._take(origin, now, to_close)
                if connection is not None:
                    return connection, False, to_close
                if origin.slots >= self._max_per_origin or origin.waits_to_see:
                    return None, False, to_close
                if self._slots >= self._max_connections and self._idle_order:
                    to_close.append(self._take_longest_idle())
                if self._slots < self._max_connections:
                    self._slots += 1
                    origin.slots += 1
                    origin.is_dialing = origin.dials_alone
                    is_granted = True
                return None, is_granted, to_close
        except BaseException:
            if connection is not None:
                self.check_in(connection, now)
            elif is_granted:
                self.release_slot(key, closings)
            raise

    def wait(self, key: typing.Hashable, waiter: Waiter, now: float, alone: bool = False) -> tuple[Place[C], list[C]]:
        """Queue up; the waiter is woken at once if something became free in the meantime. Also returns what to close."""
        to_close: list[C] = []
        place: Place[C] | None = None
        try:
            with self._lock:
                origin = self._origins.get(key)
                if origin is None:
                    origin = self._origins[key] = Origin(key)
                origin.dials_alone = alone
                place = Place(origin, waiter, self.closings)
                origin.waiting[place] = None
                self._waiting += 1
                if (connection := self._take(origin, now, to_close)) is not None:
                    self._serve(place, connection)
                    return place, to_close
                if self._slots >= self._max_connections and self._idle_order and self._lacks_only_a_slot(origin):
                    to_close.append(self._take_longest_idle())
                self._settle(origin)
            return place, to_close
        except BaseException:
            if place is not None:
                self.give_up(place, now)
            raise

    def give_up(self, place: Place[C], now: float) -> tuple[bool, list[C]]:
        """Nobody waits in this place any more; what it was given at the same moment goes on to others.

        Returns whether it may open a connection all the same, since it waited for nothing but another one's (its slot is
        taken), and the connections to close.
        """
        origin = place.origin
        with self._lock:
            if not place.served:
                self._forget(place)
                self._settle(origin)
                if origin.waits_to_see and self._slots < self._max_connections and origin.slots < self._max_per_origin:
                    self._grant(origin)
                    return True, []
                return False, []
        if place.connection is not None:
            return False, self.check_in(place.connection, now)
        self.release_slot(origin.key, place.closings)
        return False, []

    def opened(self, connection: C, now: float, closings: int) -> bool:
        """A slot that was granted now holds this connection, in use. False if the pool was closed in the meantime."""
        with self._lock:
            if closings != self.closings:
                return False
            origin = self._origins[connection.key]
            origin.is_dialing = False
            if not connection.multiplexes:
                origin.dials_alone = False
            connection.opened_at = now
            connection.origin = origin  # from here on the slot is the connection's
            self._busy[connection] = 1
            if connection.multiplexes:
                if origin.settling is None and not connection.is_settled:
                    origin.settling = connection
                self._share(connection)
            if origin.waiting:
                self._settle(origin)
        return True

    def release_slot(self, key: typing.Hashable, closings: int) -> None:
        """A slot that was granted is not used after all."""
        with self._lock:
            if closings != self.closings:
                return
            origin = self._origins[key]
            # Those who waited for this connection do not wait for one after the other to fail in the same way.
            origin.is_dialing = origin.dials_alone = False
            self._free_slot(origin)

    def discard(self, connection: C) -> bool:
        """A connection is gone. The caller closes it. False if it was not in use."""
        with self._lock:
            if connection not in self._busy:
                return False
            self._take_out(connection)
            return True

    def replace(self, connection: C) -> bool:
        """A connection is gone, and who had it for itself keeps its slot, to open another one. False if it was not in use."""
        is_granted = False
        closings = self.closings
        try:
            with self._lock:
                if connection in self._busy:
                    del self._busy[connection]
                    is_granted = True
            return is_granted
        except BaseException:
            if is_granted:
                self.release_slot(connection.key, closings)
            raise

    def check_in(self, connection: C, now: float) -> list[C]:
        """An exchange is over, and its connection is fit for another. Returns the connections to close."""
        with self._lock:
            load = self._busy.get(connection)
            if load is None:
                return [connection]
            origin: Origin[C] = connection.origin
            if connection.multiplexes:
                self._busy[connection] = load - 1
                if load > 1 and not origin.waiting and connection in origin.shared and self._max_age is None:
                    return []
                if not origin.is_retired and (self._max_age is None or now - connection.opened_at < self._max_age):
                    self._share(connection)
                if self._busy[connection] or origin.is_retired or connection not in origin.shared:
                    return self._retire(connection) if not self._busy[connection] else []
                del origin.shared[connection]
            elif origin.is_retired or (self._max_age is not None and now - connection.opened_at >= self._max_age):
                return self._retire(connection)
            elif self._waiting and (origin.waiting or self._turns):
                if origin.waiting and self._may_overtake(origin):
                    self._serve(next(iter(origin.waiting)), connection)
                    return []
                return self._retire(connection)
            connection.idle_since = now
            if not self._idle_order:
                self._expires_at = now + self._expiry
            del self._busy[connection]
            origin.idle += (connection,)
            self._idle_order[connection] = None
            if len(self._idle_order) > self._max_idle or self._turns:
                return [self._take_longest_idle()]
            return []

    def resized(self, connection: C) -> None:
        """The capacity of a connection has changed, or is known now."""
        with self._lock:
            origin: Origin[C] | None = connection.origin
            if connection in self._busy:
                self._share(connection)
            elif connection in self._idle_order and origin is not None and not connection.is_open:
                del self._idle_order[connection]  # it was found out while nobody used it
                origin.idle.remove(connection)
                self._free_slot(origin)
            if origin is not None and origin.settling is connection:
                origin.settling = None
                if not connection.capacity:
                    origin.dials_alone = False  # as when none comes of it, see `release_slot`
                if self._origins.get(origin.key) is origin:
                    self._settle(origin)

    def close(self) -> list[C]:
        """Let go of everything: nobody waits any more. Returns the connections that are open, to be closed."""
        with self._lock:
            self.closings += 1
            every = [*self._idle_order, *self._busy]
            for origin in self._origins.values():
                for place in list(origin.waiting):
                    self._serve(place, None)
            lock = self._lock
            self._start()
            self._lock = lock
            return every

    def take_all(self, matches: typing.Callable[[C], bool]) -> list[C]:
        """Remove the connections that match, in use or not. Returns them, to be closed."""
        with self._lock:
            every = [connection for connection in (*self._idle_order, *self._busy) if matches(connection)]
            for connection in every:
                origin: Origin[C] = connection.origin
                if self._busy.pop(connection, None) is None:
                    del self._idle_order[connection]
                    origin.idle.remove(connection)
                origin.shared.pop(connection, None)
                self._leaving.discard(connection)
                self._free_slot(origin)
            return every

    def retire(self, matches: typing.Callable[[typing.Any], bool]) -> list[C]:
        """No connection whose key matches serves another request. Returns those that are idle, to be closed; others follow in time."""
        with self._lock:
            idle: list[C] = []
            for origin in [origin for origin in self._origins.values() if matches(origin.key)]:
                origin.is_retired = True
                origin.shared.clear()
                while origin.idle:
                    connection = origin.idle.pop()
                    del self._idle_order[connection]
                    idle.append(connection)
                    self._free_slot(origin)
            return idle

    def forget(self) -> list[C]:
        """Start anew with nothing, without asking for the lock: another thread, which is no more, may hold it."""
        every = [*self._idle_order, *self._busy]
        self.closings += 1
        self._start()
        return every

    def stats(self) -> PoolStats:
        """What is open at this moment."""
        with self._lock:
            return PoolStats(self._slots, len(self._idle_order), len(self._busy), self._waiting)

    # Called with the lock held.

    def _take(self, origin: Origin[C], now: float, to_close: list[C]) -> C | None:
        # A connection that is idle, or in use with room for one more exchange.
        while origin.idle:
            connection = origin.idle[-1]
            del origin.idle[-1]
            del self._idle_order[connection]
            if self._max_age is not None and now - connection.opened_at >= self._max_age:
                self._slots -= 1
                origin.slots -= 1
                to_close.append(connection)
                continue
            self._busy[connection] = 1
            if connection.multiplexes:
                self._share(connection)
            return connection
        for connection in origin.shared:
            self._busy[connection] += 1
            is_old = self._max_age is not None and now - connection.opened_at >= self._max_age
            if is_old or (self._turns and self._makes_room(connection)):
                del origin.shared[connection]  # the last one that it takes
            else:
                self._share(connection)
            return connection
        return None

    def _share(self, connection: C) -> None:
        # Fill the room that a connection has with those who wait for one; what is left is there for others.
        origin: Origin[C] = connection.origin
        load, capacity = self._busy[connection], connection.capacity
        is_leaving = connection in self._leaving
        while load < capacity and origin.waiting and not is_leaving:
            is_leaving = bool(self._turns) and self._makes_room(connection)
            load += 1
            self._serve(next(iter(origin.waiting)), connection)
        self._busy[connection] = load
        if load < capacity and not is_leaving:
            origin.shared[connection] = None
        else:
            origin.shared.pop(connection, None)

    def _take_expired(self, now: float) -> list[C]:
        expired = []
        while self._idle_order:
            oldest = next(iter(self._idle_order))
            if now - oldest.idle_since <= self._expiry:
                self._expires_at = oldest.idle_since + self._expiry
                break
            expired.append(self._take_longest_idle())
        else:
            self._expires_at = _NO_LIMIT
        return expired

    def _take_longest_idle(self) -> C:
        connection = next(iter(self._idle_order))
        origin: Origin[C] = connection.origin
        place = origin.idle.index(connection)  # among the first: lists are in order of use
        del origin.idle[place]
        del self._idle_order[connection]
        self._slots -= 1
        origin.slots -= 1
        self._settle(origin)
        return connection

    def _take_out(self, connection: C) -> None:
        # A connection that was in use is none of ours any more; its slot is free.
        origin: Origin[C] = connection.origin
        del self._busy[connection]
        self._slots -= 1
        origin.slots -= 1
        if connection in origin.shared:
            del origin.shared[connection]
        self._leaving.discard(connection)
        self._settle(origin)

    def _retire(self, connection: C) -> list[C]:
        # A connection that is not kept.
        self._take_out(connection)
        return [connection]

    def _may_overtake(self, origin: Origin[C]) -> bool:
        # Whether a connection of `origin` serves it again, although it may be another one's turn.
        if not self._turns:
            return True
        first = next(iter(self._turns))
        if first is origin:
            self._turns.move_to_end(origin)  # this was its turn
            return True
        if first.overtaken >= (MAX_OVERTAKEN if first.slots < origin.slots else MAX_OVERTAKEN_AT_PAR):
            return False
        first.overtaken += 1
        return True

    def _makes_room(self, connection: C) -> bool:
        # Whether a connection in use takes no further exchanges, since others wait for its slot: one for each of them.
        if len(self._leaving) < len(self._turns) and not self._may_overtake(connection.origin):
            self._leaving.add(connection)
        return connection in self._leaving

    def _lacks_only_a_slot(self, origin: Origin[C]) -> bool:
        if not origin.waiting or origin.slots >= self._max_per_origin:
            return False
        return not origin.waits_to_see

    def _grant(self, origin: Origin[C]) -> None:
        self._slots += 1
        origin.slots += 1
        origin.is_dialing = origin.dials_alone

    def _free_slot(self, origin: Origin[C]) -> None:
        self._slots -= 1
        origin.slots -= 1
        self._settle(origin)

    def _settle(self, origin: Origin[C]) -> None:
        # Something has changed for `origin`: let it have its turns, and whoever's turn it is have what slots there are.
        if self._lacks_only_a_slot(origin):
            self._turns.setdefault(origin)
        elif self._turns:
            self._turns.pop(origin, None)
        while self._turns and self._slots < self._max_connections:
            first, _ = self._turns.popitem(last=False)
            first.overtaken = 0
            self._grant(first)
            self._serve(next(iter(first.waiting)), None)
            if self._lacks_only_a_slot(first):
                self._turns[first] = None
        if not (origin.slots or origin.waiting):
            self._origins.pop(origin.key, None)

    def _serve(self, place: Place[C], connection: C | None) -> None:
        place.connection = connection
        place.served = True
        self._forget(place)
        wake(place.waiter)

    def _forget(self, place: Place[C]) -> None:
        origin = place.origin
        if origin.waiting.pop(place, False) is None:
            self._waiting -= 1
            if not origin.waiting:
                self._turns.pop(origin, None)
