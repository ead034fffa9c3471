"""No byte of one response, and no response that nobody asked for, ever becomes the answer to another request."""

from __future__ import annotations

import socket

import pytest

import httpx
from httpx._connections.http1 import HTTP1Connection
from httpx._network.base import drive
from httpx._network.blocking import BlockingNetwork
from tests.hostile.attack import EVIL, OWN, SECRETS, Case, assert_nothing_is_busy, assert_presentable, attack
from tests.support.proxies import ESTABLISHED
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

RPE = httpx.RemoteProtocolError


def reply(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


OK = "HTTP/1.1 200 OK"
LENGTH_2 = "Content-Length: 2"
HI = reply(OK, LENGTH_2, body=b"hi")

# In one segment with the response, so that they are there when it ends.
BEHIND = [
    Case("a response behind a response", HI + EVIL, b"hi"),
    Case("a response behind a chunked response", reply(OK, "Transfer-Encoding: chunked", body=b"2\r\nhi\r\n0\r\n\r\n") + EVIL, b"hi"),
    Case("a response behind HEAD", reply(OK, LENGTH_2) + EVIL, b"", method="HEAD"),
    Case("a response behind 204", reply("HTTP/1.1 204 No Content") + EVIL, b""),
    Case("a response behind 304", reply("HTTP/1.1 304 Not Modified") + EVIL, b""),
    Case("a response in 204", reply("HTTP/1.1 204 No Content", f"Content-Length: {len(EVIL)}") + EVIL, b""),
    Case(
        "a response behind a redirect",
        reply("HTTP/1.1 302 X", "Location: /next", "Content-Length: 0") + EVIL,
        OWN,
        request={"follow_redirects": True},
    ),
    Case(
        "trailers behind the trailers",
        reply(OK, "Transfer-Encoding: chunked", body=b"2\r\nhi\r\n0\r\nA: b\r\n\r\n") + b"A: b\r\n\r\n",
        b"hi",
    ),
    Case("an informational response behind a response", HI + reply("HTTP/1.1 103 X"), b"hi"),
    Case("an empty line behind a response", HI + b"\r\n", b"hi"),
    Case("a single NUL behind a response", HI + b"\0", b"hi"),
    Case("half a response behind a response", HI + EVIL[:20], b"hi"),
    Case(
        "a response behind a body that does not decode",
        reply(OK, "Content-Encoding: gzip", LENGTH_2, body=b"hi") + EVIL,
        httpx.DecodingError,
    ),
]


@pytest.mark.parametrize("case", BEHIND, ids=lambda case: case.name)
def test_what_comes_behind_a_response_ends_the_connection(runtime, case):
    attack(runtime, case)


@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "while the event loop is kept busy"])
async def test_what_arrives_while_nobody_listens_ends_the_connection(runtime, scripted, noticed):

    def script(conn):
        conn.read_request()
        conn.send(respond(b"own"))
        if conn.number == 0:
            conn.wait_for(go)
            conn.send(EVIL)
            sent.set()
        conn.wait_closed()

    server = scripted(script)
    go, sent = server.event(), server.event()
    async with runtime.client() as client:
        assert (await client.post(server.url)).content == b"own"
        go.set()
        if noticed:
            await runtime.in_thread(sent.wait, 10)
            await runtime.turn()
        else:
            assert sent.wait(10)  # blocks the event loop on purpose
        assert (await client.post(server.url)).content == b"own"
    assert len(server.connections) == 2


async def test_a_post_goes_out_on_a_fresh_connection_when_the_old_one_ended_unnoticed(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(respond(b"own"))

    server = scripted(script)
    async with runtime.client() as client:
        await client.post(server.url)
        server.wait_for_no_connections()  # blocks the event loop on purpose
        assert (await client.post(server.url)).content == b"own"
    assert len(server.requests) == 2


def test_an_answer_before_the_question_is_refused(scripted):
    # Q21
    def script(conn):
        conn.send(EVIL)
        sent.set()
        conn.wait_closed()

    server = scripted(script)
    sent = server.event()

    async def ask() -> None:
        network = BlockingNetwork()
        stream = await network.connect(
            "the server", [(socket.AF_INET, ("127.0.0.1", server.port))], 5, local_address=None, socket_options=[]
        )
        connection = HTTP1Connection("key", stream, network)
        try:
            assert sent.wait(10)
            await connection.exchange(httpx.Request("GET", server.url), {})
        finally:
            connection.close()

    with pytest.raises(RPE, match="before it was asked"):
        drive(ask())
    assert server.requests == []


async def test_bytes_behind_the_reply_of_a_proxy_are_not_the_servers(runtime, scripted):
    # P7
    def proxy(conn):
        conn.read_head()
        conn.send(ESTABLISHED + EVIL)
        conn.wait_closed()

    async with runtime.client(proxy=scripted(proxy).url, timeout=4) as client:
        with pytest.raises(httpx.TransportError) as caught:
            await client.get("https://www.example.org/")
    assert type(caught.value) in (httpx.ConnectError, httpx.ProxyError, httpx.RemoteProtocolError, httpx.TLSError)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (respond(b"canary-EVIL", 407, [("Proxy-Authenticate", "Basic")]), "407"),
        (respond(b"canary-EVIL", 502), "502"),
        (respond(b"canary-EVIL", 302, [("Location", "http://evil.test/")]), "302"),
        (reply("HTTP/1.1 304 Not Modified"), "304"),
        (reply("HTTP/1.1 101 Switching Protocols"), "101"),
        (b"SSH-2.0-OpenSSH\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n", ""),
        (b"HTTP/2 200 OK\r\n\r\n", ""),
        (b"\x05\x00", ""),
        (b"", ""),
        (b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 300_000, ""),
        (b"HTTP/1.1 103 X\r\n\r\n" * 50, ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ""),
        (b"HTTP/1.1 999 \x1b[2J\r\n\r\n", ""),
    ],
)
async def test_what_a_proxy_says_instead_is_never_a_response(runtime, scripted, answer, words):
    # P4, P8
    def proxy(conn):
        conn.read_head()
        conn.send(answer)

    address = scripted(proxy).url.replace("http://", "http://user:canary-of-proxy@")
    async with runtime.client(proxy=address, timeout=4, follow_redirects=True, headers=SECRETS) as client:
        with pytest.raises(httpx.TransportError) as caught:
            await client.get("https://www.example.org/")
        assert_nothing_is_busy(client)
    assert type(caught.value) in (httpx.ProxyError, httpx.RemoteProtocolError, httpx.ConnectError, httpx.TLSError)
    assert words in str(caught.value)
    assert_presentable(caught.value)
    assert "EVIL" not in str(caught.value)


async def test_two_requests_at_once_never_swap_their_answers(runtime, scripted):
    """The server answers in the wrong order, across connections."""
    server = scripted(keep_alive(lambda request: respond(request.target.encode())))
    async with runtime.client() as client:

        async def one(number: int) -> None:
            for step in range(5):
                assert (await client.get(f"{server.url}/{number}-{step}")).text == f"/{number}-{step}"

        await runtime.gather(*[lambda number=number: one(number) for number in range(20)])
