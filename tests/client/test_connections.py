"""Which connection a request goes over: reuse, limits, order, and what is never reused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.http2 import HTTP2Peer
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")


async def test_requests_one_after_another_share_a_connection(runtime, app):
    async with runtime.client() as client:
        for _ in range(5):
            await client.get(app.url + "/json")
    assert len(app.connections) == 1


async def test_requests_at_the_same_time_have_a_connection_each_up_to_the_limit(runtime, app):
    async with runtime.client(limits=httpx.Limits(max_connections=3)) as client:
        bodies = [lambda i=i: client.get(f"{app.url}/echo/{i}", headers={"X-I": str(i)}) for i in range(30)]
        responses = await runtime.gather(*bodies)
    assert [str(response.url).rpartition("/")[2] for response in responses] == [str(i) for i in range(30)]
    assert all(str(i) in response.text for i, response in enumerate(responses))
    assert len(app.connections) <= 3


async def test_no_keep_alive_means_a_connection_per_request(runtime, app):
    async with runtime.client(limits=httpx.Limits(max_keepalive_connections=0)) as client:
        for _ in range(3):
            await client.get(app.url + "/json")
    assert len(app.connections) == 3


async def test_an_expired_connection_is_not_used_again(runtime, app):
    async with runtime.client(limits=httpx.Limits(keepalive_expiry=0.0)) as client:
        await client.get(app.url + "/json")
        await client.get(app.url + "/json")
    assert len(app.connections) == 2


async def test_two_clients_share_nothing(runtime, app):
    async with runtime.client() as one, runtime.client() as other:
        await one.get(app.url + "/json")
        await other.get(app.url + "/json")
    assert len(app.connections) == 2


async def test_a_connection_verified_for_one_name_does_not_serve_another(runtime, app):
    async with runtime.client() as client:
        await client.get(app.url + "/json")
        await client.get(app.url + "/json", extensions={"sni_hostname": "other.test"})
        await client.get(app.url + "/json")
    assert len(app.connections) == 2


EVIL = respond(b"EVIL")


async def test_a_response_that_nobody_asked_for_never_reaches_a_request(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(respond(b"first" if conn.number == 0 else b"second") + (EVIL if conn.number == 0 else b""))
        conn.wait_closed()

    server = scripted(script)
    async with runtime.client() as client:
        assert (await client.get(server.url)).content == b"first"
        assert (await client.get(server.url)).content == b"second"
    assert len(server.connections) == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_that_died_while_idle_is_replaced_unnoticed(runtime, scripted, method):
    def script(conn):
        conn.read_request()
        conn.send(respond(b"own"))
        if conn.number == 0:
            conn.close()

    server = scripted(script)
    async with runtime.client() as client:
        await client.request(method, server.url)
        await runtime.in_thread(server.wait_for_no_connections)
        await runtime.turn()
        assert (await client.request(method, server.url)).content == b"own"


@pytest.mark.parametrize("end", ["goodbye", "cut", "reset"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
async def test_so_it_is_where_the_program_has_kept_the_event_loop_busy(runtime, scripted, tmp_path, tls, http2, end):
    authority = Authority(tmp_path) if tls else None
    context = authority.server() if authority else None
    if context is not None:
        context.set_alpn_protocols(["h2" if http2 else "http/1.1"])
    is_through = threading.Event()

    def script(conn):
        if http2:
            peer = HTTP2Peer(conn)
            peer.respond(peer.read_request()[0], b"own")
        else:
            conn.read_request()
            conn.send(respond(b"own"))
        if conn.number == 0:
            conn.wait_for(is_through)
            conn.reset() if end == "reset" else conn.close(close_notify=end == "goodbye")

    server = scripted(script, ssl_context=context)
    trust = httpx.SSLContext(verify=str(authority.pem)) if authority else None
    async with runtime.client(transport=runtime.transport(http1=not http2, http2=http2, ssl_context=trust)) as client:
        await client.get(server.url)
        is_through.set()
        server.wait_for_no_connections()  # which blocks
        assert (await client.post(server.url, content=b"not to be sent twice")).content == b"own"


def dies_at_its_second_request(conn):
    conn.read_request()
    conn.send(respond(b"own"))
    conn.read_request()
    if conn.number > 0:
        conn.send(respond(b"own"))


async def test_a_get_is_sent_again_when_a_reused_connection_dies_before_answering(runtime, scripted):
    server = scripted(dies_at_its_second_request)
    async with runtime.client() as client:
        await client.get(server.url)
        response = await client.get(server.url)
    assert response.content == b"own"
    assert response.extensions["attempts"] == 2


async def test_it_goes_over_a_new_connection_though_others_are_idle(runtime, scripted):
    # Those have been idle for longer, and mostly are as dead.
    everybody = threading.Barrier(3)

    def script(conn):
        conn.read_request()
        if conn.number < 3:
            everybody.wait()
        conn.send(respond(b"own"))
        conn.read_request()  # and hangs up

    server = scripted(script)
    async with runtime.client() as client:
        await runtime.gather(*[lambda: client.get(server.url)] * 3)
        response = await client.get(server.url)
    assert response.extensions["attempts"] == 2
    assert len(server.connections) == 4


async def test_it_goes_at_once_though_others_wait(runtime, scripted):
    # A server that hangs up after each answer and does not say so: who is given the connection of another one finds out when it is dead.
    def script(conn):
        conn.send(respond(conn.read_request().target.encode()))
        if conn.number:
            conn.read_request()  # and hangs up

    server = scripted(script)
    count = 40
    async with runtime.client(limits=httpx.Limits(max_connections=3), timeout=20) as client:
        responses = await runtime.gather(*[lambda i=i: client.get(f"{server.url}/{i}") for i in range(count)])
        assert client.pool_stats().open <= 3
    assert [response.text for response in responses] == [f"/{i}" for i in range(count)]


async def test_a_post_is_not_sent_again(runtime, scripted):
    server = scripted(dies_at_its_second_request)
    async with runtime.client() as client:
        await client.get(server.url)
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await client.post(server.url, content=b"once")
    assert [request.method for request in server.requests] == ["GET", "POST"]


async def test_unix_sockets_carry_requests(runtime, tmp_path):
    import socket
    import threading

    path = str(tmp_path / "server.sock")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen()

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(respond(b"from the socket"))

    thread = threading.Thread(target=serve)
    thread.start()
    transport = httpx.AsyncHTTPTransport(uds=path) if runtime.is_async else httpx.HTTPTransport(uds=path)
    async with runtime.client(transport=transport) as client:
        response = await client.get("http://anything/")
    thread.join()
    listener.close()
    assert response.content == b"from the socket"


class CancelledAt:
    """Await a coroutine, and have the task cancelled when the coroutine suspends for the `step`-th time."""

    def __init__(self, step: int, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._step = step
        self._coroutine = coroutine

    def __await__(self) -> Iterator[Any]:
        inner = self._coroutine.__await__()
        suspended = inner.send(None)
        while True:
            self._step -= 1
            if self._step == 0:
                asyncio.current_task().cancel()
            try:
                sent = yield suspended
                suspended = inner.send(sent)
            except StopIteration as end:
                return end.value
            except asyncio.CancelledError as cancelled:
                suspended = inner.throw(cancelled)


async def test_every_await_of_a_request_can_be_cancelled_without_a_trace(scripted):
    """Cancel at the first suspension, then the second, and so on until the request gets through."""
    server = scripted(keep_alive(lambda request: [respond(request.target.encode())[:30], respond(request.target.encode())[30:]]))

    async def cancel_at(step: int) -> bool:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(5, pool=1)) as client:
            try:
                await CancelledAt(step, client.get(server.url + "/cancelled"))
                finished = True
            except asyncio.CancelledError:
                finished = False
            response = await client.get(server.url + "/next")
            assert response.content == b"/next"
            assert client.pool_stats() == (1, 1, 0, 0)
            return finished

    step = 1
    while not await cancel_at(step):
        step += 1
    assert step > 3


async def test_a_waiter_cancelled_as_it_is_served_passes_its_place_on(app):
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(5, pool=2)) as client:
        async with client.stream("GET", app.url + "/bytes/5000000"):
            waiting = asyncio.create_task(client.get(app.url + "/json"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        waiting.cancel()  # the place was handed over when the block ended, and the task has not run since
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await client.get(app.url + "/json")).status_code == 200


async def test_a_storm_of_cancelled_requests_mixes_up_no_answers(scripted):
    import random

    random.seed(7)
    server = scripted(keep_alive(lambda request: respond(request.target.encode())))
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=8), timeout=httpx.Timeout(10)) as client:

        async def one(number: int) -> None:
            response = await client.get(f"{server.url}/{number}")
            assert response.content == b"/%d" % number

        tasks = [asyncio.create_task(one(number)) for number in range(1000)]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            random.choice(tasks).cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(result) for result in results} <= {type(None), asyncio.CancelledError}
        assert client.pool_stats().in_use == 0
        assert (await client.get(server.url + "/after")).content == b"/after"


def test_sixteen_threads_share_a_client(scripted):
    import concurrent.futures

    server = scripted(keep_alive(lambda request: respond(request.target.encode())))
    with httpx.Client(limits=httpx.Limits(max_connections=5), timeout=30) as client, concurrent.futures.ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda number: client.get(f"{server.url}/{number}").content, range(1000)))
    assert answers == [b"/%d" % number for number in range(1000)]
    assert len(server.connections) <= 5


def test_an_async_client_works_from_a_second_event_loop(app):
    client = httpx.AsyncClient()

    async def ask() -> int:
        return (await client.get(app.url + "/json")).status_code

    assert asyncio.run(ask()) == 200
    assert asyncio.run(ask()) == 200
    asyncio.run(client.aclose())
