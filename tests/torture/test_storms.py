"""Storms: very many requests, a part of them cancelled, on few connections, some of which die at random. Every answer belongs to
its question, and nothing is left. `scripts/torture` runs them ten times as large."""

from __future__ import annotations

import asyncio
import os
import random

import pytest
import trio

import httpx
from tests.support.http2 import keep_alive_http2
from tests.support.servers import keep_alive, respond

SCALE = int(os.environ.get("HTTPX_TORTURE_SCALE", "1"))

pytestmark = [pytest.mark.usefixtures("no_leaks"), pytest.mark.timeout(120 * SCALE)]


def echo(request):
    return respond(request.target.encode())


def echo_and_sometimes_leave(conn):
    chance = random.Random(conn.number)
    while True:
        conn.send(echo(conn.read_request()))
        if chance.random() < 0.1:
            return


def echo_http2(fields, body):
    return fields[":path"].encode()


def serve(scripted, protocol):
    server = scripted(keep_alive_http2(echo_http2) if protocol == "HTTP/2" else keep_alive(echo))
    return server, {"http1": protocol != "HTTP/2", "http2": protocol == "HTTP/2"}


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize("factory", [None, "uvloop"], ids=["asyncio", "uvloop"])
def test_a_third_of_all_requests_is_cancelled_on_asyncio(scripted, protocol, factory):
    # N1
    server, protocols = serve(scripted, protocol)
    chance = random.Random(SCALE)

    async def main() -> None:
        transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=8), **protocols)
        async with httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(30, pool=None)) as client:

            async def one(number: int) -> None:
                assert (await client.get(f"{server.url}/{number}")).content == b"/%d" % number

            for start in range(0, 600 * SCALE, 200):
                tasks = [asyncio.create_task(one(number)) for number in range(start, start + 200)]
                for task in chance.sample(tasks, 67):
                    for _ in range(chance.randrange(4)):
                        await asyncio.sleep(0)
                    task.cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
                assert {type(result) for result in results} <= {type(None), asyncio.CancelledError}
            assert client.pool_stats()[2:] == (0, 0)
            await one(-1)

    with asyncio.Runner(loop_factory=pytest.importorskip(factory).new_event_loop if factory else None) as runner:
        runner.run(main())


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/2"])
def test_a_third_of_all_requests_is_cancelled_on_trio(scripted, protocol):
    server, protocols = serve(scripted, protocol)
    chance = random.Random(SCALE)
    answered = 0

    async def main() -> None:
        transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=8), **protocols)
        async with httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(30, pool=None)) as client:

            async def one(number: int, scope: trio.CancelScope) -> None:
                nonlocal answered
                with scope:
                    assert (await client.get(f"{server.url}/{number}")).content == b"/%d" % number
                    answered += 1

            for start in range(0, 600 * SCALE, 200):
                scopes = [trio.CancelScope() for _ in range(200)]
                async with trio.open_nursery() as nursery:
                    for number, scope in enumerate(scopes, start):
                        nursery.start_soon(one, number, scope)
                    for scope in chance.sample(scopes, 67):
                        for _ in range(chance.randrange(4)):
                            await trio.lowlevel.checkpoint()
                        scope.cancel()
            assert client.pool_stats()[2:] == (0, 0)
            await one(-1, trio.CancelScope())

    trio.run(main)
    assert answered >= 133 * 3 * SCALE


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/2"])
def test_sixteen_threads_share_a_client(scripted, protocol):
    # N10
    import concurrent.futures

    server, protocols = serve(scripted, protocol)
    transport = httpx.HTTPTransport(limits=httpx.Limits(max_connections=5), **protocols)
    with (
        httpx.Client(transport=transport, timeout=httpx.Timeout(30, pool=None)) as client,
        concurrent.futures.ThreadPoolExecutor(16) as threads,
    ):
        numbers = range(16 * 50 * SCALE)
        answers = list(threads.map(lambda number: client.get(f"{server.url}/{number}").content, numbers))
        assert answers == [b"/%d" % number for number in numbers]
        assert client.pool_stats()[2:] == (0, 0)
    assert len(server.connections) <= 5


async def test_many_tasks_on_few_connections_that_die_at_random(runtime, scripted):
    server = scripted(echo_and_sometimes_leave)
    # A server that leaves without a word may take a request along, which is an error if it was the first one of its connection.
    lost: list[httpx.TransportError] = []
    async with runtime.client(limits=httpx.Limits(max_connections=50), timeout=httpx.Timeout(60, pool=None)) as client:

        async def one(number: int) -> None:
            for step in range(10):
                try:
                    response = await client.get(f"{server.url}/{number}/{step}")
                except (httpx.ReadError, httpx.RemoteProtocolError) as error:
                    lost.append(error)
                else:
                    assert response.text == f"/{number}/{step}"

        await runtime.gather(*[lambda number=number: one(number) for number in range(50 * SCALE)])
        assert client.pool_stats()[2:] == (0, 0)
    assert len(lost) < 50 * SCALE
