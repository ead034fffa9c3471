"""The pool's judgement: which connection serves which request, who waits, and for how long."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import warnings

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.http2 import HTTP2Peer, keep_alive_http2
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")


async def test_the_limit_for_one_host_leaves_room_for_others(runtime, app_server):
    first, second = app_server(), app_server()
    limits = httpx.Limits(max_connections=10, max_connections_per_host=2)
    async with runtime.client(limits=limits) as client:
        urls = [first.url + "/wait/a"] * 6 + [second.url + "/wait/b"] * 2

        async def release():
            await runtime.in_thread(second.arrived, "b")
            second.release("b")
            first.release("a")

        responses = await runtime.gather(*[lambda url=url: client.get(url) for url in urls], release)
    assert [response.text for response in responses[:8]] == ["a"] * 6 + ["b"] * 2
    assert len(first.connections) == 2
    assert len(second.connections) <= 2


async def test_a_connection_that_is_old_serves_no_further_request(runtime, app):
    async with runtime.client(limits=httpx.Limits(max_connection_age=0.0)) as client:
        await client.get(app.url + "/json")
        await client.get(app.url + "/json")
    assert len(app.connections) == 2
    async with runtime.client(limits=httpx.Limits(max_connection_age=3600.0)) as client:
        await client.get(app.url + "/json")
        await client.get(app.url + "/json")
    assert len(app.connections) == 3


async def test_what_a_client_has_open_can_be_looked_at(runtime, app):
    async with runtime.client() as client:
        assert client.pool_stats() == (0, 0, 0, 0)
        async with client.stream("GET", app.url + "/bytes/500000"):
            stats = client.pool_stats()
            assert (stats.open, stats.idle, stats.in_use, stats.waiting) == (1, 0, 1, 0)
        await client.get(app.url + "/json")
        assert client.pool_stats() == (1, 1, 0, 0)
    assert client.pool_stats() == (0, 0, 0, 0)


async def test_a_dead_reused_connection_is_not_replaced_if_that_is_switched_off(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(respond(b"%d" % conn.number))
        conn.read_request()
        conn.reset()

    server = scripted(script)
    make = httpx.AsyncHTTPTransport if runtime.is_async else httpx.HTTPTransport
    async with runtime.client(transport=make(resend=False)) as client:
        await client.get(server.url)
        with pytest.raises(httpx.TransportError) as caught:
            await client.get(server.url)
        assert str(caught.value).startswith("A reused connection died: ")
    assert "used before" in caught.value.__notes__[0]
    assert len(server.connections) == 1


async def test_an_error_on_a_reused_connection_says_so(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(respond(b"first"))
        conn.read_request()
        conn.reset()

    server = scripted(script)
    async with runtime.client() as client:
        await client.get(server.url)
        with pytest.raises(httpx.TransportError) as caught:
            await client.post(server.url, content=b"not to be sent twice")
    assert str(caught.value).startswith("A reused connection died: ")
    assert "used before" in caught.value.__notes__[0]


async def test_closing_while_requests_run_ends_them_with_a_clear_error(runtime, app):
    # N15
    client = runtime.client(limits=httpx.Limits(max_connections=5))

    async def fetch():
        with pytest.raises(httpx.TransportError, match="The client was closed"):
            await client.get(app.url + "/wait/x")

    async def close():
        await runtime.in_thread(app.wait_for_requests, 5)
        await client.aclose()

    await runtime.gather(*[fetch] * 10, close)
    app.release("x")


def test_many_tasks_on_few_connections(app):
    async def body():
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=10), timeout=httpx.Timeout(60)) as client:
            responses = await asyncio.gather(*[client.get(f"{app.url}/bytes/{number % 50}") for number in range(1000)])
            assert [len(response.content) for response in responses] == [number % 50 for number in range(1000)]
            assert client.pool_stats().in_use == client.pool_stats().waiting == 0

    asyncio.run(body())
    assert len(app.connections) <= 10


def test_one_client_in_many_threads(app):
    # N10
    failures = []
    with httpx.Client(limits=httpx.Limits(max_connections=5), timeout=60) as client:

        def work(number):
            try:
                for size in range(100):
                    assert len(client.get(f"{app.url}/bytes/{number * 100 + size}").content) == number * 100 + size
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.pool_stats().in_use == client.pool_stats().waiting == 0
    assert failures == []
    assert len(app.connections) <= 5


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_client_may_be_used_in_one_event_loop_after_another(scripted, authority, loop, tls, http2):
    # N9
    context = authority.server() if tls else None
    if context is not None:
        context.set_alpn_protocols(["h2" if http2 else "http/1.1"])
    script = keep_alive_http2(lambda fields, body: b"ok") if http2 else keep_alive(lambda request: respond(b"ok"))
    server = scripted(script, ssl_context=context)
    trust = httpx.SSLContext(verify=str(authority.pem)) if tls else None
    loop_factory = pytest.importorskip("uvloop").new_event_loop if loop == "uvloop" else None
    limits = httpx.Limits(max_connections=1)
    client = httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(http1=not http2, http2=http2, ssl_context=trust, limits=limits))

    async def fetch():
        assert (await client.get(server.url)).content == b"ok"
        assert (await client.get(server.url)).content == b"ok"

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            _run(fetch(), loop_factory)
        _run(client.aclose(), loop_factory)


def _run(coroutine, loop_factory):
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(coroutine)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_a_process_that_was_forked_has_connections_of_its_own(app_server, authority, tls):
    server = app_server(ssl_context=authority.server() if tls else None)
    trust = httpx.SSLContext(verify=str(authority.pem)) if tls else None
    with httpx.Client(ssl_context=trust) as client:
        client.get(server.url + "/json")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of forks where there are threads
            child = os.fork()
        if child == 0:  # pragma: no cover
            status = 1
            try:
                signal.alarm(20)
                before = client.pool_stats()
                response = client.get(server.url + "/json")
                status = 0 if (before.open, response.status_code) == (0, 200) else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        client.get(server.url + "/json")
    assert len(server.connections) == 2


async def test_requests_wait_for_the_first_connection_that_may_serve_them_all(runtime, scripted):
    server = scripted(keep_alive_http2(lambda fields, body: b"ok"))
    make = httpx.AsyncHTTPTransport if runtime.is_async else httpx.HTTPTransport
    async with runtime.client(transport=make(http1=False, http2=True)) as client:
        await runtime.gather(*[lambda: client.get(server.url) for _ in range(20)])
    assert len(server.connections) == 1


async def test_if_the_first_connection_fails_the_others_try_at_the_same_time(runtime, scripted):
    def script(conn):
        if conn.number == 0:
            return
        peer = HTTP2Peer(conn)
        while True:
            peer.respond(peer.read_request()[0], b"ok")

    server = scripted(script)
    make = httpx.AsyncHTTPTransport if runtime.is_async else httpx.HTTPTransport
    async with runtime.client(transport=make(http1=False, http2=True)) as client:

        async def fetch():
            try:
                return (await client.get(server.url)).content
            except httpx.TransportError:
                return b"failed"

        outcomes = await runtime.gather(*[fetch] * 5)
    assert outcomes.count(b"ok") >= 1
    assert set(outcomes) <= {b"ok", b"failed"}


async def test_nobody_gives_up_on_account_of_another_ones_connecting(runtime, scripted, authority):
    # Its time-out for the pool is over while another one's connection is being made: there is room for one of its own.
    context = authority.server()
    context.set_alpn_protocols(["h2"])

    def script(conn):
        if conn.number == 0:
            conn.wait_for(gate)
        conn.upgrade_to_tls(context)
        peer = HTTP2Peer(conn)
        while True:
            peer.respond(peer.read_request()[0], b"%d" % conn.number)
            gate.set()

    server = scripted(script)
    gate = server.event()
    make = httpx.AsyncHTTPTransport if runtime.is_async else httpx.HTTPTransport
    transport = make(http2=True, ssl_context=httpx.SSLContext(verify=str(authority.pem)))
    async with runtime.client(transport=transport, timeout=httpx.Timeout(10, pool=0.2)) as client:
        url = server.url.replace("http:", "https:")
        responses = await runtime.gather(*[lambda: client.get(url) for _ in range(2)])
    assert sorted(response.content for response in responses) == [b"0", b"1"]


async def test_a_client_that_is_closed_does_not_end_what_another_one_with_its_transport_has_not_sent_yet(runtime, scripted, authority):
    def script(conn):
        if conn.number == 0:
            arrived.set()
            conn.wait_for(gate)
        conn.upgrade_to_tls(authority.server())
        while True:
            conn.read_request()
            conn.send(respond(b"%d" % conn.number))

    server = scripted(script)
    arrived, gate = server.event(), server.event()
    url = server.url.replace("http:", "https:")
    limits = httpx.Limits(max_connections=1)
    transport = runtime.transport(limits=limits, ssl_context=httpx.SSLContext(verify=str(authority.pem)))
    closing = runtime.client(transport=transport)
    async with runtime.client(transport=transport, timeout=20) as client:

        async def close():
            await runtime.in_thread(arrived.wait)
            await closing.aclose()
            gate.set()

        connecting, waiting, _ = await runtime.gather(*[lambda: client.get(url) for _ in range(2)], close)
        assert (connecting.content, waiting.content) == (b"1", b"1")
        assert transport.pool_stats().open == 1


async def test_who_waited_for_one_that_was_being_opened_is_told(runtime, scripted):
    """None is in use then, which would be no reason to wait."""
    server = scripted(lambda conn: conn.wait_closed())  # and so TLS is never agreed upon
    url = server.url.replace("http:", "https:")
    async with runtime.client(limits=httpx.Limits(max_connections=1)) as client:

        async def connect():
            with pytest.raises(httpx.ConnectTimeout):
                await client.get(url, timeout=httpx.Timeout(0.5, pool=20))

        async def wait():
            await runtime.in_thread(server.wait_for, lambda server: server.connections)
            with pytest.raises(httpx.PoolTimeout, match=r": 0 of 1 open connections are in use, 1 being opened, and 0 requests wait\."):
                await client.get(url, timeout=httpx.Timeout(20, pool=0.05))

        await runtime.gather(connect, wait)
