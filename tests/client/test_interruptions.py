"""A request that is interrupted, at any point: nothing is left behind, and the next one gets its own answer."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import random
import warnings

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.http2 import keep_alive_http2
from tests.support.interruption import MOMENTS, Fault, FaultyNetwork, cancelled_at
from tests.support.servers import keep_alive, respond, respond_chunked

pytestmark = pytest.mark.usefixtures("no_leaks")

MOST = 200  # no request here has as many points as this

PATHS = itertools.count()


def echo_http1(request):
    if request.path.startswith("/slow"):
        return respond_chunked([request.target.encode(), b" ", request.body])
    return respond(request.target.encode() + b" " + request.body)


def echo_http2(fields, body):
    return fields[":path"].encode() + b" " + body


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["HTTP/1.1", "HTTP/1.1 on TLS", "HTTP/2", "HTTP/2 on TLS"])
def echo(request, scripted, authority):
    """A server that answers with path and body, and the arguments of a transport that speaks its protocol."""
    http2 = "HTTP/2" in request.param
    context = None
    if "TLS" in request.param:
        context = authority.server()
        context.set_alpn_protocols(["h2" if http2 else "http/1.1"])
    server = scripted(keep_alive_http2(echo_http2) if http2 else keep_alive(echo_http1), ssl_context=context)
    trust = httpx.SSLContext(verify=str(authority.pem)) if context else None
    return server, {"http1": not http2, "http2": http2, "ssl_context": trust, "limits": httpx.Limits(max_connections=1)}


async def plain(client, url):
    path = f"/plain/{next(PATHS)}"
    assert (await client.get(url + path)).text == path + " "


async def upload(client, url):
    path = f"/slow/{next(PATHS)}"

    def pieces():
        for number in range(3):
            yield b"%d" % number * 30_000

    body = "".join(piece.decode() for piece in pieces())
    content = pieces() if type(client).__name__ == "SyncClient" else _async(pieces())
    assert (await client.post(url + path, content=content)).text == path + " " + body


async def _async(pieces):
    for piece in pieces:
        yield piece


async def streamed(client, url):
    path = f"/slow/{next(PATHS)}"
    async with client.stream("POST", url + path, content=b"x" * 200_000) as response:
        assert "".join([text async for text in response.aiter_text()]) == path + " " + "x" * 200_000


CONVERSATIONS = {"plain": plain, "upload": upload, "streamed": streamed}


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("conversation", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_a_cancellation_at_any_point_leaves_nothing_behind(echo, conversation, moment, loop):
    # N3, and N2 for those that were woken
    server, options = echo

    async def body():
        for k in range(1, MOST):
            async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(**options)) as client:
                was_cancelled = await cancelled_at(k, moment, lambda client=client: conversation(client, server.url))
                stats = client.pool_stats()
                assert (stats.in_use, stats.waiting) == (0, 0), f"after a cancellation at point {k}"
                await plain(client, server.url)
                await conversation(client, server.url)
            if not was_cancelled:
                return k
        raise AssertionError("there was no end to it")

    loop_factory = pytest.importorskip("uvloop").new_event_loop if loop == "uvloop" else None
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(body()) > 1


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_cancellation_while_others_are_served_on_the_same_connection(scripted, moment):
    server = scripted(keep_alive_http2(echo_http2))

    async def body():
        for k in range(1, MOST):
            async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(http1=False, http2=True)) as client:
                await plain(client, server.url)
                others = [asyncio.create_task(streamed(client, server.url)) for _ in range(3)]
                was_cancelled = await cancelled_at(k, moment, lambda client=client: upload(client, server.url))
                others += [asyncio.create_task(plain(client, server.url)) for _ in range(3)]
                await asyncio.gather(*others)
                assert client.pool_stats() == (1, 1, 0, 0)
            if not was_cancelled:
                return
        raise AssertionError("there was no end to it")

    asyncio.run(body())


async def test_a_failure_of_any_operation_leaves_nothing_behind(runtime, echo):
    # N4
    server, options = echo
    for conversation in (plain, upload, streamed):
        for k in range(1, MOST):
            make = httpx.AsyncHTTPTransport if runtime.is_async else httpx.HTTPTransport
            transport = make(**options)
            faulty = transport._network = FaultyNetwork(_network_of(runtime), k)
            async with runtime.client(transport=transport) as client:
                with contextlib.suppress(Fault):
                    await conversation(client, server.url)
                stats = client.pool_stats()
                assert (stats.in_use, stats.waiting) == (0, 0), f"after a failure at operation {k}"
                faulty.is_armed = False
                await plain(client, server.url)
            if not faulty.has_failed:
                break
        else:
            raise AssertionError("there was no end to it")


def _network_of(runtime):
    if not runtime.is_async:
        return importlib.import_module("httpx._network.blocking").BlockingNetwork()
    return importlib.import_module("httpx._network.runtime").current_network()


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/2"])
def test_random_cancellations_never_mix_up_answers(scripted, protocol):
    # N1
    http2 = protocol == "HTTP/2"
    server = scripted(keep_alive_http2(echo_http2) if http2 else keep_alive(echo_http1))
    chance = random.Random(1)

    async def body():
        options = {"http1": not http2, "http2": http2, "limits": httpx.Limits(max_connections=10)}
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(**options)) as client:
            for _ in range(40):
                tasks = [asyncio.create_task(plain(client, server.url)) for _ in range(50)]
                for _ in range(chance.randrange(6)):
                    await asyncio.sleep(0)
                for task in tasks:
                    if chance.random() < 0.6:
                        task.cancel()
                for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                    assert outcome is None or isinstance(outcome, asyncio.CancelledError), outcome
            stats = client.pool_stats()
            assert (stats.in_use, stats.waiting) == (0, 0)
            await plain(client, server.url)

    asyncio.run(body())


async def test_short_time_outs_leave_nothing_behind(runtime, echo):
    # N7
    server, options = echo
    make = httpx.AsyncHTTPTransport if runtime.is_async else httpx.HTTPTransport
    async with runtime.client(transport=make(**options)) as client:
        for number in range(60):
            with contextlib.suppress(httpx.TimeoutException):
                await client.get(server.url + "/plain", timeout=number / 20_000)
        stats = client.pool_stats()
        assert (stats.in_use, stats.waiting) == (0, 0)
        await plain(client, server.url)


def test_an_abandoned_stream_and_a_loop_that_ends(scripted):
    # N8
    server = scripted(keep_alive(echo_http1))

    async def body():
        async with httpx.AsyncClient() as client, client.stream("POST", server.url + "/slow", content=b"a\nb\nc\n") as response:
            async for _ in response.aiter_lines():
                break

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(body())
