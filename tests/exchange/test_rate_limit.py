"""`Client(rate_limit=httpx.RateLimit(...))`: how many requests go to an origin, and when."""

from __future__ import annotations

import asyncio
import itertools
import pickle
import time

import pytest

import httpx
from tests.support.servers import keep_alive, respond


def test_a_burst_goes_at_once_and_the_rest_evenly():
    limit = httpx.RateLimit(4, per=2.0)
    assert [limit.reserve("a", 100.0) for _ in range(7)] == [0, 0, 0, 0, 0.5, 1.0, 1.5]
    assert limit.reserve("b", 100.0) == 0
    # What was not used is there again, and never more than the burst.
    assert [limit.reserve("a", 200.0) for _ in range(5)] == [0, 0, 0, 0, 0.5]


def test_without_bursts_requests_are_apart():
    limit = httpx.RateLimit(2, burst=1)
    assert [limit.reserve("a", 50.0) for _ in range(4)] == [0, 0.5, 1.0, 1.5]


def test_a_place_after_the_deadline_is_not_taken():
    limit = httpx.RateLimit(1)
    assert limit.reserve("a", 10.0) == 0
    assert limit.reserve("a", 10.0, deadline=10.5) is None
    assert limit.reserve("a", 10.0) == 1.0


def test_a_place_that_is_given_back_goes_to_the_next_that_comes():
    limit = httpx.RateLimit(1)
    assert [limit.reserve("a", 10.0) for _ in range(4)] == [0, 1.0, 2.0, 3.0]
    limit.give_back("a", 12.0)
    limit.give_back("a", 11.0)
    assert limit.reserve("b", 10.0) == 0
    assert limit.reserve("a", 10.5, deadline=10.9) is None
    assert [limit.reserve("a", 10.5) for _ in range(3)] == [0.5, 1.5, 3.5]
    # What was not taken in time is lost, so that nobody goes too soon after the one before.
    limit.give_back("a", 13.0)
    assert limit.reserve("a", 13.5) == 1.5


async def test_who_is_cancelled_leaves_the_place_to_the_next(app):
    limit = httpx.RateLimit(0.001, burst=1)
    async with httpx.AsyncClient(rate_limit=limit) as client:
        await client.get(app.url)
        waiting = asyncio.create_task(client.get(app.url))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        # Two places on would be 2,000 seconds.
        assert 900 < limit.reserve(httpx.URL(app.url)._origin, time.monotonic()) <= 1000
    assert len(app.requests) == 1


def test_old_origins_are_forgotten():
    limit = httpx.RateLimit(1)
    for number in range(10_000):
        limit.reserve(number, float(number))
    assert len(limit._next) < 5_000


async def test_requests_wait_for_their_turn(runtime, scripted):
    turns = []

    class Watched(httpx.RateLimit):
        def reserve(self, origin, now, deadline=None):
            wait = super().reserve(origin, now, deadline)
            turns.append(now + wait)
            return wait

    arrived = []

    def answer(request):
        arrived.append(time.monotonic())
        return respond()

    async with runtime.client(rate_limit=Watched(20, burst=1)) as client:
        server = scripted(keep_alive(answer))
        await runtime.gather(*[lambda: client.get(server.url)] * 4)
    assert all(later - earlier > 0.049 for earlier, later in itertools.pairwise(sorted(turns)))
    assert all(arrival > turn - 0.01 for turn, arrival in zip(sorted(turns), sorted(arrived), strict=True))


async def test_redirects_count(runtime, app):
    limit = httpx.RateLimit(0.001, burst=3)
    async with runtime.client(rate_limit=limit, timeout=httpx.Timeout(5.0, total=5.0), follow_redirects=True) as client:
        assert (await client.get(app.url + "/redirect/2")).status_code == 200
        with pytest.raises(httpx.PoolTimeout, match=r"RateLimit\(0.001"):
            await client.get(app.url)


async def test_clients_can_share_one(runtime, app):
    limit = httpx.RateLimit(0.001, burst=1)
    async with runtime.client(rate_limit=limit) as first, runtime.client(rate_limit=limit, timeout=httpx.Timeout(total=5.0)) as second:
        await first.get(app.url)
        with pytest.raises(httpx.PoolTimeout):
            await second.get(app.url)


def test_what_makes_no_sense_is_refused():
    for settings in ({"requests": 0}, {"requests": 1, "per": 0}, {"requests": 1, "burst": 0}):
        with pytest.raises(ValueError, match=r"positive|at least"):
            httpx.RateLimit(**settings)


def test_a_limit_is_pickled_as_its_settings():
    assert repr(pickle.loads(pickle.dumps(httpx.RateLimit(5, per=2.0, burst=3)))) == "RateLimit(5, per=2, burst=3)"
