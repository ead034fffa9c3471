"""What bad input, bad servers and bad networks come to: an exception of HTTPX that names the peer and says what happened."""

from __future__ import annotations

import socket

import pytest

import httpx
from tests.support.servers import respond, say

pytestmark = pytest.mark.usefixtures("no_leaks")

OK = respond(b"ok")


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("http://[::1/", httpx.InvalidURL, "."),
        ("http://example.org:99999/", httpx.InvalidURL, "port"),
        ("ftp://example.org/", httpx.UnsupportedProtocol, "ftp"),
        ("/relative", httpx.UnsupportedProtocol, "http://"),
    ],
)
async def test_urls_that_cannot_be_requested(runtime, url, error, words):
    async with runtime.client() as client:
        with pytest.raises(error, match=words):
            await client.get(url)


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nInjected: yes"}, {"X-A": b"a\nb"}, {"X A": "b"}, {"X-A": "a\0b"}])
async def test_headers_that_would_break_out_of_their_line_are_refused_before_anything_is_sent(runtime, app, headers):
    async with runtime.client() as client:
        with pytest.raises(httpx.LocalProtocolError):
            await client.get(app.url + "/json", headers=headers)
        assert (await client.get(app.url + "/json")).status_code == 200
    assert len(app.requests) == 1


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Length", "5"), ("content-length", "9")],
        [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "gzip, chunked")],
        [("Content-Length", "-1")],
    ],
)
async def test_contradictory_framing_is_never_sent(runtime, app, headers):
    async with runtime.client() as client:
        with pytest.raises(httpx.LocalProtocolError):
            await client.post(app.url + "/echo", headers=headers, content=b"hello")
    assert app.requests == []


@pytest.mark.parametrize(("parts", "amount"), [([b"hello"], "Too little data"), ([b"hello" * 5], "Too much data")])
async def test_content_of_another_length_than_declared_is_an_error_and_ends_the_connection(runtime, app, parts, amount):
    async with runtime.client() as client:
        with pytest.raises(httpx.LocalProtocolError, match=f"{amount} for declared Content-Length"):
            await client.post(app.url + "/echo", headers={"Content-Length": "10"}, content=iter(parts))
        assert (await client.get(app.url + "/json")).status_code == 200


async def test_a_refused_port_is_named_with_every_address(runtime):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with runtime.client() as client:
        with pytest.raises(httpx.ConnectError, match=f"localhost:{port}") as caught:
            await client.get(f"http://localhost:{port}/")
    assert f"127.0.0.1:{port}: Connection refused" in str(caught.value)
    assert caught.value.request.url.port == port
    assert caught.value.__cause__ is not None


async def test_a_name_that_does_not_resolve_is_named(runtime, local_hosts):
    async with runtime.client() as client:
        with pytest.raises(httpx.ConnectError, match=r"'nowhere\.example' could not be resolved"):
            await client.get("http://nowhere.example/")


def hangs_up(conn):
    conn.read_request()


def resets(conn):
    conn.read_request()
    conn.reset()


def garbage(conn):
    conn.read_request()
    conn.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    conn.wait_closed()


def speaks_tls(conn):
    conn.read_request()
    conn.send(b"\x15\x03\x01\x00\x02\x02\x46")
    conn.wait_closed()


def cuts_the_head(conn):
    conn.read_request()
    conn.send(b"HTTP/1.1 200 OK\r\nContent-")


def cuts_the_body(conn):
    conn.read_request()
    conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (hangs_up, httpx.RemoteProtocolError, "without sending a response"),
        (resets, httpx.ReadError, "reset"),
        (garbage, httpx.RemoteProtocolError, "not an HTTP/1.1 response"),
        (speaks_tls, httpx.RemoteProtocolError, "https://"),
        (cuts_the_head, httpx.RemoteProtocolError, "within the head"),
        (cuts_the_body, httpx.RemoteProtocolError, "received 5 bytes, expected 10"),
    ],
)
async def test_servers_that_fail(runtime, scripted, script, error, words):
    server = scripted(script)
    async with runtime.client() as client:
        with pytest.raises(error, match=words) as caught:
            await client.get(server.url)
    assert caught.value.request.method == "GET"
    assert f"127.0.0.1:{server.port}" in str(caught.value)


async def test_a_server_that_never_answers_runs_into_the_read_timeout(runtime, scripted):
    server = scripted(say())
    async with runtime.client(timeout=httpx.Timeout(5, read=0.1)) as client:
        with pytest.raises(httpx.ReadTimeout, match=f"127.0.0.1:{server.port}"):
            await client.get(server.url)


async def test_a_server_that_says_nothing_to_an_upload_in_parts_is_told_from_one_that_drips(runtime, scripted):
    server = scripted(say())
    async with runtime.client(timeout=httpx.Timeout(5, read=0.1)) as client:
        with pytest.raises(httpx.ReadTimeout, match=f"Nothing arrived from 127.0.0.1:{server.port} for 0.1 seconds"):
            await client.post(server.url, files={"field": b"content"})


async def test_a_head_that_drips_runs_into_the_read_timeout(runtime, scripted):
    server = scripted(lambda conn: conn.read_request() and conn.drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"))
    async with runtime.client(timeout=httpx.Timeout(5, read=0.1)) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(server.url)


async def test_a_server_that_takes_no_data_runs_into_the_write_timeout(runtime, scripted):
    def stall(conn):
        conn.wait_for(conn.server.event())

    async with runtime.client(timeout=httpx.Timeout(5, write=0.1)) as client:
        with pytest.raises(httpx.WriteTimeout):
            await client.post(scripted(stall).url, content=b"x" * 30_000_000)


async def test_a_tls_handshake_that_stalls_runs_into_the_connect_timeout(runtime, scripted):
    server = scripted(lambda conn: conn.wait_closed())
    async with runtime.client(timeout=httpx.Timeout(5, connect=0.1)) as client:
        with pytest.raises(httpx.ConnectTimeout, match="TLS handshake"):
            await client.get(server.url.replace("http:", "https:"))


async def test_https_to_a_plain_port_is_a_connect_error(runtime, scripted):
    def script(conn):
        conn.read_exactly(5)
        conn.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    server = scripted(script)
    async with runtime.client() as client:
        with pytest.raises(httpx.ConnectError, match=str(server.port)) as caught:
            await client.get(server.url.replace("http:", "https:"))
    assert "http://" in str(caught.value)


async def test_the_answer_counts_when_a_server_refuses_an_upload_and_hangs_up(runtime, scripted):
    def refuse(conn):
        conn.read_head()
        conn.send(respond(b"too large", 413, [("Connection", "close")]))

    async with runtime.client() as client:
        response = await client.post(scripted(refuse).url, content=b"x" * 30_000_000)
    assert (response.status_code, response.content) == (413, b"too large")


async def test_a_full_pool_runs_into_the_pool_timeout_and_recovers(runtime, app):
    async with runtime.client(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(5, pool=0.1)) as client:
        async with client.stream("GET", app.url + "/bytes/5000000"):
            with pytest.raises(httpx.PoolTimeout, match="1 of 1"):
                await client.get(app.url + "/json")
        assert (await client.get(app.url + "/json")).status_code == 200


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_response_that_is_dropped_gives_its_place_back(runtime, app):
    async with runtime.client(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(5, pool=1)) as client:
        response = await client.send(client.build_request("GET", app.url + "/bytes/5000000"), stream=True)
        del response
        assert (await client.get(app.url + "/json")).status_code == 200
