"""Everything at once, for minutes, over a bad network: run by `scripts/soak`, which describes it."""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import gc
import importlib
import json
import os
import random
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import trio

import httpx
from tests.support.fault_proxy import FaultProxy
from tests.support.http2 import HTTP2Peer
from tests.support.leaks import LeakCheck
from tests.support.servers import Connection, Request, ScriptedServer, pattern, respond, respond_chunked

TASKS, THREADS = 30, 8
TIMEOUT = httpx.Timeout(2, total=6)
SAMPLES = 8


def answer(request: Request) -> Any:
    """Every answer says which question it belongs to."""
    path = request.path.encode()
    kind, size = request.path.split("/")[1:3]
    body = path + b"\n" + pattern(int(size)) + request.body
    if kind == "chunked":
        return respond_chunked([body[start : start + 3_000] for start in range(0, len(body), 3_000)])
    if kind == "redirect":
        return respond(b"elsewhere", 302, [("Location", request.target.replace("redirect", "plain", 1))])
    return respond(body)


def serve(conn: Connection) -> None:
    """Well-behaved, but for a connection now and then that it closes when it likes."""
    chance = random.Random(conn.number)
    while True:
        head = conn.read_head()
        request = Request(head, conn.read_body(head))  # and not recorded, since memory is measured
        answered = answer(request)
        conn.send_each([answered] if isinstance(answered, bytes) else answered)
        if chance.random() < 0.05:
            return


def serve_http2(conn: Connection) -> None:
    peer = HTTP2Peer(conn)
    while True:
        stream_id, fields, body = peer.read_request()
        peer.frames.clear()
        path = fields[":path"]
        peer.respond(stream_id, path.encode() + b"\n" + pattern(int(path.split("/")[2])) + body)


class Tally:
    """What happened, counted by all workers."""

    def __init__(self) -> None:
        self.requests = 0
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []
        self._lock = threading.Lock()

    def add(self, outcome: str) -> None:
        with self._lock:
            self.requests += 1
            self.outcomes[outcome] += 1

    def complain(self, text: str) -> None:
        with self._lock:
            self.wrong.append(text)


class Questions:
    """A stream of requests, each with the answer that it must have."""

    def __init__(self, url: str, seed: int, http2: bool) -> None:
        self._url = url
        self._random = random.Random(seed)
        self._kinds = ["plain"] if http2 else ["plain", "plain", "chunked", "redirect"]
        self._number = 0
        self._seed = seed

    def next(self) -> tuple[str, str, bytes, bytes]:
        """Method, URL, body, and the expected content."""
        self._number += 1
        size = self._random.choice((0, 10, 500, 5_000, 60_000))
        path = f"/{self._random.choice(self._kinds)}/{size}/{self._seed}-{self._number}"
        body = pattern(self._random.choice((10, 70_000))) if self._random.random() < 0.2 and "redirect" not in path else b""
        answered = path.replace("redirect", "plain").encode() + b"\n" + pattern(size) + body
        return "POST" if body else "GET", self._url + path, body, answered

    def chance(self, of: float) -> bool:
        return self._random.random() < of


def check(tally: Tally, response: httpx.Response, expected: bytes) -> None:
    if response.content != expected:
        tally.complain(f"{response.request.method} {response.request.url}: {response.content[:60]!r} instead of {expected[:60]!r}")
    tally.add("answered")


def work_in_threads(url: str, until: float, tally: Tally, seed: int, http2: bool) -> None:
    with client(httpx.Client, httpx.HTTPTransport, http2) as shared:

        def work(number: int) -> None:
            questions = Questions(url, seed * 1_000 + number, http2)
            while time.monotonic() < until:
                method, target, body, expected = questions.next()
                try:
                    if questions.chance(0.05):
                        with shared.stream(method, target, content=body) as response:
                            next(response.iter_bytes(100), None)
                        tally.add("left early")
                        continue
                    check(tally, shared.request(method, target, content=body), expected)
                except httpx.TransportError as error:
                    tally.add(type(error).__name__)
                except Exception as error:
                    tally.complain(f"{method} {target}: {type(error).__name__}: {error}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _expect_idle(tally, shared)


async def work_in_tasks(url: str, until: float, tally: Tally, seed: int, http2: bool, start: Any, within: Any) -> None:
    async with client(httpx.AsyncClient, httpx.AsyncHTTPTransport, http2) as shared:

        async def work(number: int) -> None:
            questions = Questions(url, seed * 1_000 + number, http2)
            while time.monotonic() < until:
                method, target, body, expected = questions.next()
                try:
                    if questions.chance(0.3):  # cancelled, at any point
                        async with within(questions._random.random() * 0.03) as reached:
                            check(tally, await shared.request(method, target, content=body), expected)
                        if reached():
                            tally.add("cancelled")
                        continue
                    check(tally, await shared.request(method, target, content=body), expected)
                except httpx.TransportError as error:
                    tally.add(type(error).__name__)
                except Exception as error:
                    tally.complain(f"{method} {target}: {type(error).__name__}: {error}")

        await start([lambda number=number: work(number) for number in range(TASKS)])
        _expect_idle(tally, shared)


def _expect_idle(tally: Tally, shared: Any) -> None:
    stats = shared.pool_stats()
    if stats.in_use or stats.waiting:
        tally.complain(f"the pool is not idle after all work: {stats}")


def client(kind: Any, transport: Any, http2: bool) -> Any:
    limits = httpx.Limits(max_connections=10)
    return kind(transport=transport(limits=limits, http1=not http2, http2=http2), timeout=TIMEOUT, follow_redirects=True)


@contextlib.asynccontextmanager
async def within_on_asyncio(seconds: float) -> Any:
    scope = asyncio.timeout(seconds)
    try:
        async with scope:
            yield scope.expired
    except TimeoutError:
        pass


@contextlib.asynccontextmanager
async def within_on_trio(seconds: float) -> Any:
    with trio.move_on_after(seconds) as scope:
        yield lambda: scope.cancelled_caught or scope.cancel_called


async def start_on_asyncio(bodies: list[Any]) -> None:
    async with asyncio.TaskGroup() as group:
        for body in bodies:
            group.create_task(body())


async def start_on_trio(bodies: list[Any]) -> None:
    async with trio.open_nursery() as nursery:
        for body in bodies:
            nursery.start_soon(body)


def run(runtime: str, url: str, until: float, tally: Tally, seed: int, http2: bool) -> None:
    """One client on `runtime` until then."""
    if runtime == "threads":
        work_in_threads(url, until, tally, seed, http2)
    elif runtime == "trio":
        trio.run(work_in_tasks, url, until, tally, seed, http2, start_on_trio, within_on_trio)
    else:
        factory = importlib.import_module("uvloop").new_event_loop if runtime == "uvloop" else None
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(work_in_tasks(url, until, tally, seed, http2, start_on_asyncio, within_on_asyncio))


def resident() -> int:
    """Bytes of memory that this process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak(seconds: float, seed: int) -> dict[str, Any]:
    """Run for so long; the report."""
    tally = Tally()
    leaks = LeakCheck()
    memory: list[int] = []
    injected: collections.Counter[str] = collections.Counter()
    began = time.monotonic()
    rounds = [(runtime, http2) for http2 in (False, True) for runtime in ("threads", "asyncio", "uvloop", "trio")]
    count = 0
    while time.monotonic() - began < seconds or count % len(rounds):
        runtime, http2 = rounds[count % len(rounds)]
        until = time.monotonic() + max(seconds / (SAMPLES * len(rounds)), 0.5)
        with (
            ScriptedServer(serve_http2 if http2 else serve) as server,
            FaultProxy(server.port, seed=seed + count) as proxy,
        ):
            run(runtime, f"http://127.0.0.1:{proxy.port}", until, tally, seed + count, http2)
        server.errors.clear()
        injected += proxy.injected
        count += 1
        if count % len(rounds) == 0:
            memory.append(resident())
    left = ""
    try:
        leaks.verify()
    except AssertionError as error:
        left = str(error)
    # The first rounds fill caches; the slope is that from the second third to the last one.
    third = max(len(memory) // 3, 1)
    middle, last = memory[-2 * third : -third] or memory, memory[-third:]
    slope = (sum(last) / len(last)) / (sum(middle) / len(middle)) - 1
    return {
        "seconds": round(time.monotonic() - began),
        "requests": tally.requests,
        "outcomes": dict(tally.outcomes.most_common()),
        "faults": dict(injected.most_common()),
        "wrong answers": tally.wrong[:20],
        "leaks": left,
        "memory in MiB": [round(size / 2**20, 1) for size in memory],
        "memory slope": f"{slope:+.1%}",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=1.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    warnings.simplefilter("error", ResourceWarning)
    sys.unraisablehook = _complain
    print(f"seed {options.seed}")
    report = soak(options.minutes * 60, options.seed)
    print(json.dumps(report, indent=2))
    return 1 if report["wrong answers"] or report["leaks"] or _unraisable else 0


_unraisable: list[str] = []


def _complain(what: Any) -> None:
    if "StreamWriter" in repr(what.object):  # the proxy's own connections, which it is stopped with
        return
    _unraisable.append(repr(what.exc_value))
    print("unraisable:", repr(what.exc_value), what.object)


if __name__ == "__main__":
    sys.exit(main())
