"""One measurement, in a process of its own: one client doing one work. Started by compare.py.

    python compare_worker.py CLIENT WORK URL AUTHORITY SECONDS

Prints as JSON the microseconds of CPU (user + system, all threads) and of wall time per request.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from types import ModuleType

from servers.nginx import JSON
from works import WORKS, Work

Get = Callable[[str], Awaitable[bytes]]


class Meter:
    """CPU and wall time of this process since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), self._cpu_now()

    @staticmethod
    def _cpu_now() -> float:
        times = os.times()
        return times.user + times.system

    def per_request(self, count: int) -> dict[str, float]:
        cpu, wall = self._cpu_now() - self._cpu, time.perf_counter() - self._wall
        return {"cpu": cpu / count * 1e6, "wall": wall / count * 1e6, "count": count}


def check(body: bytes) -> None:
    if bytes(body) != JSON.encode():
        raise SystemExit(f"the response is not what the server sent: {bytes(body)[:200]!r}")


def estimate(taken: float, done: int, seconds: float) -> int:
    """How many requests fill `seconds`, after `done` of them took `taken`."""
    return max(done, int(seconds / max(taken, 1e-6) * done))


def measure_sync(client: ModuleType, url: str, authority: str | None, seconds: float) -> dict[str, float]:
    def batch(count: int) -> dict[str, float]:
        meter = Meter()
        for _ in range(count):
            get(url)
        return meter.per_request(count)

    with client.sync_client(authority) as get:
        check(get(url))
        batch(100)
        taken = batch(200)["wall"] / 1e6
        return batch(estimate(taken, 1, seconds))


async def measure_async(client: ModuleType, work: Work, url: str, authority: str | None, seconds: float) -> dict[str, float]:
    async def task(count: int, get: Get) -> None:
        for _ in range(count):
            await get(url)

    async def batch(count: int, get: Get) -> dict[str, float]:
        each = max(1, count // work.tasks)
        meter = Meter()
        async with asyncio.TaskGroup() as group:
            for _ in range(work.tasks):
                group.create_task(task(each, get))
        return meter.per_request(each * work.tasks)

    async with client.async_client(authority) as get:
        check(await get(url))
        await batch(4 * work.tasks, get)
        taken = (await batch(max(200, 4 * work.tasks), get))["wall"] / 1e6
        return await batch(estimate(taken, 1, seconds), get)


def main() -> None:
    name, work_name, url, authority, seconds = sys.argv[1:]
    client = importlib.import_module(f"clients.{name}")
    work = WORKS[work_name]
    if work.runtime == "sync":
        result = measure_sync(client, url, authority or None, float(seconds))
    else:
        loop_factory = importlib.import_module("uvloop").new_event_loop if work.runtime == "uvloop" else None
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            result = runner.run(measure_async(client, work, url, authority or None, float(seconds)))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
