"""No more requests to an origin than it wants: when the next one may go, and the calls of a client that waits for it."""

from __future__ import annotations

import threading
import time
import typing
from collections.abc import Awaitable

from .._config import Countdown
from .._exceptions import PoolTimeout
from .._models.request import Request
from .._models.response import Response
from .._network.base import drive
from .client import AsyncCalls, SyncCalls

_MAX_ORIGINS = 4_096


class RateLimit:
    """At most `requests` per `per` seconds to each origin (scheme, host and port): `Client(rate_limit=httpx.RateLimit(10))`.

    Requests beyond that wait, in the order in which they came. After a pause up to `burst` of them (by default `requests`) go at
    once; the others follow evenly. Redirects and retries count. Waiting ends at the deadline of `Timeout(total=...)`, with
    `PoolTimeout`; no other time-out applies to it. Who gives up waiting leaves the place to the next that comes.

    Thread-safe; clients that are given the same object share its limit.
    """

    def __init__(self, requests: float, per: float = 1.0, *, burst: int | None = None) -> None:
        if requests <= 0 or per <= 0:
            raise ValueError(f"RateLimit({requests:g}, per={per:g}) would let nothing through: both must be positive.")
        if burst is not None and burst < 1:
            raise ValueError(f"burst= is how many requests may go at once, and so is 1 at least, not {burst}.")
        self.requests = requests
        self.per = per
        self.burst: int = max(int(requests), 1) if burst is None else burst
        self._lock = threading.Lock()
        self._next: dict[object, float] = {}  # when the bucket of an origin will be full again, on the monotonic clock
        self._given_back: dict[object, list[float]] = {}  # places that nobody waits for any more

    def __repr__(self) -> str:
        return f"RateLimit({self.requests:g}, per={self.per:g}, burst={self.burst})"

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return _restore, (self.requests, self.per, self.burst)

    def reserve(self, origin: object, now: float, deadline: float | None = None) -> float | None:
        """Take the next place for `origin`: seconds until it may be used. None, and none is taken, if that is after `deadline`."""
        # The generic cell rate algorithm: one number per origin.
        interval = self.per / self.requests
        with self._lock:
            if origin in self._given_back and (place := self._take_given_back(origin, now, deadline)) is not None:
                return place - now
            full = max(self._next.get(origin, now), now)
            wait = max(full - now - interval * (self.burst - 1), 0.0)
            if deadline is not None and now + wait > deadline:
                return None
            self._next[origin] = full + interval
            if len(self._next) > _MAX_ORIGINS:
                self._next = {known: full for known, full in self._next.items() if full > now}
        return wait

    def give_back(self, origin: object, place: float) -> None:
        """Leave a place that was reserved, by the time at which it may be used, to the next request that comes."""
        with self._lock:
            if len(self._given_back) > _MAX_ORIGINS:
                self._given_back.clear()
            self._given_back.setdefault(origin, []).append(place)

    def _take_given_back(self, origin: object, now: float, deadline: float | None) -> float | None:
        # One whose time is past is lost: using it now would be too soon after, or before, those around it.
        ahead = sorted(place for place in self._given_back.pop(origin) if place >= now)
        taken = ahead.pop(0) if ahead and (deadline is None or ahead[0] <= deadline) else None
        if ahead:
            self._given_back[origin] = ahead
        return taken


def _restore(requests: float, per: float, burst: int) -> RateLimit:
    return RateLimit(requests, per, burst=burst)


async def _admit(limit: RateLimit, calls: SyncCalls | AsyncCalls, request: Request) -> None:
    timeout = request.extensions.get("timeout")
    deadline = timeout.deadline if isinstance(timeout, Countdown) else None
    now = time.monotonic()
    wait = limit.reserve(request.url._origin, now, deadline)
    if wait is None:
        raise PoolTimeout(f"{limit!r} would have kept this request beyond its deadline, Timeout(total=...).")
    if wait > 0:
        try:
            await calls.sleep(wait)
        except BaseException:
            limit.give_back(request.url._origin, now + wait)
            raise


def _checked(limit: RateLimit) -> RateLimit:
    if not isinstance(limit, RateLimit):
        raise TypeError(f"rate_limit= is an httpx.RateLimit, not {type(limit).__name__}.")
    return limit


class LimitedSyncCalls(SyncCalls):
    """The calls of a `Client` with a rate limit. `below` are those that send: who watches them sees a request when it goes."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = _checked(limit)
        self.below: typing.Any = SyncCalls()

    def send_single_request(self, client: typing.Any, request: Request) -> Response:
        drive(_admit(self._limit, self, request))
        response: Response = self.below.send_single_request(client, request)
        return response


class LimitedAsyncCalls(AsyncCalls):
    """The calls of an `AsyncClient` with a rate limit."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = _checked(limit)
        self.below: typing.Any = AsyncCalls()

    def send_single_request(self, client: typing.Any, request: Request) -> Awaitable[Response]:
        return self._admit_and_send(client, request)

    async def _admit_and_send(self, client: typing.Any, request: Request) -> Response:
        await _admit(self._limit, self, request)
        response: Response = await self.below.send_single_request(client, request)
        return response
