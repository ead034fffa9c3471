"""Measures, in a process of its own, the `httpx` that its interpreter imports. Started by overhead.py.

It reads the name of a work from each line of its input, does it for about the time given on the command line, and
answers with a line: the microseconds of CPU that one operation took.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

import httpx
from memory_network import BODY, INSTALLERS, URL


def per_operation(batch: Callable[[int], float], seconds: float) -> float:
    """CPU microseconds of one operation. `batch(n)` does n of them and gives the seconds of CPU that they took."""
    count = 1
    while (taken := batch(count)) < seconds / 8:
        count *= 2
    count = max(1, round(count * seconds / taken))
    return batch(count) / count * 1e6


def construct(count: int) -> float:
    clients = []
    started = time.process_time()
    for _ in range(count):
        clients.append(httpx.Client())
    taken = time.process_time() - started
    for client in clients:
        client.close()
    return taken


def sync_batch(client: httpx.Client, count: int) -> float:
    started = time.process_time()
    for _ in range(count):
        client.get(URL)
    return time.process_time() - started


async def async_batch(client: httpx.AsyncClient, count: int) -> float:
    started = time.process_time()
    for _ in range(count):
        await client.get(URL)
    return time.process_time() - started


def main() -> None:
    install, seconds = INSTALLERS[sys.argv[1]], float(sys.argv[2])
    client = httpx.Client()
    install(client)
    assert client.get(URL).content == BODY
    with asyncio.Runner() as runner:
        async_client = httpx.AsyncClient()
        install(async_client)
        assert runner.run(async_client.get(URL)).content == BODY
        works: dict[str, Callable[[int], float]] = {
            "Client()": construct,
            "Client.get": lambda count: sync_batch(client, count),
            "AsyncClient.get": lambda count: runner.run(async_batch(async_client, count)),
        }
        for line in sys.stdin:
            print(per_operation(works[line.strip()], seconds), flush=True)
        runner.run(async_client.aclose())
    client.close()


if __name__ == "__main__":
    main()
