"""A TCP proxy that makes the network as bad as networks are: latency, slices, resets, truncation, little bandwidth.

    with FaultProxy(server.port, seed=7) as proxy:
        httpx.get(f"http://127.0.0.1:{proxy.port}")
    print(proxy.injected)  # how often each fault was injected

Runs on a thread of its own. What befalls a connection is decided when it is accepted, from the seed; `rate` is the part of
them to which anything happens at all. Bytes are never changed: TCP does not do that either.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import random
import socket
import struct
import threading
from typing import NamedTuple


class Fault(NamedTuple):
    """What happens to a connection, in both directions; `after` is how many bytes of the answers pass first."""

    kind: str
    after: int = 0


KINDS = ("latency", "slices", "reset", "truncation", "bandwidth", "refusal")


class FaultProxy:
    """See the module."""

    def __init__(self, target: int, *, seed: int = 0, rate: float = 0.3) -> None:
        self.injected: collections.Counter[str] = collections.Counter()
        self.connections = 0
        self._target = target
        self._random = random.Random(seed)
        self._rate = rate
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="fault-proxy")
        self.port = 0

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        assert self._ready.wait(10), "the proxy did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _choose(self) -> Fault | None:
        if self._random.random() >= self._rate:
            return None
        return Fault(self._random.choice(KINDS), self._random.choice((0, 1, 20, 100, 1_000, 20_000)))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        fault = self._choose()
        if fault is not None:
            self.injected[fault.kind] += 1
        with contextlib.suppress(OSError, asyncio.CancelledError):
            if fault is not None and fault.kind == "refusal":
                _abort(writer)
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                ways = (self._pass(reader, back, fault, False), self._pass(there, writer, fault, True))
                passing = [asyncio.ensure_future(way) for way in ways]
                await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in passing:
                    way.cancel()
                await asyncio.gather(*passing, return_exceptions=True)
                back.transport.abort()
                if fault is not None and fault.kind == "reset":
                    _abort(writer)
        # What is in the buffer still goes out, which is how an orderly end looks.
        writer.close()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, fault: Fault | None, is_answer: bool) -> None:
        passed = 0
        kind = fault.kind if fault is not None else ""
        while data := await source.read(65_536):
            if fault is not None and is_answer and kind in ("reset", "truncation") and passed + len(data) > fault.after:
                target.write(data[: fault.after - passed])
                return
            passed += len(data)
            if kind == "latency":
                await asyncio.sleep(0.02)
            step = {"slices": 7, "bandwidth": 4_096}.get(kind, len(data))
            for start in range(0, min(len(data), 200 * step), step):
                target.write(data[start : start + step])
                await target.drain()
                await asyncio.sleep(0.001 if kind == "bandwidth" else 0)
            target.write(data[200 * step :])


def _abort(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
