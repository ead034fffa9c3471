"""A signal in the middle of a request: it gets through at once, and no socket, slot or lock is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import warnings

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.http2 import keep_alive_http2
from tests.support.interruption import Interruption, Signals
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks", "heeding_control_c")

MOST = 1_000  # no request here has as many points as this


def answer(request):
    if request.path == "/chunked":
        return [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"8\r\n/chunked\r\n", b"0\r\n\r\n"]
    if request.path == "/redirect":
        return respond(b"elsewhere", 302, [("Location", "/there")])
    return respond(request.target.encode() + request.body)


def get(client, url):
    assert client.get(url + "/plain").text == "/plain"


def stream(client, url):
    with client.stream("GET", url + "/chunked") as response:
        assert response.read() == b"/chunked"


def redirect(client, url):
    assert client.get(url + "/redirect", follow_redirects=True).text in ("/there", "/redirect")


def upload(client, url):
    assert client.post(url + "/up", content=iter([b"load", b"ed"])).text == "/uploaded"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with Python 3.12")
@pytest.mark.parametrize(
    ("protocol", "conversation"),
    [
        *[("HTTP/1.1", conversation) for conversation in (get, stream, redirect, upload)],
        ("HTTP/1.1 on TLS", stream),
        *[("HTTP/2", conversation) for conversation in (get, upload)],
    ],
)
@pytest.mark.parametrize("is_new", [True, False], ids=["new connection", "used connection"])
def test_an_interruption_at_any_point(scripted, tmp_path, protocol, conversation, is_new):
    # N16
    authority = Authority(tmp_path) if "TLS" in protocol else None
    script = keep_alive(answer)
    if protocol == "HTTP/2":
        script = keep_alive_http2(lambda fields, body: fields[":path"].encode() + body)
    server = scripted(_tolerant(script), ssl_context=authority.server() if authority else None)
    context = httpx.SSLContext(verify=str(authority.pem)) if authority else None
    options = {"http1": protocol != "HTTP/2", "http2": protocol == "HTTP/2", "ssl_context": context}
    one = httpx.Limits(max_connections=1)
    with httpx.Client(transport=httpx.HTTPTransport(**options)) as client:
        conversation(client, server.url)  # imports all that it needs
    with warnings.catch_warnings(), Signals() as signals:
        # A coroutine that was made and did not begin; a socket, or a response, that nobody knew of yet.
        warnings.simplefilter("ignore")
        for point in range(1, MOST):
            transport = httpx.HTTPTransport(**options, limits=one)
            with httpx.Client(transport=transport, timeout=httpx.Timeout(10, pool=0.01)) as client:
                if not is_new:
                    get(client, server.url)
                with contextlib.suppress(Interruption), signals.at(point):
                    conversation(client, server.url)
                stats = client.pool_stats()
                assert (stats.in_use, stats.waiting) == (0, 0), signals.where
                assert stats.open == stats.idle, signals.where
                get(client, server.url)
            if signals.where is None:
                return
    raise AssertionError("there was no end to it")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with Python 3.12")
def test_an_interruption_while_a_request_is_sent_again(scripted):
    def dies_at_its_second_request(conn):
        conn.read_request()
        conn.send(respond(b"own"))
        conn.read_request()

    server = scripted(_tolerant(dies_at_its_second_request))
    timeout = httpx.Timeout(10, pool=0.01)
    with warnings.catch_warnings(), Signals() as signals:
        warnings.simplefilter("ignore")
        for point in range(1, MOST):
            with httpx.Client(limits=httpx.Limits(max_connections=1), timeout=timeout) as client:
                client.get(server.url)
                with contextlib.suppress(Interruption), signals.at(point):
                    assert client.get(server.url).extensions["attempts"] == 2
                stats = client.pool_stats()
                assert (stats.open, stats.in_use, stats.waiting) == (stats.idle, 0, 0), signals.where
            if signals.where is None:
                return
    raise AssertionError("there was no end to it")


def _tolerant(script):
    # A client that is interrupted may hang up within its first words.
    def run(conn):
        try:
            script(conn)
        except AssertionError:
            conn.wait_closed()

    return run


def _in_a_handshake(conn, interrupt):
    conn.read_exactly(5)
    interrupt()
    conn.wait_closed()


def _after_the_request(conn, interrupt):
    conn.read_head()
    interrupt()
    conn.wait_closed()


def _in_the_head(conn, interrupt):
    conn.read_head()
    conn.send(b"HTTP/1.1 200 OK\r\nX-")
    interrupt()
    conn.wait_closed()


def _in_the_body(conn, interrupt):
    conn.read_head()
    conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")
    interrupt()
    conn.wait_closed()


def _in_an_upload(conn, interrupt):
    conn.read_head()
    interrupt()  # nothing of the content is read
    conn.server.event().wait(20)


PHASES = {
    "the TLS handshake": (_in_a_handshake, "https", b""),
    "waiting for the head": (_after_the_request, "http", b""),
    "the head": (_in_the_head, "http", b""),
    "the body": (_in_the_body, "http", b""),
    "the upload": (_in_an_upload, "http", bytes(30_000_000)),
}


@pytest.mark.parametrize("phase", PHASES)
def test_control_c_in(runtime, scripted, phase):
    act, scheme, content = PHASES[phase]

    def script(conn):
        if conn.number:
            keep_alive(answer)(conn)
        act(conn, lambda: os.kill(os.getpid(), signal.SIGINT))

    assert threading.current_thread() is threading.main_thread()
    server = scripted(script)
    client = runtime.client(timeout=20, transport=runtime.transport(limits=httpx.Limits(max_connections=1)))

    async def first():
        await client.post(server.url.replace("http", scheme, 1) + "/first", content=content)

    async def second():
        stats = client.pool_stats()
        assert (stats.in_use, stats.waiting) == (0, 0)
        assert (await client.get(server.url + "/second")).text == "/second"
        await client.aclose()

    with pytest.raises(KeyboardInterrupt):
        runtime.run(first)
    runtime.run(second)


def test_an_alarm_while_waiting_for_a_connection(scripted):
    class TooLong(Exception):
        pass

    def ring(number, frame):
        raise TooLong

    def script(conn):
        if conn.number:
            keep_alive(answer)(conn)
        conn.read_head()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")
        conn.wait_closed()

    server = scripted(script)
    previous = signal.signal(signal.SIGUSR1, ring)
    try:
        with httpx.Client(limits=httpx.Limits(max_connections=1), timeout=20) as client:
            with client.stream("GET", server.url + "/first"):
                pool = client._transport._exchanges._pool
                alarm = threading.Thread(target=_ring_when, args=(lambda: pool.stats().waiting,))
                alarm.start()
                with pytest.raises(TooLong):
                    client.get(server.url + "/second")
                alarm.join()
                assert client.pool_stats().waiting == 0
            assert client.get(server.url + "/third").text == "/third"
    finally:
        signal.signal(signal.SIGUSR1, previous)


def _ring_when(condition):
    pause = threading.Event()
    while not condition():
        pause.wait(0.001)
    os.kill(os.getpid(), signal.SIGUSR1)
