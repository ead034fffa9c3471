"""Every exception of the tree: raised against a real peer, with its request, and nothing else ever is."""

from __future__ import annotations

import contextlib
import copy
import gzip
import pickle
import socket

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.servers import respond, say
from tests.support.websocket import Peer

pytestmark = pytest.mark.usefixtures("no_leaks")

# Classes to catch by; what is raised is one of their subclasses. CloseError is HTTPX's, for closing that failed: ours does not fail.
NEVER_RAISED = {
    httpx.HTTPError,
    httpx.RequestError,
    httpx.TransportError,
    httpx.TimeoutException,
    httpx.NetworkError,
    httpx.ProtocolError,
    httpx.StreamError,
    httpx.CloseError,
}


def hasty(phase):
    return httpx.Timeout(5, **{phase: 0.1})


class World:
    """What a case needs to fail in its own way."""

    def __init__(self, runtime, scripted, app, tmp_path):
        self.runtime = runtime
        self.scripted = scripted
        self.app = app
        self.tmp_path = tmp_path

    def server(self, *sent):
        return self.scripted(say(*sent)).url

    async def get(self, url, **settings):
        async with self.runtime.client(**settings) as client:
            return await client.get(url)


async def connect_timeout(world):
    await world.get(world.scripted(lambda conn: conn.wait_closed()).url.replace("http:", "https:"), timeout=hasty("connect"))


async def read_timeout(world):
    await world.get(world.server(), timeout=hasty("read"))


async def write_timeout(world):
    def stall(conn):
        conn.wait_for(conn.server.event())

    async with world.runtime.client(timeout=hasty("write")) as client:
        await client.post(world.scripted(stall).url, content=b"x" * 30_000_000)


async def pool_timeout(world):
    settings = {"timeout": hasty("pool"), "limits": httpx.Limits(max_connections=1)}
    async with world.runtime.client(**settings) as client, client.stream("GET", world.app.url + "/bytes/1000000"):
        await client.get(world.app.url)


async def connect_error(world):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    await world.get(f"http://127.0.0.1:{port}/")


async def certificate_verify_error(world):
    server = world.scripted(lambda conn: conn.wait_closed(), ssl_context=Authority(world.tmp_path).server("localhost"))
    await world.get(f"https://localhost:{server.port}/")


async def tls_error(world):
    await world.get(world.scripted(lambda conn: conn.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")).url.replace("http:", "https:"))


async def read_error(world):
    await world.get(world.scripted(lambda conn: (conn.read_request(), conn.reset())).url)


async def write_error(world):
    def resets(conn):
        conn.read_head()
        conn.reset()

    async with world.runtime.client() as client:
        await client.post(world.scripted(resets).url, content=b"x" * 30_000_000)


async def local_protocol_error(world):
    await world.get(world.app.url, headers={"X-A": "a\r\nb"})


async def remote_protocol_error(world):
    await world.get(world.server(b"SMTP ready\r\n"))


async def proxy_error(world):
    await world.get("https://example.org/", proxy=world.server(respond(b"", 407)))


async def unsupported_protocol(world):
    await world.get("ftp://example.org/")


async def decoding_error(world):
    await world.get(world.server(respond(b"not gzip", headers=[("Content-Encoding", "gzip")])))


async def download_error(world):
    async with world.runtime.client() as client:
        await client.download(world.app.url + "/json", world.tmp_path / "file", digest="sha256:" + "0" * 64)


async def web_socket_error(world, url=None):
    async with world.runtime.client() as client:
        socket = client.websocket(url or world.app.url + "/json")
        if world.runtime.is_async:
            async with socket:
                await socket.receive()
        else:
            with socket:
                socket.receive()


async def web_socket_closed(world):
    await web_socket_error(world, world.scripted(lambda conn: Peer(conn)).url)


async def sse_error(world):
    async with world.runtime.client() as client:
        source = client.sse(world.app.url + "/json")
        if world.runtime.is_async:
            await source.__aenter__()
        else:
            source.__enter__()


async def too_many_redirects(world):
    await world.get(world.app.url + "/redirect/3", follow_redirects=True, max_redirects=2)


async def http_status_error(world):
    (await world.get(world.app.url + "/status/404")).raise_for_status()


async def invalid_url(world):
    await world.get("http://[::1/")


async def cookie_conflict(world):
    async with world.runtime.client() as client:
        client.cookies.set("a", "1", domain="a.test")
        client.cookies.set("a", "2", domain="b.test")
        client.cookies["a"]


async def stream_consumed(world):
    async with world.runtime.client() as client, client.stream("GET", world.app.url + "/chunked/3") as response:
        for _ in range(2):
            async for _ in response.aiter_raw():
                pass


async def stream_closed(world):
    async with world.runtime.client() as client, client.stream("GET", world.app.url + "/chunked/3") as response:
        await response.aclose()
        await response.aread()


async def response_not_read(world):
    async with world.runtime.client() as client, client.stream("GET", world.app.url) as response:
        _ = response.content


async def request_not_read(world):
    async with world.runtime.client() as client:
        _ = client.build_request("POST", world.app.url, content=iter([b"a"])).content


CASES = {
    httpx.ConnectTimeout: connect_timeout,
    httpx.ReadTimeout: read_timeout,
    httpx.WriteTimeout: write_timeout,
    httpx.PoolTimeout: pool_timeout,
    httpx.ConnectError: connect_error,
    httpx.CertificateVerifyError: certificate_verify_error,
    httpx.TLSError: tls_error,
    httpx.ReadError: read_error,
    httpx.WriteError: write_error,
    httpx.LocalProtocolError: local_protocol_error,
    httpx.RemoteProtocolError: remote_protocol_error,
    httpx.ProxyError: proxy_error,
    httpx.UnsupportedProtocol: unsupported_protocol,
    httpx.DecodingError: decoding_error,
    httpx.DownloadError: download_error,
    httpx.SSEError: sse_error,
    httpx.WebSocketError: web_socket_error,
    httpx.WebSocketClosed: web_socket_closed,
    httpx.TooManyRedirects: too_many_redirects,
    httpx.HTTPStatusError: http_status_error,
    httpx.InvalidURL: invalid_url,
    httpx.CookieConflict: cookie_conflict,
    httpx.StreamConsumed: stream_consumed,
    httpx.StreamClosed: stream_closed,
    httpx.ResponseNotRead: response_not_read,
    httpx.RequestNotRead: request_not_read,
}


def test_no_exception_is_without_its_case():
    public = {thing for name in httpx.__all__ if isinstance(thing := getattr(httpx, name), type) and issubclass(thing, Exception)}
    assert public == NEVER_RAISED | set(CASES)


@pytest.mark.parametrize("kind", list(CASES), ids=lambda kind: kind.__name__)
async def test_it_is_raised_knows_its_request_and_survives_pickle_and_copy(runtime, scripted, app, tmp_path, kind):
    with pytest.raises(kind) as caught:
        await CASES[kind](World(runtime, scripted, app, tmp_path))
    error = caught.value
    assert type(error) is kind
    assert str(error)
    if isinstance(error, httpx.HTTPError):
        assert error.request.method in ("GET", "POST")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
        if isinstance(error, httpx.HTTPError):
            assert again.request.url == error.request.url
        if isinstance(error, httpx.HTTPStatusError):
            assert again.response.status_code == 404


ENCODED = gzip.compress(b"hello")
WHOLE = (
    b"HTTP/1.1 103 Early\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
    + b"%x\r\n%b\r\n" % (len(ENCODED), ENCODED)
    + b"0\r\nX: 1\r\n\r\n"
)


@pytest.mark.parametrize("ending", ["closed", "reset", "garbled"])
async def test_wherever_a_response_breaks_only_exceptions_of_httpx_are_raised(runtime, scripted, ending):
    offsets = iter(range(0, len(WHOLE), 3))

    def script(conn):
        conn.read_request()
        offset = next(offsets)
        conn.send(WHOLE[:offset])
        if ending == "garbled":
            conn.send(b"\0\xff" + WHOLE[offset:])
        elif ending == "reset":
            conn.reset()

    url = scripted(script).url
    async with runtime.client() as client:
        for _ in range(0, len(WHOLE), 3):
            # Anything else than these fails the test by itself.
            with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError):
                await client.get(url)
