"""What is particular to trio: it is found by itself, its cancellation is honoured, and nothing of asyncio gets in its way."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest
import trio
import trio.testing

import httpx
from tests.support.servers import keep_alive, respond, say

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture
def silent(scripted):
    """A server that never answers."""
    return scripted(say())


def test_one_client_serves_asyncio_and_trio_in_turn(app):
    """Connections belong to the runtime in which they were made."""
    client = httpx.AsyncClient()

    async def ask() -> int:
        return (await client.get(app.url + "/json")).status_code

    assert [asyncio.run(ask()), trio.run(ask), asyncio.run(ask()), trio.run(ask)] == [200] * 4
    assert len(app.connections) == 4
    trio.run(client.aclose)


def test_trio_is_found_as_a_guest_of_asyncio(app):
    async def ask() -> type:
        async with httpx.AsyncClient() as client:
            response = await client.get(app.url + "/bytes/1000000")
            assert len(response.content) == 1_000_000
            return type(response.extensions["network_stream"]._stream)

    async def host() -> type:
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        trio.lowlevel.start_guest_run(
            ask, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=lambda outcome: ended.set_result(outcome)
        )
        of_asyncio = await ask()
        of_trio = (await ended).unwrap()
        return [of_asyncio.__name__, of_trio.__name__]

    assert asyncio.run(host()) == ["AsyncioStream", "TrioStream"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_deadline_of_trio_ends_a_request_wherever_it_is(silent, scripted, scheme):
    async def main() -> None:
        server = silent if scheme == "http" else scripted(lambda conn: conn.wait_closed())
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=60) as client:
            for _ in range(3):
                with trio.move_on_after(0.05) as scope:
                    await client.get(f"{scheme}://{server.authority}/")
                assert scope.cancelled_caught
            assert client.pool_stats() == (0, 0, 0, 0)

    trio.run(main)


def test_every_request_is_a_checkpoint(app):
    """Also one whose response is there before anybody waits for it."""

    async def main() -> None:
        async with httpx.AsyncClient() as client:
            await client.get(app.url + "/json")
            with trio.CancelScope() as scope:
                scope.cancel()
                await client.get(app.url + "/json")
            assert scope.cancelled_caught
            async with client.stream("GET", app.url + "/bytes/3000000") as response:
                pieces = response.aiter_raw()
                await anext(pieces)  # may have come with the head
                with trio.testing.assert_checkpoints():
                    await anext(pieces)

    trio.run(main)


def test_closing_the_client_wakes_those_who_read(silent):
    async def main() -> None:
        client = httpx.AsyncClient(timeout=60)

        async def ask() -> None:
            with pytest.raises(httpx.ReadError, match="closed"):
                await client.get(silent.url)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.to_thread.run_sync(silent.wait_for_requests, 1)
            await client.aclose()

    trio.run(main)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_response_may_be_dropped_after_trio_has_ended(app):
    async def main() -> tuple[httpx.AsyncClient, httpx.Response]:
        client = httpx.AsyncClient()
        return client, await client.send(client.build_request("GET", app.url + "/bytes/5000000"), stream=True)

    client, response = trio.run(main)
    del client, response
    gc.collect()


def test_waiting_requests_are_served_as_connections_become_free(scripted):
    async def main() -> None:
        lock = threading.Lock()
        server = scripted(keep_alive(lambda request: respond(request.target)))
        answers = []
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=3), timeout=20) as client:

            async def ask(number: int) -> None:
                response = await client.get(f"{server.url}/{number}")
                with lock:
                    answers.append(response.text)

            async with trio.open_nursery() as nursery:
                for number in range(200):
                    nursery.start_soon(ask, number)
        assert sorted(answers) == sorted(f"/{number}" for number in range(200))
        assert len(server.connections) <= 3

    trio.run(main)


def test_without_a_runtime_it_is_said_what_is_missing():
    request = httpx.AsyncClient().get("http://example.org/")
    with pytest.raises(RuntimeError, match="asyncio or trio"):
        request.send(None)
