"""Peers that are slow on purpose: time-outs hold, whatever it is that drips."""

from __future__ import annotations

import socket

import pytest

import httpx
from tests.hostile.attack import OWN, Case, assert_nothing_is_busy, assert_presentable, attack
from tests.support.certificates import Authority
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

RPE, SLOW = httpx.RemoteProtocolError, httpx.ReadTimeout
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def drip(first: bytes, more: bytes):
    """Send `first`, then `more` every now and then."""

    def script(conn):
        conn.send(first)
        pause = conn.server.event()
        while not pause.wait(0.02):
            conn.send(more)

    return script


def flood(first: bytes, more: bytes):
    def script(conn):
        conn.send(first)
        while True:
            conn.send(more)

    return script


def sends(data: bytes):
    def script(conn):
        conn.send(data)
        conn.wait_closed()

    return script


DRIPS = {
    "a head": drip(b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "informational responses": drip(b"", b"HTTP/1.1 103 X\r\n\r\n"),
    "a chunk extension": drip(CHUNKED + b"5;", b"a"),
    "the digits of a chunk size": drip(CHUNKED, b"0"),
    "a trailer": drip(CHUNKED + b"0\r\nA: ", b"a"),
    "trailers": drip(CHUNKED + b"0\r\n", b"A: b\r\n"),
    "gzip that amounts to nothing": drip(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"), b"1\r\n\x1f\r\n"),
}


@pytest.mark.parametrize("name", DRIPS)
@pytest.mark.parametrize("which", ["read", "total"])
def test_what_is_no_content_moves_no_deadline(runtime, which, name):
    expected = (SLOW, RPE, httpx.DecodingError) if "gzip" in name or "digits" in name or "informational" in name else SLOW
    timeout = httpx.Timeout(10, **{which: 0.3})
    attack(runtime, Case(name, DRIPS[name], expected, timeout=timeout))


@pytest.mark.parametrize("more", [b"1\r\na\r\n", b""], ids=["drips", "is silent"])
def test_the_body_of_a_redirect_does_not_outlast_the_total(runtime, monkeypatch, more):
    monkeypatch.setattr("httpx._exchange.drain.PATIENCE", 1_000.0)
    head = b"HTTP/1.1 302 X\r\nLocation: /next\r\nTransfer-Encoding: chunked\r\n\r\n"
    expected = (SLOW, httpx.WriteTimeout, httpx.ConnectTimeout, httpx.PoolTimeout)
    attack(runtime, Case("", drip(head, more), expected, timeout=httpx.Timeout(10, total=0.2), request={"follow_redirects": True}))


INSTEAD_OF_CONTINUE = {
    "garbage without end": (flood(b"", b"a" * 8192), RPE),
    "a head without end": (flood(b"HTTP/1.1 200 OK\r\nX: ", b"a" * 8192), RPE),
    "fields without end": (flood(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 1000), RPE),
    "100 without end": (flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), RPE),
    "a head that drips": (drip(b"HTTP/1.1 200 OK\r\nX: ", b"a"), SLOW),
    "silence": (sends(b""), SLOW),
    "an end": (lambda conn: None, (httpx.WriteError, RPE)),
    "a reset": (lambda conn: conn.reset(), (httpx.WriteError, httpx.ReadError, RPE)),
    "garbage and an end": (lambda conn: conn.send(b"\xff"), RPE),
    "a malformed head": (sends(b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n"), RPE),
    "another protocol": (sends(b"HTTP/1.1 101 X\r\n\r\n"), RPE),
    "an answer": (sends(respond(b"no")), b"no"),
    "an answer and another one": (sends(respond(b"no") + respond(b"EVIL")), b"no"),
}


@pytest.mark.parametrize("name", INSTEAD_OF_CONTINUE)
async def test_what_comes_instead_of_100_continue(runtime, scripted, name):
    act, expected = INSTEAD_OF_CONTINUE[name]

    def script(conn):
        if conn.number:
            keep_alive(lambda request: respond(OWN))(conn)
        conn.read_head()  # the body is not sent before there is leave to
        act(conn)

    server = scripted(script)
    sent = {"content": b"x" * 10, "headers": {"Expect": "100-continue"}}
    async with runtime.client(timeout=httpx.Timeout(4, read=0.3)) as client:
        if isinstance(expected, bytes):
            assert (await client.put(server.url, **sent)).content == expected
        else:
            with pytest.raises(expected) as caught:
                await client.put(server.url, **sent)
            assert_presentable(caught.value)
        assert_nothing_is_busy(client)
        assert (await client.get(server.url)).content == OWN


async def test_a_connection_that_died_before_100_continue_is_replaced(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(respond(OWN))
        if conn.number == 0:
            conn.read_head()  # of the next request, and hangs up

    server = scripted(script)
    async with runtime.client() as client:
        await client.get(server.url)
        response = await client.put(server.url, content=b"x" * 10, headers={"Expect": "100-continue"})
    assert response.content == OWN
    assert response.extensions["attempts"] == 2


@pytest.mark.parametrize("which", ["write", "total"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_who_takes_an_upload_in_sips_does_not_get_more_time(runtime, scripted, tmp_path, scheme, which):
    authority = Authority(tmp_path) if scheme == "https" else None

    def script(conn):
        conn.read_head()
        pause = conn.server.event()
        while not pause.wait(0.01):
            with conn._peer_may_go():
                if not conn.socket.recv(1000):
                    return

    server = scripted(script, ssl_context=authority.server() if authority else None)
    context = httpx.SSLContext(verify=str(authority.pem)) if authority else None
    transport = runtime.transport(socket_options=[(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)], ssl_context=context)
    async with runtime.client(transport=transport, timeout=httpx.Timeout(10, **{which: 0.3})) as client:
        with pytest.raises(httpx.WriteTimeout):
            await client.post(server.url, content=bytes(30_000_000))
        assert_nothing_is_busy(client)


PROXIES = {
    "a head": (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "informational responses": (b"", b"HTTP/1.1 103 X\r\n\r\n"),
    "fields": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
}


@pytest.mark.parametrize("which", ["connect", "total"])
@pytest.mark.parametrize("name", PROXIES)
async def test_a_proxy_that_drips(runtime, scripted, name, which):
    first, more = PROXIES[name]

    def proxy(conn):
        conn.read_head()
        drip(first, more)(conn)

    async with runtime.client(proxy=scripted(proxy).url, timeout=httpx.Timeout(10, **{which: 0.3})) as client:
        with pytest.raises((httpx.ConnectTimeout, httpx.ProxyError)) as caught:
            await client.get("https://www.example.org/")
        assert_presentable(caught.value)
        assert_nothing_is_busy(client)


@pytest.mark.parametrize("size", [1, 7])
async def test_records_of_a_few_bytes(runtime, scripted, tmp_path, size):
    authority = Authority(tmp_path)

    def script(conn):
        while True:
            answer = respond(conn.read_request().target.encode())
            conn.send_each(answer[start : start + size] for start in range(0, len(answer), size))

    server = scripted(script, ssl_context=authority.server())
    transport = runtime.transport(ssl_context=httpx.SSLContext(verify=str(authority.pem)))
    async with runtime.client(transport=transport) as client:
        for path in ("/one", "/two"):
            assert (await client.get(server.url + path)).text == path
    assert len(server.connections) == 1
