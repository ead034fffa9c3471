"""`Timeout(total=...)`: one deadline for all of an exchange."""

from __future__ import annotations

import itertools

import pytest

import httpx
from tests.support.http2 import keep_alive_http2
from tests.support.servers import keep_alive, respond


def test_total_is_set_only_if_it_is_given():
    assert httpx.Timeout(5.0).total is None
    assert "total" not in httpx.Timeout(5.0).as_dict()
    timeout = httpx.Timeout(5.0, read=3.0, total=10.0)
    assert timeout.as_dict() == {"connect": 5.0, "read": 3.0, "write": 5.0, "pool": 5.0, "total": 10.0}
    assert repr(timeout) == "Timeout(connect=5.0, read=3.0, write=5.0, pool=5.0, total=10.0)"
    assert httpx.Timeout(timeout) == timeout != httpx.Timeout(5.0, read=3.0)
    assert httpx.Timeout(timeout, total=None).total is None
    assert httpx.Timeout(total=10.0).as_dict() == {"connect": None, "read": None, "write": None, "pool": None, "total": 10.0}


async def test_an_exchange_within_the_deadline_is_as_any_other(runtime, app):
    async with runtime.client(timeout=httpx.Timeout(5.0, total=30.0)) as client:
        assert (await client.get(app.url + "/chunked/100000")).status_code == 200
        assert (await client.get(app.url + "/redirect/3", follow_redirects=True)).status_code == 200
        assert (await client.post(app.url + "/echo", content=b"x" * 600_000)).status_code == 200


def dripping(conn):
    conn.read_request()
    conn.drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n")


async def test_a_body_that_never_ends_ends_at_the_deadline(runtime, scripted):
    server = scripted(dripping)
    async with runtime.client(timeout=httpx.Timeout(5.0, total=0.4)) as client:
        with pytest.raises(httpx.ReadTimeout) as caught:
            await client.get(server.url)
    assert "0.4 seconds" in "".join([str(caught.value), *getattr(caught.value, "__notes__", [])])


async def test_a_body_that_is_streamed_ends_at_the_deadline(runtime, scripted):
    server = scripted(dripping)
    async with runtime.client(timeout=httpx.Timeout(None, total=0.4)) as client, client.stream("GET", server.url) as response:
        with pytest.raises(httpx.ReadTimeout):
            async for _ in response.aiter_bytes():
                pass


async def test_redirects_share_one_deadline(runtime, scripted):
    numbers = itertools.count()

    def answer(request):
        server.event().wait(0.1)
        return respond(status=302, headers=[("Location", f"/{next(numbers)}")])

    server = scripted(keep_alive(answer))
    async with runtime.client(timeout=httpx.Timeout(5.0, total=0.45), follow_redirects=True) as client:
        with pytest.raises(httpx.TimeoutException):
            await client.get(server.url)
    assert 1 < next(numbers) < 15


async def test_a_head_that_does_not_come(runtime, scripted):
    server = scripted(lambda conn: conn.wait_closed())
    async with runtime.client(timeout=httpx.Timeout(total=0.3)) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(server.url)


@pytest.mark.parametrize("http2", [False, True])
async def test_content_that_keeps_everybody_waiting(runtime, scripted, http2):
    if not runtime.is_async:
        pytest.skip("what blocks cannot be left")
    was_left = []

    async def endless():
        try:
            yield b"a"
            while True:
                await runtime.turn()
        finally:
            was_left.append(True)

    def echo(fields, body):
        return body

    server = scripted(keep_alive_http2(echo) if http2 else keep_alive(lambda request: respond(request.body)))
    async with runtime.client(http1=not http2, http2=http2) as client:
        with pytest.raises(httpx.WriteTimeout, match=r"not complete within the 0\.2 seconds"):
            await client.post(server.url, content=endless(), timeout=httpx.Timeout(20.0, total=0.2))
        assert was_left
        assert client.pool_stats().in_use == 0
        assert (await client.post(server.url, content=b"b")).content == b"b"


async def test_waiting_for_a_connection_counts(runtime, app):
    limits = httpx.Limits(max_connections=1)
    settings = {"timeout": httpx.Timeout(5.0, total=0.3), "limits": limits}
    async with runtime.client(**settings) as client, client.stream("GET", app.url + "/bytes/1000000", timeout=5.0):
        with pytest.raises(httpx.PoolTimeout):
            await client.get(app.url + "/json")


async def test_each_request_has_its_own_deadline(runtime, app):
    async with runtime.client(timeout=httpx.Timeout(total=10.0)) as client:
        request = client.build_request("GET", app.url + "/json")
        first = await client.send(request)
        deadline = request.extensions["timeout"].deadline
        await client.send(request)
        assert first.status_code == 200
        assert request.extensions["timeout"].deadline > deadline
