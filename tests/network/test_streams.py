"""What every byte stream owes to those above it, plain or encrypted, and TLS in TLS."""

from __future__ import annotations

import ssl
import threading

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.proxies import http_proxy
from tests.support.servers import PATIENCE, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

NAME = "www.example.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["plain", "tls", "tls in tls"])
def connected(request, runtime, authority, scripted):
    """A server that runs the given script, a client for it, and the server's URL."""

    def start(script):
        context = httpx.SSLContext(verify=authority.pem)
        if request.param == "plain":
            server = scripted(script)
            return server, runtime.client(timeout=PATIENCE), server.url
        server = scripted(script, ssl_context=authority.server(NAME, "127.0.0.1"))
        if request.param == "tls":
            return server, runtime.client(ssl_context=context, timeout=PATIENCE), server.url
        proxy = scripted(http_proxy({f"{NAME}:443": server.port}), ssl_context=authority.server("127.0.0.1"))
        through = httpx.Proxy(proxy.url, ssl_context=context)
        return server, runtime.client(proxy=through, ssl_context=context, timeout=PATIENCE), f"https://{NAME}"

    return start


async def test_an_answer_that_comes_while_the_request_is_sent_is_kept_whole(connected):
    answered = threading.Event()

    def script(conn):
        conn.read_head()
        conn.read_until(b"first")
        conn.send(respond(b"that is enough", 413, [("Connection", "close")]))
        answered.set()
        conn.wait_closed()

    def parts():
        yield b"first"
        answered.wait(PATIENCE)
        for _ in range(20):
            yield b"x" * 65_536

    _, client, url = connected(script)
    async with client:
        response = await client.post(url, content=parts())
    assert (response.status_code, response.content) == (413, b"that is enough")


async def test_large_bodies_pass_both_ways_unchanged(connected):
    body = bytes(range(256)) * 20_000

    def script(conn):
        request = conn.read_request()
        conn.send(respond(request.body))

    _, client, url = connected(script)
    async with client:
        assert (await client.post(url, content=body)).content == body


async def test_what_was_sent_before_the_end_is_read_however_late(connected, runtime):
    body = bytes(range(256)) * 8_000
    sent = threading.Event()

    def script(conn):
        conn.read_head()
        conn.send(respond(body, headers=[("Connection", "close")]))
        sent.set()

    _, client, url = connected(script)
    async with client, client.stream("GET", url) as response:
        await runtime.in_thread(sent.wait, PATIENCE)
        received = [piece async for piece in response.aiter_raw()]
    assert b"".join(received) == body


async def test_after_an_upgrade_the_connection_is_the_callers(connected, runtime):
    def script(conn):
        conn.read_head()
        conn.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello")
        while True:
            conn.send(conn.read_exactly(1))

    _, client, url = connected(script)
    async with client, client.stream("GET", url, headers={"Connection": "upgrade", "Upgrade": "echo"}) as response:
        network = response.extensions["network_stream"]

        async def call(method, *args):
            result = method(*args)
            return await result if runtime.is_async else result

        assert response.status_code == 101
        assert await call(network.read, 100) == b"hello"
        await call(network.write, b"ab")
        received = b""
        while len(received) < 2:
            received += await call(network.read, 100)
        assert received == b"ab"
        assert isinstance(network.get_extra_info("ssl_object"), ssl.SSLObject | ssl.SSLSocket) == url.startswith("https")
        assert network.get_extra_info("server_addr")[0] == "127.0.0.1"
        assert network.get_extra_info("is_readable") is False


async def test_tls_is_never_started_over_what_was_not_read(runtime, scripted):
    def script(conn):
        conn.read_head()
        conn.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: TLS/1.2\r\n\r\nEVIL")
        conn.wait_closed()

    async with runtime.client() as client, client.stream("GET", scripted(script).url, headers={"Upgrade": "TLS/1.2"}) as response:
        network = response.extensions["network_stream"]
        with pytest.raises(httpx.RemoteProtocolError, match="before the TLS handshake"):
            await _start_tls(network, runtime, httpx.SSLContext())


async def test_tls_on_a_connection_that_its_server_has_left_fails_at_once(no_leaks, runtime, scripted):
    def script(conn):
        conn.read_head()
        conn.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: TLS/1.2\r\n\r\n")

    server = scripted(script)
    async with runtime.client() as client, client.stream("GET", server.url, headers={"Upgrade": "TLS/1.2"}) as response:
        await runtime.in_thread(server.wait_for_no_connections)
        for _ in range(3):
            await runtime.turn()
        with pytest.raises(httpx.ConnectError, match="TLS handshake"):
            await _start_tls(response.extensions["network_stream"], runtime, httpx.SSLContext())


async def _start_tls(network, runtime, context):
    started = network.start_tls(context, NAME)
    return await started if runtime.is_async else started


async def test_a_connection_can_be_upgraded_to_tls(runtime, scripted, authority):
    def script(conn):
        conn.read_head()
        conn.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: TLS/1.2\r\n\r\n")
        conn.upgrade_to_tls(authority.server(NAME))
        conn.send(conn.read_exactly(4))
        conn.wait_closed()

    server = scripted(script)
    async with runtime.client() as client, client.stream("GET", server.url, headers={"Upgrade": "TLS/1.2"}) as response:
        plain = response.extensions["network_stream"]
        network = await _start_tls(plain, runtime, httpx.SSLContext(verify=authority.pem))
        written = network.write(b"ping")
        if runtime.is_async:
            await written
        read = network.read(100)
        assert (await read if runtime.is_async else read) == b"ping"
        assert network.get_extra_info("ssl_object").version() == "TLSv1.3"


async def test_a_connection_that_is_closed_says_goodbye(runtime, scripted, authority):
    ends = []
    tls = authority.server("127.0.0.1")
    tls.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF

    def script(conn):
        conn.read_request()
        conn.send(respond("ok"))
        conn.tls.suppress_ragged_eofs = False
        try:
            ends.append(conn.tls.recv(1))
        except ssl.SSLEOFError:
            ends.append("it was cut")

    server = scripted(script, ssl_context=tls)
    async with runtime.client(ssl_context=httpx.SSLContext(authority.pem)) as client:
        await client.get(server.url)
    server.wait_for(lambda server: server.connections[0].finished.is_set())
    assert ends == [b""]


@pytest.mark.parametrize("http2", [False, True])
async def test_what_a_server_said_before_it_hung_up_is_heard_by_who_can_no_longer_send(runtime, authority, scripted, http2):
    server_context = authority.server("127.0.0.1", demands_client=True)
    server_context.set_alpn_protocols(["h2", "http/1.1"])

    def refuse(conn):
        with pytest.raises(ssl.SSLError):
            server_context.wrap_socket(conn.socket, server_side=True)

    server = scripted(refuse)

    def trace(event, info):
        if event.endswith("send_request_headers.started"):  # the event loop stands still meanwhile, and reads nothing
            server.wait_for(lambda server: server.connections[0].finished.is_set())

    async def atrace(event, info):
        trace(event, info)

    extensions = {"trace": atrace if runtime.is_async else trace}
    async with runtime.client(ssl_context=httpx.SSLContext(verify=authority.pem), http2=http2, timeout=PATIENCE) as client:
        with pytest.raises(httpx.TLSError) as caught:
            await client.get(f"https://127.0.0.1:{server.port}/", extensions=extensions)
    assert caught.value.report.cause == "client-certificate-required"
