"""One measurement, in a process of its own: one client doing one work. Started by compare.py.

    python compare_worker.py CLIENT WORK SERVER SECONDS

SERVER is the `Server` as JSON. Prints as JSON what the work took in CPU (user + system, all threads): microseconds per request,
or seconds per GB.
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
from typing import Any, NamedTuple

from clients import Settings
from servers.nginx import GIGABYTE, HOPS, JSON, POSTED, SAMPLE, Server
from works import WORKS, Work

PATIENCE = 3.0  # seconds that one gigabyte may take; of who needs longer, a sample is measured


class Batch(NamedTuple):
    """What some operations took, each."""

    cpu: float
    wall: float


class Meter:
    """CPU and wall time of this process since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def per_operation(self, count: int) -> Batch:
        return Batch((time.process_time() - self._cpu) / count, (time.perf_counter() - self._wall) / count)


def settings_for(work: Work, server: Server) -> Settings:
    return Settings(server.authority if work.tls else None, work.http2, work.kind == "journey", work.connections)


def base(work: Work, server: Server) -> str:
    if work.kind == "upload":
        return server.sink_tls if work.tls else server.sink
    return server.http2 if work.http2 else server.https if work.tls else server.http


def request_of(work: Work, client: Any, server: Server) -> tuple[Callable[[], Any], object]:
    """One request as a function (a coroutine function, if asynchronous), and what it must give."""
    root = base(work, server)
    if work.kind == "json":
        return lambda: client.post_json(f"{root}/posted", POSTED), POSTED
    path, expected = {
        "get": ("/json", JSON.encode()),
        "connect": ("/close", JSON.encode()),
        "journey": (f"/hop/{HOPS}", json.dumps(POSTED).encode()),
    }[work.kind]
    get, url = client.get, root + path
    return lambda: get(url), expected


def transfer_of(work: Work, client: Any, server: Server) -> Callable[[int], Any]:
    """One transfer of a file of this size, as a function."""
    root = base(work, server)
    if work.kind == "upload":
        return lambda size: client.upload(f"{root}/", f"{server.files}/{size}")
    return lambda size: client.download(f"{root}/{size}")


def check(found: object, expected: object) -> None:
    if (found if isinstance(expected, (dict, int)) else bytes(found)) != expected:  # type: ignore[call-overload]
        raise SystemExit(f"the response is not what the server sent: {str(found)[:200]}")


def how_many(seconds: float, trial: Batch) -> int:
    """How many operations fill this time, going by a trial."""
    return max(1, int(seconds / trial.wall))


def sizes_in(seconds: float, trial: Batch) -> int:
    """The size to transfer: a gigabyte if there is time, and whoever is slow is measured by less."""
    return GIGABYTE if seconds >= 0.5 and trial.wall * GIGABYTE / SAMPLE < PATIENCE else SAMPLE


def measure_sync(module: ModuleType, work: Work, server: Server, seconds: float) -> float:
    def batch(operation: Callable[[], Any], count: int) -> Batch:
        meter = Meter()
        for _ in range(count):
            operation()
        return meter.per_operation(count)

    with module.sync_client(settings_for(work, server)) as client:
        if work.is_transfer:
            transfer = transfer_of(work, client, server)
            check(transfer(SAMPLE), 200 if work.kind == "upload" else SAMPLE)
            size = sizes_in(seconds, batch(lambda: transfer(SAMPLE), 1))
            return batch(lambda: transfer(size), 1).cpu * 1e9 / size
        request, expected = request_of(work, client, server)
        check(request(), expected)
        batch(request, 20 if work.kind == "connect" else 100)
        return batch(request, how_many(seconds, trial=batch(request, 50))).cpu * 1e6


async def measure_async(module: ModuleType, work: Work, server: Server, seconds: float) -> float:
    async with module.async_client(settings_for(work, server)) as client:
        if work.is_transfer:
            transfer = transfer_of(work, client, server)
            check(await transfer(SAMPLE), SAMPLE)
            meter = Meter()
            await transfer(SAMPLE)
            size = sizes_in(seconds, meter.per_operation(1))
            meter = Meter()
            await transfer(size)
            return meter.per_operation(1).cpu * 1e9 / size
        request, expected = request_of(work, client, server)
        check(await request(), expected)
        if work.connections:
            await asyncio.gather(*(request() for _ in range(work.connections)))  # all at once: each opens one
        return (await measure_steadily(request, work.tasks, seconds)).cpu * 1e6


async def measure_steadily(request: Callable[[], Awaitable[Any]], tasks: int, seconds: float) -> Batch:
    """What a request takes while so many tasks are at it. They start before and stop after: no pool drains in between."""
    finished, done = False, 0

    async def task() -> None:
        nonlocal done
        while not finished:
            await request()
            done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(task())
        await asyncio.sleep(0.15)
        while done < 2 * tasks:
            await asyncio.sleep(0.01)
        meter, before = Meter(), done
        await asyncio.sleep(seconds)
        while done < before + 50:
            await asyncio.sleep(0.01)
        result = meter.per_operation(done - before)
        finished = True
    return result


def main() -> None:
    name, work_name, server_as_json, seconds = sys.argv[1:]
    module, work, server = importlib.import_module(f"clients.{name}"), WORKS[work_name], Server(*json.loads(server_as_json))
    if work.runtime == "sync":
        result = measure_sync(module, work, server, float(seconds))
    else:
        loop_factory = importlib.import_module("uvloop").new_event_loop if work.runtime == "uvloop" else None
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            result = runner.run(measure_async(module, work, server, float(seconds)))
    print(json.dumps(result), flush=True)
    os._exit(0)  # threads of extension modules may crash an interpreter that shuts down; the figures are told already


if __name__ == "__main__":
    main()
