"""`response.timings`: how long each phase took."""

from __future__ import annotations

import pickle

import httpx
from tests.support.proxies import http_proxy
from tests.support.servers import keep_alive, respond


async def test_a_new_connection_and_one_that_was_used_before(runtime, app_server, authority):
    server = app_server(ssl_context=authority.server("localhost"))
    url = f"https://localhost:{server.port}"
    async with runtime.client(ssl_context=httpx.SSLContext(verify=str(authority.pem))) as client:
        first = (await client.get(url + "/json")).timings
        second = (await client.get(url + "/json")).timings
    assert min(first.name, first.connect, first.tls, first.send, first.wait, first.body) > 0
    assert first.proxy is None
    assert first.pool >= 0
    assert abs(sum(part for part in first[:-1] if part is not None) - first.total) < 1e-6
    assert (second.pool, second.name, second.connect, second.tls) == (0.0, None, None, None)
    assert 0 < second.wait < second.total
    assert "tls" in str(first)
    assert "tls" not in str(second)


async def test_it_tells_where_the_time_went(runtime, scripted):
    def slow(conn):
        pause = conn.server.event()
        while True:
            conn.read_request()
            pause.wait(0.1)
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            pause.wait(0.1)
            conn.send(b"body")

    url = scripted(slow).url
    async with runtime.client() as client:
        for _ in range(20):  # a client on a busy machine may be late to look at its clock, but not each time
            response = await client.get(url)
            timings = response.timings
            assert timings.total > 0.19
            if timings.wait > 0.09 and timings.body > 0.09:
                break
        else:
            raise AssertionError(f"the server took its time before and behind the head, not here: {timings}")
    assert pickle.loads(pickle.dumps(getattr(response, "wrapped", response))).timings == timings


async def test_the_body_counts_once_it_is_read(runtime, app):
    async with runtime.client() as client, client.stream("GET", app.url + "/stream/1000") as response:
        assert response.timings.body is None
        await response.aread()
        assert response.timings.body > 0


async def test_waiting_for_a_connection(runtime, scripted):
    def answer(request):
        if request.path == "/slow":
            server.event().wait(0.2)
        return respond()

    server = scripted(keep_alive(answer))
    timings = {}
    async with runtime.client(limits=httpx.Limits(max_connections=1)) as client:

        async def first():
            timings["first"] = (await client.get(server.url + "/slow")).timings

        async def second():
            await runtime.in_thread(server.wait_for_requests, 1)
            timings["second"] = (await client.get(server.url)).timings

        await runtime.gather(first, second)
    assert timings["second"].pool > 0.05
    assert timings["second"].connect is None


async def test_through_a_proxy(runtime, scripted, app_server, authority):
    server = app_server(ssl_context=authority.server("www.example.org"))
    proxy = scripted(http_proxy({"www.example.org:443": server.port}))
    trusting = httpx.SSLContext(verify=str(authority.pem))
    async with runtime.client(proxy=proxy.url, ssl_context=trusting) as client:
        timings = (await client.get("https://www.example.org/")).timings
    assert min(timings.connect, timings.proxy, timings.tls) > 0


def test_responses_from_elsewhere_have_none():
    with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200))) as client:
        assert client.get("https://example.org").timings is None
