"""One `AsyncClient` in several threads, each with an event loop of its own: what belongs to a loop is only touched by its thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import threading

import pytest
import trio

import httpx
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

PATIENCE = 20


def _asyncio(body):
    asyncio.run(body(), debug=True)  # which raises if another thread touches it


def _uvloop(body):
    with asyncio.Runner(loop_factory=pytest.importorskip("uvloop").new_event_loop) as runner:
        runner.run(body())


RUNS = {"asyncio": _asyncio, "uvloop": _uvloop, "trio": trio.run}


@pytest.fixture(params=RUNS)
def run(request):
    """Runs a coroutine function in an event loop."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return RUNS[request.param]


async def turn():
    await (trio.sleep(0) if _is_trio() else asyncio.sleep(0))


def _is_trio():
    return trio.lowlevel.in_trio_run()


class Asleep:
    """A task that waits, so that its event loop does nothing, until another thread wakes it."""

    def __init__(self):
        self.begins = threading.Event()
        if _is_trio():
            self._event = trio.Event()
            self._schedule = trio.lowlevel.current_trio_token().run_sync_soon
        else:
            self._event = asyncio.Event()
            self._schedule = asyncio.get_running_loop().call_soon_threadsafe

    async def wait(self):
        self.begins.set()
        await self._event.wait()

    def wake(self):
        self._schedule(self._event.set)


def in_threads(*functions):
    """Call each in a thread of its own, and raise what one of them raises."""
    with concurrent.futures.ThreadPoolExecutor(len(functions)) as executor:
        for future in [executor.submit(function) for function in functions]:
            future.result(PATIENCE)


ONE = httpx.Limits(max_connections=1)


def test_who_waits_in_another_loop_is_woken(run, app):
    client = httpx.AsyncClient(limits=ONE, timeout=None)
    holds = threading.Event()

    async def first():
        async with client.stream("GET", app.url + "/bytes/1000000") as response:
            holds.set()
            while not client.pool_stats().waiting:
                await turn()
            for _ in range(100):
                await turn()  # the other loop goes to sleep meanwhile
            await response.aread()

    async def second():
        assert (await client.get(app.url + "/json")).status_code == 200
        await client.aclose()

    def later():
        holds.wait(PATIENCE)
        run(second)

    in_threads(lambda: run(first), later)
    assert client.pool_stats() == (0, 0, 0, 0)


def test_a_connection_of_a_loop_that_sleeps_is_closed_at_once(run, scripted):
    server = scripted(keep_alive(lambda request: respond(b"ok")))
    client = httpx.AsyncClient(limits=ONE)
    sleepers = []
    sleeps = threading.Event()

    async def first():
        await client.get(server.url)
        sleepers.append(Asleep())
        sleeps.set()
        await sleepers[0].wait()

    async def second():
        await client.get(server.url)  # there is room for one connection, which is idle: it gives way
        await client.aclose()

    def later():
        sleeps.wait(PATIENCE)
        sleepers[0].begins.wait(PATIENCE)
        run(second)
        server.wait_for_no_connections()
        sleepers[0].wake()

    in_threads(lambda: run(first), later)
    assert len(server.connections) == 2


def test_a_response_that_is_collected_in_another_thread_ends_its_connection_where_that_belongs(run, app):
    client = httpx.AsyncClient()
    dropped = []

    async def first():
        request = client.build_request("GET", app.url + "/bytes/1000000")
        dropped.append(await client.send(request, stream=True))

        def drop():
            with pytest.warns(ResourceWarning, match="dropped without being read"):
                dropped.clear()
            gc.collect()

        thread = threading.Thread(target=drop)
        thread.start()
        while client.pool_stats().open:
            await turn()
        thread.join()
        assert (await client.get(app.url + "/json")).status_code == 200
        await client.aclose()

    run(first)


def test_many_requests_in_many_loops(run, app):
    client = httpx.AsyncClient(limits=httpx.Limits(max_connections=3), timeout=PATIENCE)

    async def body():
        for number in range(40):
            assert len((await client.get(f"{app.url}/bytes/{number}")).content) == number

    in_threads(*[lambda: run(body)] * 4)

    async def close():
        await client.aclose()

    run(close)
    assert client.pool_stats() == (0, 0, 0, 0)
