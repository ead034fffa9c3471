#!/usr/bin/env python3
"""Whether our own work has become slower than it was, on whatever machine this runs.

    scripts/bench --regression                      compare with regression.json; exit with 1 if more than 25 % was lost
    scripts/bench --regression --write              keep the figures of now

The network is memory. Each work takes turns with a fixed piece of pure Python, in one process, a few milliseconds each; what
is kept and compared is how many times as long a request takes as that piece, so that the machine's speed cancels out. Of both
the fastest turn counts: what disturbs a turn only ever makes it slower.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from memory_network import RESPONSE, install_memory_network_ours
from overhead_worker import async_batch, construct, sync_batch

KEPT = Path(__file__).with_name("regression.json")
ALLOWED = 1.25
TURNS = 80
SECONDS = 0.006  # of a turn

Batch = Callable[[int], float]  # does so many operations, gives the CPU seconds that they took


class Thing:
    """What the fixed work makes and asks."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, fields: dict[str, str]) -> None:
        self.name = name
        self.fields = fields

    def field(self, name: str) -> str | None:
        return self.fields.get(name.lower())


_line = re.compile(rb"([^:\r\n]+): ([^\r\n]*)\r\n")


def fixed_piece(head: bytes) -> int:
    """What a client does much of: a regular expression, text from bytes, dictionaries, objects, calls. Never change it."""
    fields = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in _line.findall(head)}
    things = [Thing(name, fields) for name in ("ETag", "Vary", "Date", "Server", "Content-Length")]
    found = [thing.field(thing.name) for thing in things]
    return len(", ".join([value for value in found if value is not None]).encode("utf-8"))


def fixed_batch(count: int) -> float:
    started = time.process_time()
    for _ in range(count):
        fixed_piece(RESPONSE)
    return time.process_time() - started


def size_of_turn(batch: Batch) -> int:
    """How many operations fill one turn, going by the fastest of a few trials; the first one imports and connects."""
    batch(100)
    return max(1, round(SECONDS / min(batch(20) / 20 for _ in range(10))))


def relative_cost(batch: Batch) -> float:
    """The cost of one operation in pieces of fixed work."""
    count, fixed_count = size_of_turn(batch), size_of_turn(fixed_batch)
    turns = [(batch(count) / count, fixed_batch(fixed_count) / fixed_count) for _ in range(TURNS)]
    return min(ours for ours, _ in turns) / min(fixed for _, fixed in turns)


def measure() -> dict[str, float]:
    with asyncio.Runner() as runner, httpx.Client() as client:
        async_client = httpx.AsyncClient()
        install_memory_network_ours(client)
        install_memory_network_ours(async_client)
        works: dict[str, Batch] = {
            "Client.get": lambda count: sync_batch(client, count),
            "AsyncClient.get": lambda count: runner.run(async_batch(async_client, count)),
            "Client()": construct,
        }
        found = {name: round(relative_cost(batch), 3) for name, batch in works.items()}
        runner.run(async_client.aclose())
    return found


def compare(found: dict[str, float], kept: dict[str, float]) -> list[str]:
    """Print the figures beside those that are kept; the names of the works that have become too slow."""
    slower = []
    print(f"{'in pieces of fixed work':25}{'now':>10}{'kept':>10}{'now / kept':>12}")
    for name, cost in found.items():
        quotient = cost / kept[name]
        print(f"{name:25}{cost:10.2f}{kept[name]:10.2f}{quotient:12.2f}")
        if quotient > ALLOWED:
            slower.append(name)
    return slower


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench --regression", description="Our own work, against the figures that are kept.")
    parser.add_argument("--write", action="store_true", help="keep what is found, for this version of Python")
    options = parser.parse_args()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    all_kept: dict[str, dict[str, float]] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if options.write:
        KEPT.write_text(json.dumps({**all_kept, version: measure()}, indent=2, sort_keys=True) + "\n")
        print(f"kept in {KEPT}")
        return
    if version not in all_kept:
        raise SystemExit(f"error: {KEPT.name} has no figures for Python {version}: write them with --write, on a quiet machine.")
    slower = compare(measure(), all_kept[version])
    if slower:
        slower = compare(measure(), all_kept[version])  # once more: a machine may have been busy with something else
    if slower:
        raise SystemExit(f"error: more than {ALLOWED - 1:.0%} slower than what is kept in {KEPT.name}: {', '.join(slower)}.")


if __name__ == "__main__":
    main()
