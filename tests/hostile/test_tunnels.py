"""Proxies that answer CONNECT in ways of their own: either the tunnel works, or it is the proxy's error, and the next one works."""

from __future__ import annotations

import socket

import pytest

import httpx
from tests.hostile.attack import OWN, SECRETS, assert_no_secret, assert_no_tasks, assert_nothing_is_busy, assert_presentable, records
from tests.support.certificates import Authority
from tests.support.leaks import LeakCheck
from tests.support.proxies import ESTABLISHED, http_proxy, relay
from tests.support.servers import ScriptedServer, keep_alive, respond

REFUSED = b"HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm=x\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def answer(request):
    assert "proxy-authorization" not in request.headers, "the server was told the proxy's credentials"
    return respond(OWN)


def tunnel(*pieces):
    """Say this, and then be the tunnel."""

    def act(conn, port):
        conn.send_each(pieces)
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            relay(conn, upstream)

    return act


def say(*pieces, end=None):
    """Say this, and then wait, or end in this way."""

    def act(conn, port):
        conn.send_each(pieces)
        (conn.wait_closed if end is None else getattr(conn, end))()

    return act


def flood(first, more):
    def act(conn, port):
        conn.send(first)
        while True:
            conn.send(more)

    return act


# RFC 9110 section 9.3.6: a 2xx answer has no content, whatever its fields say.
OPEN = {
    "length of zero": tunnel(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "length": tunnel(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    "chunked": tunnel(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "close": tunnel(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
    "204": tunnel(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "299": tunnel(b"HTTP/1.1 299 Hm\r\n\r\n"),
    "HTTP/1.0": tunnel(b"HTTP/1.0 200 Connection established\r\n\r\n"),
    "line feeds": tunnel(b"HTTP/1.0 200 OK\n\n"),
    "informational responses": tunnel(b"HTTP/1.1 100 C\r\n\r\n" * 3 + b"HTTP/1.1 103 X\r\nContent-Length: 5\r\n\r\n" + ESTABLISHED),
    "cookies and a location": tunnel(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Domain=example.org\r\nLocation: http://evil.test/\r\n\r\n"),
    "byte by byte": tunnel(*[ESTABLISHED[at : at + 1] for at in range(len(ESTABLISHED))]),
}

CLOSED = {
    "content behind its length": say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    "content in chunks": say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    "twice": say(ESTABLISHED * 2),
    "a response behind it": say(ESTABLISHED + respond(b"canary-EVIL")),
    "101": say(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0\r\n\r\n"),
    "a body without end": flood(REFUSED + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n" * 1_000),
    "a body that never comes": say(b"HTTP/1.1 502 X\r\nContent-Length: 99999999999\r\n\r\nabc"),
    "a body without framing": say(REFUSED + b"\r\nabc"),
    "a coded body": say(REFUSED + b"Content-Encoding: gzip\r\nContent-Length: 9000\r\n\r\n" + bytes(9_000)),
    "a realm for terminals": say(b'HTTP/1.1 407 \x9b2J\r\nProxy-Authenticate: Basic realm="\xff\x9b2J"\r\n\r\n'),
    "a redirect to where it was to go": say(b"HTTP/1.1 307 X\r\nLocation: https://www.example.org/\r\nContent-Length: 0\r\n\r\n"),
    "421": say(b"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n"),
    "600 fields": tunnel(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 600 + b"\r\n"),
    "66 kB": tunnel(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 66_000 + b"\r\n\r\n"),
    "a head without end": flood(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 1_000),
    "informational responses without end": flood(b"", b"HTTP/1.1 103 X\r\n\r\n" * 100),
    "a folded field": tunnel(b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"),
    "a TLS alert": say(b"\x15\x03\x01\0\2\2\x28"),
    "half a head": say(b"HTTP/1.1 200 OK\r\nX", end="close"),
    "a tunnel that ends": say(ESTABLISHED, end="close"),
    "a tunnel that breaks": say(ESTABLISHED, end="reset"),
    "a tunnel that is silent": say(ESTABLISHED),
    "silence": say(),
    "an end": say(end="close"),
    "a reset": say(end="reset"),
}

EXPECTED = {
    "a tunnel that ends": httpx.TLSError,
    "a tunnel that breaks": httpx.TLSError,
    "a tunnel that is silent": httpx.ConnectTimeout,
    "silence": httpx.ConnectTimeout,
    "an end": httpx.ProxyError,
    "a reset": httpx.ProxyError,
}


@pytest.mark.parametrize("name", [*OPEN, *CLOSED])
def test_what_a_proxy_answers(runtime, authority, name):
    leaks = LeakCheck()
    runtime.run(lambda: attack_by_proxy(runtime, authority, name))
    leaks.verify()


async def attack_by_proxy(runtime, authority, name):
    act = OPEN.get(name) or CLOSED[name]
    with ScriptedServer(keep_alive(answer), ssl_context=authority.server("www.example.org")) as origin:
        good = http_proxy({"www.example.org:443": origin.port})

        def proxy(conn):
            if conn.number > 0:
                good(conn)
            else:
                conn.read_head()
                act(conn, origin.port)

        with ScriptedServer(proxy) as server, records() as logged:
            address = f"http://user:canary-of-proxy@127.0.0.1:{server.port}"
            settings = {"headers": SECRETS, "follow_redirects": True, "timeout": httpx.Timeout(5, connect=5)}
            async with runtime.client(proxy=address, ssl_context=httpx.SSLContext(authority.pem), **settings) as client:
                if name in OPEN:
                    assert (await client.get("https://www.example.org/")).content == OWN
                else:
                    hasty = httpx.Timeout(5, connect=0.3) if "silen" in name else httpx.Timeout(5)
                    with pytest.raises(httpx.TransportError) as caught:
                        await client.get("https://www.example.org/", timeout=hasty)
                    assert type(caught.value) is EXPECTED.get(name, httpx.ProxyError), repr(caught.value)
                    assert "EVIL" not in str(caught.value)
                    assert_presentable(caught.value)
                assert_nothing_is_busy(client)
                assert (await client.get("https://www.example.org/")).content == OWN
                assert len(server.connections) == (1 if name in OPEN else 2)
                assert dict(client.cookies) == {}
            assert_no_secret("\n".join(logged), "a log record")
        assert_no_tasks(runtime)
