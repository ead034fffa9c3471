#!/usr/bin/env python3
"""What the client keeps in memory: resident memory (RSS) that importing it, idle connections and a long stream add.

    scripts/bench --memory                          10,000 connections; 1 GB
    scripts/bench --memory --connections 1000

Each figure comes from a process of its own. What the kernel keeps for a socket is in no process's resident memory.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import re
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
from works import ABSOLUTE

SERVER = Path(__file__).parent / "servers" / "holding.py"
STATUS = Path("/proc/self/status")
AFTER = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmRSS:')))"
RUNS = 5  # of short processes: where the system puts things is partly chance
WARM = 16


def figures(connections: int = 10_000, quick: bool = False) -> dict[str, float]:
    """The figures of works.ABSOLUTE that are about memory, in kB; none where the system does not tell them."""
    if not STATUS.exists():
        return {}
    return {
        "import memory": after("import httpx") - after("pass"),
        "idle connection": in_process("idle", connections),
        "stream memory": in_process("stream", 64_000_000 if quick else 1_000_000_000),
    }


def after(code: str) -> float:
    """Resident kB of an interpreter that has run this."""
    command = [sys.executable, "-c", f"{code}\n{AFTER}"]
    return statistics.median(float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout) for _ in range(RUNS))


def in_process(what: str, number: int) -> float:
    done = subprocess.run([sys.executable, __file__, "--worker", what, str(number)], stdout=subprocess.PIPE, text=True, check=True)
    figure: float = json.loads(done.stdout)
    return figure


def resident(field: str = "VmRSS") -> int:
    """kB of this process that are in memory (`VmRSS`), or have been at most (`VmHWM`)."""
    found = re.search(rf"^{field}:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


@contextlib.contextmanager
def holding_server() -> Iterator[str]:
    """The URL of servers/holding.py, in a process of its own."""
    with subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


async def idle(count: int) -> float:
    """kB per connection, of so many that wait in the pool. They are opened one after the other, so that no crowd of tasks
    leaves its own traces; the server holds back the last byte of each response until all are there."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=None)
    with holding_server() as url:
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:

            async def open_and_idle(number: int) -> None:
                responses = [await client.send(client.build_request("GET", f"{url}/hold"), stream=True) for _ in range(number)]
                await client.get(f"{url}/release")
                while responses:
                    await responses.pop().aread()
                gc.collect()

            await open_and_idle(WARM)
            before, warm = resident(), client.pool_stats().idle
            await open_and_idle(count)
            opened = client.pool_stats().idle - warm
            return (resident() - before) / opened


def stream(size: int) -> float:
    """kB that a download of so many bytes adds at most, at any time."""
    with holding_server() as url, httpx.Client() as client:
        client.get(f"{url}/bytes/{WARM}")
        before = resident()
        with client.stream("GET", f"{url}/bytes/{size}") as response:
            assert sum(map(len, response.iter_bytes())) == size
        return max(resident("VmHWM") - before, 0)


def allow_many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench --memory", description="Resident memory that the client adds.")
    parser.add_argument("--connections", type=int, default=10_000, help="that are idle (default: 10,000)")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        allow_many_files()
        what, number = options.worker
        print(json.dumps(asyncio.run(idle(int(number))) if what == "idle" else stream(int(number))))
        return
    for name, found in figures(options.connections).items():
        goal = ABSOLUTE[name]
        print(f"{goal.title:45} {found:10,.1f} {goal.unit}   at most {goal.at_most:,}{'' if found <= goal.at_most else '   MISSED'}")


if __name__ == "__main__":
    main()
