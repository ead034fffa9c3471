#!/usr/bin/env python3
"""Much at a time, and much at once: 10,000 tasks on 100 connections, and a gigabyte in both directions over HTTP/2.

    scripts/bench --endurance                       needs nghttpd (Debian: nghttp2-server)
    scripts/bench --endurance --tasks 1000 --bytes 100000000

Shown are seconds, CPU per request or gigabyte, and how much resident memory (RSS) each adds at its height. Each figure comes
from a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
from memory import resident
from servers.nginx import serve

CONNECTIONS = 100
EACH = 2  # requests of a task
PIECE = bytes(65_536)

Work = Callable[[httpx.AsyncClient, str, int], Awaitable[int]]


async def tasks(client: httpx.AsyncClient, url: str, count: int) -> int:
    async def task() -> None:
        for _ in range(EACH):
            (await client.get(url)).raise_for_status()

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(task())
    stats = client.pool_stats()
    assert (stats.waiting, stats.in_use) == (0, 0), stats
    assert stats.open <= CONNECTIONS, stats
    return count * EACH


async def download(client: httpx.AsyncClient, url: str, size: int) -> int:
    received = 0
    async with client.stream("GET", f"{url}/{size}") as response:
        async for piece in response.aiter_raw():
            received += len(piece)
    assert received == size
    return size


async def upload(client: httpx.AsyncClient, url: str, size: int) -> int:
    """The server sends all of it back, so this is both directions at the same time."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size, len(PIECE)):
            yield PIECE[: size - start]

    received = 0
    async with client.stream("POST", f"{url}/echo", content=pieces(), headers={"Content-Length": str(size)}) as response:
        async for piece in response.aiter_raw():
            received += len(piece)
    assert received == size
    return size


WORKS: dict[str, tuple[str, Work, bool]] = {
    "tasks": ("tasks on 100 connections, HTTP/1.1", tasks, False),
    "tasks-http2": ("tasks on one connection, HTTP/2", tasks, True),
    "download": ("bytes down, HTTP/2", download, True),
    "upload": ("bytes up, and back, HTTP/2", upload, True),
}


async def measure(name: str, url: str, number: int) -> dict[str, float]:
    """Seconds, CPU seconds, and kB that are added at the height."""
    _, work, http2 = WORKS[name]
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    transport = httpx.AsyncHTTPTransport(http1=not http2, http2=http2, limits=limits)
    async with httpx.AsyncClient(transport=transport, timeout=None) as client:
        await work(client, url, 100)
        before, began, cpu = resident(), time.perf_counter(), time.process_time()
        done = await work(client, url, number)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        return {"done": done, "seconds": seconds, "cpu": cpu, "memory": max(resident("VmHWM") - before, 0)}


def run(name: str, url: str, number: int) -> None:
    command = [sys.executable, __file__, "--worker", name, url, str(number)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    scale, unit = (1e6, "µs each") if name.startswith("tasks") else (1e9, "s per GB")
    cpu = f"CPU {found['cpu'] / found['done'] * scale:7.2f} {unit}"
    print(f"{number:13,} {WORKS[name][0]:38} {found['seconds']:7.1f} s   {cpu}   memory + {found['memory'] / 1024:.1f} MB", flush=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def over_http2(count: int, size: int) -> None:
    executable = shutil.which("nghttpd")
    if executable is None:
        raise SystemExit("nghttpd is needed and was not found (Debian: apt-get install nghttp2-server).")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "small").write_bytes(b"small")
        for length in (100, size):
            with Path(folder, str(length)).open("wb") as file:
                file.truncate(length)
        port = free_port()
        command = [executable, "--no-tls", "--echo-upload", "--address=127.0.0.1", f"--htdocs={folder}", str(port)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                wait_until_listening(port)
                url = f"http://127.0.0.1:{port}"
                run("tasks-http2", f"{url}/small", count)
                run("download", url, size)
                run("upload", url, size)
            finally:
                process.terminate()


def wait_until_listening(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("nghttpd does not listen.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench --endurance", description="Much at a time, and much at once.")
    parser.add_argument("--tasks", type=int, default=10_000, help="at the same time (default: 10,000)")
    parser.add_argument("--bytes", type=int, default=1_000_000_000, help="up and down (default: a gigabyte)")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if options.worker:
        name, url, number = options.worker
        print(json.dumps(asyncio.run(measure(name, url, int(number)))))
        return
    with serve(None) as server:
        run("tasks", f"{server.http}/json", options.tasks)
    over_http2(options.tasks, options.bytes)


if __name__ == "__main__":
    main()
