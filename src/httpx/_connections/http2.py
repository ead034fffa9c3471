"""Many exchanges at a time on one HTTP/2 connection.

There is no task or thread in the background. Of those that wait for an answer, one reads from the network for all (it
leads): it feeds the engine, and wakes those that have news. When it has its own, it hands the lead to another one. In the
same way whoever finds nobody writing writes what all have queued. So the same code serves threads on blocking sockets
and tasks on an event loop; the lock is held only between waits, never over one.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
import typing
from collections.abc import Callable

from .._exceptions import ReadError, ReadTimeout, RemoteProtocolError, TransportError, WriteError, WriteTimeout
from .._network.base import Network, Stream, Waiter, wake
from .._protocols.http2.engine import Field, HTTP2Engine
from .http2_exchange import HTTP2Exchange, HTTP2Head, alike

PROBE_AFTER = 5.0
"""Seconds for which nothing may have come from an idle connection that is used without asking for a sign of life (PING)."""

PROBE_PATIENCE = 2.0
"""Seconds to wait for that sign, if the time-out for connecting leaves so many."""

_REPLY_PATIENCE = 0.5  # seconds that a peer is given at least to take what it is sent in reply to frames of its own
_READS_OF_A_LOOK, _LOOKING = 16, 0.25  # reads and seconds after which an idle connection on which more and more arrives is given up
_NEVER = float("inf")


class HTTP2Connection:
    """An open HTTP/2 connection and the exchanges on it. Thread-safe."""

    __slots__ = (
        "_awaiting_reader",
        "_bound",
        "_engine",
        "_flush_is_due",
        "_followers",
        "_has_company",
        "_has_served",
        "_heard_at",
        "_hearing_out",
        "_leading_until",
        "_limit",
        "_lock",
        "_make_waiter",
        "_network",
        "_on_change",
        "_ping_interval",
        "_pinged_at",
        "_reading",
        "_stop_watching",
        "_unsent",
        "_writing",
        "capacity",
        "failure",
        "idle_since",
        "key",
        "last_head",
        "network_stream",
        "opened_at",
        "origin",
        "stream",
    )

    multiplexes = True

    def __init__(
        self,
        key: typing.Hashable,
        stream: Stream,
        network: Network,
        on_change: Callable[[HTTP2Connection], None],
        ping_interval: float | None = None,
    ) -> None:
        self.key = key
        self.stream = stream.share()
        self.idle_since = self.opened_at = 0.0
        self.origin: typing.Any = None
        self.network_stream: typing.Any = None
        self.last_head: HTTP2Head | None = None
        self.failure: Exception | None = None
        self._engine = HTTP2Engine()
        self.capacity = 1  # exchanges that may be under way at the same time; 0 when no more are taken
        self._limit: int | None = None  # the same as the peer has it, who has not said yet
        self._network = network
        self._make_waiter = network.waiters()
        self._on_change = on_change
        self._lock = threading.Lock()
        self._reading = False
        self._writing = False
        self._unsent = b""  # taken from the engine, and not handed to the network yet
        self._followers: dict[HTTP2Exchange, None] = {}
        self._hearing_out: list[Waiter] = []  # of those who could not send, and give the one that reads the time to find out why
        self._awaiting_reader: list[Waiter] = []  # of those who want to know whether an idle connection lives, which another one finds out
        self._leading_until = _NEVER  # when the one that reads will look up at the latest
        self._bound = _NEVER  # no follower's deadline is earlier
        self._has_served = False
        self._flush_is_due = False
        self._has_company = False  # what arrived last was for several, who may be about to send more
        self._heard_at = time.monotonic()
        self._pinged_at = 0.0
        self._ping_interval = ping_interval
        self._stop_watching: Callable[[], None] | None = None

    # What the floors above call.

    @property
    def is_open(self) -> bool:
        """Whether exchanges that are under way may go on."""
        return self.failure is None

    @property
    def has_died(self) -> bool:
        """Whether the connection has broken, without the peer having broken the protocol."""
        return self.failure is not None and self._engine.failure is None

    @property
    def took_others(self) -> bool:
        """Whether the peer has ended the connection after it had processed some requests (GOAWAY)."""
        return self._engine.took_some

    @property
    def is_settled(self) -> bool:
        """Whether the peer has said how many exchanges it takes at a time (SETTINGS); until then it gets one."""
        return self._limit is not None

    @property
    def is_known(self) -> bool:
        """Whether the peer has shown that it speaks HTTP/2 and has let us in, so that neither explains how the connection ended."""
        return self._engine.has_explained or (self.stream.tls is None and self._engine.max_streams is not None)

    def begin(self) -> HTTP2Exchange:
        """A new exchange."""
        return HTTP2Exchange(self)

    def begin_if_ready(self) -> HTTP2Exchange | None:
        """A new exchange, if others are on the connection, or it was idle for a moment and nothing has arrived; else ask `is_usable`."""
        if not self._engine.streams:
            if time.monotonic() - self._heard_at > PROBE_AFTER:
                return None
            with self._lock:
                if self.failure is not None or self._reading or not self.stream.is_quiet():
                    return None
        return HTTP2Exchange(self) if self.failure is None and self.capacity > 0 else None

    async def is_usable(self, timeout: float | None) -> bool:
        """Whether another exchange may begin. A connection that was idle is looked at, after a while with a PING."""
        if self._engine.streams or self.failure is not None or not self._has_served:
            return self.capacity > 0
        patience = PROBE_PATIENCE if timeout is None else min(timeout, PROBE_PATIENCE)
        if not await self._wait_for_reader(patience):
            await self._look()
            if self.capacity > 0 and time.monotonic() - self._heard_at > PROBE_AFTER:
                await self._probe(patience)
        return self.capacity > 0

    async def _wait_for_reader(self, patience: float) -> bool:
        # Whether another one reads, mostly to find out whether the connection lives, which takes it `patience` seconds at most: it has now.
        with self._lock:
            if not self._reading:
                return False
            waiter = self._make_waiter()
            self._awaiting_reader.append(waiter)
        await self._network.wait(waiter, patience * 2)
        return True

    async def _look(self) -> None:
        # Take in what has arrived already, unless somebody is at it.
        with self._lock:
            if self._reading:
                return
            self._reading = True
        reads, until = 0, time.monotonic() + _LOOKING
        try:
            while self.failure is None and (data := self.stream.receive_nowait()) is not None:
                await self._take_in(data, _REPLY_PATIENCE)
                reads += 1
                if reads > _READS_OF_A_LOOK and time.monotonic() > until:
                    self.fail(RemoteProtocolError(f"{self.stream.peer} sends without end what nobody has asked for."))
        except TransportError as error:
            self._break(error)
        finally:
            self._resign()

    async def _probe(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        if await self._wait_for_reader(patience):
            return
        with self._lock:
            if self._reading:
                return
            self._reading = True
            answered = self._engine.pings_answered
            self._engine.ping()
        try:
            await self.flush(patience, reads=True)
            while self._engine.pings_answered == answered and self.failure is None:
                if (left := deadline - time.monotonic()) <= 0:  # however much of something else arrives
                    raise self._no_sign_of_life(patience)
                await self._read_once(left)
        except (ReadTimeout, WriteError, WriteTimeout):
            self.fail(self._no_sign_of_life(patience))
        finally:
            self._resign()

    def watch(self) -> None:
        """See to it that the server is asked for a sign of life while the connection is idle, where there are tasks (`ping_interval`)."""
        if self._ping_interval is not None:
            self._stop_watching = self._network.spawn(functools.partial(self._watch, self._ping_interval))

    async def _watch(self, interval: float) -> None:
        while self.failure is None:
            wait = self._heard_at + interval - time.monotonic()
            if wait > 0:
                await self._network.sleep(wait)
            elif self._reading or self._engine.streams:
                await self._network.sleep(interval)  # who waits for an answer asks himself
            else:
                await self._look()
                if time.monotonic() - self._heard_at >= interval:
                    await self._probe(interval)

    async def _keep_alive(self, interval: float, now: float) -> float:
        # For the one that reads. Returns when to look again.
        if self._pinged_at <= self._heard_at:
            if now < self._heard_at + interval:
                return self._heard_at + interval
            with self._lock:
                self._engine.ping()
            self._pinged_at = now
            with contextlib.suppress(WriteError, WriteTimeout):  # the connection has failed with it
                await self.flush(interval, reads=True)
        elif now >= self._pinged_at + interval:
            self.fail(self._no_sign_of_life(interval))
        return self._pinged_at + interval

    def _no_sign_of_life(self, patience: float) -> ReadTimeout:
        return ReadTimeout(f"{self.stream.peer} did not answer a PING within {patience:g} seconds.")

    def close(self) -> None:
        """Close the connection; exchanges that are under way fail."""
        if self.failure is None:
            self.post(farewell=True)
        self.fail(ReadError(f"The connection to {self.stream.peer} was closed by this side."))

    # What exchanges call.

    def submit(self, exchange: HTTP2Exchange, fields: list[Field], body: bytes | None, deadline: float | None = None) -> Waiter | None:
        """Queue the head of a request, with its body if that is known.

        With a `deadline`: if others send and read for all, what to await, and to `leave` if that is broken off. Else None: the caller
        flushes, and waits for news.
        """
        with self._lock:
            return self._submit(exchange, fields, body, deadline)

    def _submit(self, exchange: HTTP2Exchange, fields: list[Field], body: bytes | None, deadline: float | None = None) -> Waiter | None:
        if self.failure is not None:
            exchange.is_unprocessed = True
            exchange.failure = alike(self.failure)
            return None
        exchange.was_reused = self._has_served
        self._has_served = True
        self._engine.start(exchange, fields, ended=body == b"")
        if body:
            self._engine.send_data(exchange, body, ended=True)
        if deadline is not None and exchange.is_open and self._flush_is_due and self._reading and deadline >= self._leading_until:
            return self._follow(exchange, deadline)
        return None

    def queue(self, exchange: HTTP2Exchange, data: bytes, ended: bool, told: HTTP2Exchange | None = None) -> None:
        """Queue a piece of the request's body; when it has gone out, `exchange` (or `told`) has news."""
        with self._lock:
            self._engine.send_data(exchange, data, ended, told)

    def queued(self, exchange: HTTP2Exchange) -> int:
        """Bytes of the request's body that wait for the peer's window."""
        with self._lock:
            return self._engine.queued(exchange)

    def takes_websockets(self, exchange: HTTP2Exchange) -> bool | None:
        """Whether the peer takes WebSockets (RFC 8441); None if it has not said yet, and then `exchange` has news when it does."""
        self.tell_when_settled(exchange)
        return self._engine.takes_websockets

    def tell_when_settled(self, exchange: HTTP2Exchange) -> None:
        """`exchange` has news when the peer has sent its settings, if it has not yet."""
        with self._lock:
            if self._limit is None:
                self._engine.awaiting_settings.append(exchange)

    def take(self, exchange: HTTP2Exchange) -> bytes:
        """What has arrived of the response's body."""
        if not exchange.is_open:
            return self._engine.take(exchange)
        with self._lock:
            return self._engine.take(exchange)

    def release(self, exchange: HTTP2Exchange, code: int) -> None:
        """Be done with an exchange: the peer is told if it is not over."""
        with self._lock:
            if exchange.leads or exchange in self._followers:  # closed by another task or thread than the one that reads it
                exchange.failure = ReadError("The response was closed while it was being read.")
                exchange.has_news = True
                self._wake(exchange)
            tell = exchange.is_open
            self._engine.close(exchange, code)
        if tell:
            self.post()

    async def wait_for(self, exchange: HTTP2Exchange, deadline: float) -> bool:
        """Wait until something has happened to `exchange`: False if nothing did by `deadline`."""
        if exchange.leads:
            return await self._lead(exchange, deadline)
        waiter, patience = None, None
        with self._lock:
            if exchange.has_news or self.failure is not None:
                exchange.has_news = False
                return True
            if not self._reading:
                self._reading = exchange.leads = True
            else:
                waiter = self._follow(exchange, deadline)
                # The one that reads looks up in time for most others; who is in more of a hurry sets an alarm.
                if deadline < self._leading_until:
                    patience = max(deadline - time.monotonic(), 0.0)
        if waiter is None:
            return await self._lead(exchange, deadline)
        try:
            if patience is None:
                await waiter
            elif not await self._network.wait(waiter, patience):
                self.leave(exchange)
                return False
        except BaseException:
            self.leave(exchange)
            raise
        if exchange.leads:
            return await self._lead(exchange, deadline)
        # If it is neither, the one that reads has found that its time is over.
        is_told, exchange.has_news = exchange.has_news or self.failure is not None, False
        return is_told

    def _follow(self, exchange: HTTP2Exchange, deadline: float) -> Waiter:
        # With the lock held.
        waiter = exchange.waiter = self._make_waiter()
        exchange.deadline = deadline
        self._followers[exchange] = None
        if deadline < self._bound:
            self._bound = deadline
        return waiter

    def leave(self, exchange: HTTP2Exchange) -> None:
        """A follower goes before its time. If it was just asked to lead, another one must."""
        with self._lock:
            self._followers.pop(exchange, None)
            exchange.waiter = None
        if exchange.leads:
            self._resign(exchange)

    async def _lead(self, exchange: HTTP2Exchange, deadline: float) -> bool:
        try:
            while not exchange.has_news and self.failure is None:
                # Looked at before each read: a flood of frames for others must not move it.
                now = time.monotonic()
                if now >= deadline:
                    return False
                with self._lock:
                    if now >= self._bound:
                        self._wake_late(now)
                    until = self._leading_until = self._bound if self._bound < deadline else deadline
                if self._ping_interval is not None:
                    until = min(until, await self._keep_alive(self._ping_interval, now))
                try:
                    await self._read_once(None if until == _NEVER else until - now)
                except ReadTimeout:
                    continue
        finally:
            self._resign(exchange)
        exchange.has_news = False
        return True

    async def _read_once(self, timeout: float | None) -> None:
        # Called by the one that reads. Raises only `ReadTimeout`: all else ends the connection, and so everybody's waiting.
        try:
            data = await self.stream.receive(timeout)
        except ReadTimeout:
            raise
        except TransportError as error:
            self._break(error)
        else:
            await self._take_in(data, timeout)

    async def _take_in(self, data: bytes, timeout: float | None) -> None:
        if not data:
            self.fail(RemoteProtocolError(self._engine.explain_end()))
            return
        self._heard_at = time.monotonic()
        with self._lock:
            engine = self._engine
            engine.receive(data)
            self._spread()
            if engine.failure is None and (self._flush_is_due or not (engine.has_outgoing or self._unsent)):
                return  # there is nothing to send, or another one is about to
        with contextlib.suppress(WriteError, WriteTimeout):  # the connection has failed with it
            await self.flush(None if timeout is None else max(timeout, _REPLY_PATIENCE), reads=True)

    def _resign(self, leader: HTTP2Exchange | None = None) -> None:
        # Who has read for all hands that on. Nobody else takes it meanwhile, and who was asked looks up as soon as it comes to it.
        with self._lock:
            if leader is not None:
                leader.leads = False
            for waiter in self._awaiting_reader:
                wake(waiter)
            self._awaiting_reader.clear()
            for follower in self._followers:
                follower.leads = True
                self._leading_until = 0.0
                self._wake(follower)
                return
            self._reading = False
            self._leading_until = _NEVER

    def _wake(self, follower: HTTP2Exchange) -> None:
        self._followers.pop(follower, None)
        waiter, follower.waiter = follower.waiter, None
        if waiter is not None:
            wake(waiter)

    def _wake_late(self, now: float) -> None:
        # With the lock held.
        for follower in [follower for follower in self._followers if follower.deadline <= now]:
            self._wake(follower)
        self._bound = min((follower.deadline for follower in self._followers), default=_NEVER)

    def _spread(self) -> None:
        # With the lock held: what the engine has found reaches those whom it concerns.
        engine = self._engine
        news = engine.news
        if news:
            self._has_company = len(news) > 1
            followers = self._followers
            exchange: typing.Any
            for exchange in news:
                waiter = exchange.waiter
                if waiter is not None:
                    exchange.waiter = None
                    followers.pop(exchange, None)
                    wake(waiter)
            news.clear()
        limit = 0 if engine.is_draining else engine.max_streams
        if limit != self._limit and limit is not None:
            self._limit = self.capacity = limit
            self._on_change(self)

    async def flush(self, timeout: float | None, reads: bool = False) -> None:
        """Send what is queued, unless somebody is at it: who writes goes on until there is nothing left. `reads`: by the one that reads."""
        has_sent = False
        while True:
            with self._lock:
                if has_sent:
                    self._writing = False
                    if not self._engine.has_outgoing and not self._unsent:
                        return
                if self._writing:
                    return
                data = self._unsent + self._engine.outgoing()
                self._unsent = b""
                self._spread()
                self._writing = bool(data)
            if not data:
                if self._engine.failure is not None:
                    self.fail(self._engine.failure)
                return
            try:
                await self.stream.send(data, timeout)
            except TransportError as error:
                try:
                    if isinstance(error, WriteError):
                        await self._hear_out(reads)  # nobody writes meanwhile
                finally:
                    self._writing = False
                    self._break(error)
                raise
            except BaseException as error:
                self._writing = False
                if self.stream.keeps_unsent and not isinstance(error, Exception):  # cancelled, where nothing is lost by that
                    self.post()
                else:
                    self.fail(WriteError(f"Sending to {self.stream.peer} was broken off."))
                raise
            has_sent = True

    async def _hear_out(self, reads: bool) -> None:
        # A server that hangs up may have said why, or have answered already; what of it has arrived here is not read yet.
        waiter: Waiter | None = None
        with self._lock:
            if self._reading and not reads and self.failure is None:
                waiter = self._network.waiter()
                self._hearing_out.append(waiter)
        if waiter is not None:
            await self._network.wait(waiter, _REPLY_PATIENCE)
        elif not reads:
            await self._look()
        else:
            try:
                while self.failure is None and (data := self.stream.receive_nowait()) is not None:
                    with self._lock:
                        self._engine.receive(data)
                        self._spread()
                    if not data:
                        self.fail(RemoteProtocolError(self._engine.explain_end()))
            except TransportError as error:
                self._break(error)

    async def flush_together(self, timeout: float | None) -> None:
        """As `flush()`, after those tasks that are ready have queued what they have, too: one write for all of it."""
        if self._has_company or len(self._engine.streams) > 1:
            if self._flush_is_due:
                return
            self._flush_is_due = True
            try:
                await self._network.pause()
            except BaseException:
                self._flush_is_due = False
                self.post()
                raise
            self._flush_is_due = False
        await self.flush(timeout)

    def post(self, farewell: bool = False) -> None:
        """Send what is queued if that takes no waiting; what does not go out now goes with the next `flush()`."""
        try:
            with self._lock:
                if self._writing or self.failure is not None:
                    return
                data = self._unsent + self._engine.outgoing()
                if farewell:
                    data += self._engine.goodbye()
                self._unsent = b""
                self._spread()
                if data and not self.stream.send_now(data):
                    self._unsent = data
        except WriteError as error:
            self._break(error)
        except BaseException:  # a signal, say: there is no telling what of it went out
            self.fail(WriteError(f"Sending to {self.stream.peer} was broken off."))
            raise

    def interrupt(self) -> None:
        """An exception came from nowhere: on blocking sockets a signal, in the middle of anything. Nothing is sure to be right."""
        if not self.stream.keeps_unsent:
            self.fail(ReadError(f"What was under way with {self.stream.peer} was interrupted."))

    def _break(self, error: TransportError) -> None:
        # The network has failed. A server that hung up may have said why before that.
        if isinstance(error, (ReadError, WriteError)) and self._engine.has_explained:
            explained = RemoteProtocolError(self._engine.explain_end())
            explained.__cause__ = error
            error = explained
        self.fail(error)

    def fail(self, error: Exception) -> None:
        """The connection has ended: so have all exchanges that are not complete."""
        with self._lock:
            if self.failure is not None:
                return
            self.failure = error
            exchange: typing.Any
            for exchange in self._engine.abandon_all():
                if not exchange.ended and exchange.failure is None:
                    exchange.cut_by(error)
                exchange.has_news = True
            for follower in list(self._followers):
                self._wake(follower)
            for waiter in self._hearing_out:
                wake(waiter)
            self._hearing_out.clear()
            self._limit = self.capacity = 0
            self._on_change(self)
        if self._stop_watching is not None:
            with contextlib.suppress(RuntimeError):  # its event loop has been closed
                self._stop_watching()
        self.stream.close()


class LoopHTTP2Connection(HTTP2Connection):
    """One that belongs to an event loop. There, all that happens on it happens in one thread, and its requests need no lock."""

    __slots__ = ()

    submit = HTTP2Connection._submit
