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
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def per_request(self, count: int) -> dict[str, float]:
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        return {"cpu": cpu / count * 1e6, "wall": wall / count * 1e6}


def check(body: bytes) -> None:
    if bytes(body) != JSON.encode():
        raise SystemExit(f"the response is not what the server sent: {bytes(body)[:200]!r}")


def requests_in(seconds: float, trial: dict[str, float]) -> int:
    """How many requests fill this time, going by a trial."""
    return max(1, int(seconds / trial["wall"] * 1e6))


def protocol(work: Work) -> dict[str, bool]:
    """What an adaptor is told of the protocol: nothing, unless it is HTTP/2."""
    return {"http2": True} if work.http2 else {}


def measure_sync(client: ModuleType, work: Work, url: str, authority: str | None, seconds: float) -> dict[str, float]:
    def batch(count: int) -> dict[str, float]:
        meter = Meter()
        for _ in range(count):
            get(url)
        return meter.per_request(count)

    with client.sync_client(authority, **protocol(work)) as get:
        check(get(url))
        batch(100)
        return batch(requests_in(seconds, trial=batch(200)))


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

    async with client.async_client(authority, **protocol(work)) as get:
        check(await get(url))
        await batch(4 * work.tasks, get)
        trial = await batch(max(200, 4 * work.tasks), get)
        return await batch(requests_in(seconds, trial), get)


def main() -> None:
    name, work_name, url, authority, seconds = sys.argv[1:]
    client = importlib.import_module(f"clients.{name}")
    work = WORKS[work_name]
    if work.runtime == "sync":
        result = measure_sync(client, work, url, authority or None, float(seconds))
    else:
        loop_factory = importlib.import_module("uvloop").new_event_loop if work.runtime == "uvloop" else None
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            result = runner.run(measure_async(client, work, url, authority or None, float(seconds)))
    print(json.dumps(result), flush=True)
    os._exit(0)  # threads of extension modules may crash an interpreter that shuts down; the figures are told already


if __name__ == "__main__":
    main()
