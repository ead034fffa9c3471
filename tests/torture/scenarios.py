"""What is tortured: one request each, on every kind of way that a request can take."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import wsproto.connection
from wsproto.events import CloseConnection

import httpx
from tests.support.certificates import Authority
from tests.support.http2 import DATA, END_STREAM, HEADERS, RST_STREAM, HTTP2Peer, data, window_update
from tests.support.proxies import http_proxy, socks5_proxy
from tests.support.servers import Connection, Request, ScriptedServer, keep_alive, pattern, respond, respond_chunked

NAME = "www.example.org"
BIG = pattern(250_000)
COMPRESSED = respond(gzip.compress(BIG[:90_000], 1), headers=[("Content-Encoding", "gzip")])
ENABLE_CONNECT_PROTOCOL = 8  # RFC 8441 section 3


def answer(request: Request) -> Any:
    """A server with a route for each thing that may be done to a client."""
    if request.path == "/chunked":
        return respond_chunked([BIG[:50], BIG[50:40_000], BIG[40_000:90_000]])
    if request.path == "/gzip":
        return [COMPRESSED[:60], COMPRESSED[60:]]
    if request.path == "/redirect":
        redirect = respond(b"x" * 300, 302, [("Location", "/chunked")])
        return [redirect[:80], redirect[80:]]
    if request.path == "/protected" and "authorization" not in request.headers:
        return respond(b"who are you?", 401, [("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')])
    if request.path == "/upload":
        return respond(b"%d" % len(request.body))
    if request.path == "/early":
        return [b"HTTP/1.1 103 Early Hints\r\n\r\n", respond(request.target.encode())]
    return respond(request.target.encode())


def serve(conn: Connection) -> None:
    """HTTP/1.1 with `answer`, and an upgrade to an echo."""
    while True:
        request = conn.read_request()
        if "upgrade" in request.headers:
            conn.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello")
            conn.send(conn.read_exactly(5))
            return
        answered = answer(request)
        conn.send_each([answered] if isinstance(answered, bytes) else answered)


def serve_http2(conn: Connection) -> None:
    """HTTP/2: echoes the path, the size of the body, or the messages of a WebSocket. Cancelled requests are forgotten."""
    try:
        peer = HTTP2Peer(conn, {ENABLE_CONNECT_PROTOCOL: 1})
    except AssertionError:
        return  # the client was interrupted in the middle of its first bytes, and these are its last ones
    requests: dict[int, tuple[str, int]] = {}
    sockets: dict[int, Any] = {}
    while True:
        found = peer.read_frame()
        ended = bool(found.flags & END_STREAM)
        if found.type == HEADERS:
            fields = {str(name): str(value) for name, value in peer.decoder.decode(found.payload)}
            if ":protocol" in fields:
                sockets[found.stream_id] = wsproto.connection.Connection(wsproto.connection.ConnectionType.SERVER)
                peer.send(peer.headers(found.stream_id))
            else:
                requests[found.stream_id] = (fields[":path"], 0)
        elif found.type == DATA and found.payload and found.stream_id in sockets:
            peer.send(*_echo(sockets[found.stream_id], found.stream_id, found.payload))
        elif found.type == DATA and found.stream_id in requests:
            path, size = requests[found.stream_id]
            requests[found.stream_id] = (path, size + len(found.payload))
        if found.type == DATA and found.payload:
            peer.send(window_update(0, len(found.payload)), *([] if ended else [window_update(found.stream_id, len(found.payload))]))
        if found.type == RST_STREAM:
            requests.pop(found.stream_id, None)
        elif found.type in (HEADERS, DATA) and ended and found.stream_id in requests:
            _answer_http2(peer, found.stream_id, *requests.pop(found.stream_id))


def _echo(socket: Any, stream_id: int, received: bytes) -> Iterator[bytes]:
    socket.receive_data(received)
    for event in socket.events():
        answer = event.response() if isinstance(event, CloseConnection) else event
        encoded = socket.send(answer)
        for start in range(0, len(encoded), 16_000):
            yield data(stream_id, encoded[start : start + 16_000], end=answer is not event)


def _answer_http2(peer: HTTP2Peer, stream_id: int, path: str, size: int) -> None:
    if path == "/chunked":
        pieces = [BIG[:50], BIG[50:16_000], BIG[16_000:30_000]]
        peer.send(peer.headers(stream_id), *[data(stream_id, piece, end=piece is pieces[-1]) for piece in pieces])
    else:
        peer.respond(stream_id, b"%d" % size if size else path.encode())


def content(runtime: Any) -> Any:
    def pieces() -> Iterator[bytes]:
        for start in range(0, len(BIG), 90_000):
            yield BIG[start : start + 90_000]

    async def async_pieces() -> AsyncIterator[bytes]:
        for piece in pieces():
            yield piece

    return async_pieces() if runtime.is_async else pieces()


class Scenario:
    """Servers and settings for the client, the act, and the proof that the client is well."""

    def __init__(self, runtime: Any, url: str, act: str, settings: dict[str, Any]) -> None:
        self._runtime = runtime
        self._url = url
        self._act = act
        self._settings = settings

    def client(self) -> Any:
        limits = httpx.Limits(max_connections=1)
        return self._runtime.client(
            transport=self._runtime.transport(limits=limits, **self._settings), timeout=httpx.Timeout(4, connect=2), follow_redirects=True
        )

    async def act(self, client: Any) -> None:
        """What is interrupted. Raises `AssertionError` if it comes to its end with anything but the right result."""
        await getattr(self, f"_{self._act}")(client)

    async def check(self, client: Any) -> None:
        """Nothing is taken, and the next request is answered rightly."""
        stats = client.pool_stats()
        assert (stats.in_use, stats.waiting) == (0, 0), stats
        assert (await client.get(self._url + "/next")).content == b"/next"

    async def _get(self, client: Any) -> None:
        assert (await client.get(self._url + "/early")).content == b"/early"

    async def _download(self, client: Any) -> None:
        received = (await client.get(self._url + "/chunked")).content
        assert len(received) >= 30_000
        assert received == BIG[: len(received)]

    async def _decode(self, client: Any) -> None:
        assert (await client.get(self._url + "/gzip")).content == BIG[:90_000]

    async def _redirect(self, client: Any) -> None:
        assert (await client.get(self._url + "/redirect")).content == BIG[:90_000]

    async def _authenticate(self, client: Any) -> None:
        response = await client.get(self._url + "/protected", auth=httpx.DigestAuth("user", "password"))
        assert response.content == b"/protected"

    async def _upload(self, client: Any) -> None:
        response = await client.post(self._url + "/upload", content=content(self._runtime))
        assert response.content == b"%d" % len(BIG)

    async def _expect(self, client: Any) -> None:
        # This server does not say "100 Continue": the body goes out after a while, or with the answer at once.
        response = await client.post(self._url + "/upload", content=b"hello", headers={"Expect": "100-continue"})
        assert response.content == b"5"

    async def _leave(self, client: Any) -> None:
        async with client.stream("GET", self._url + "/chunked") as response:
            async for piece in response.aiter_bytes(10):
                assert piece == BIG[:10]
                break

    async def _switch(self, client: Any) -> None:
        headers = {"Connection": "Upgrade", "Upgrade": "echo"}
        async with client.stream("GET", self._url + "/ws", headers=headers) as response:
            stream = response.extensions["network_stream"]
            read, write, close = stream.read, stream.write, stream.aclose if self._runtime.is_async else stream.close
            received = await _maybe(read(5, timeout=5))
            await _maybe(write(b"world", timeout=5))
            while len(received) < 10:
                piece = await _maybe(read(5, timeout=5))
                if not piece:
                    raise httpx.ReadError("the end of the other protocol")
                received += piece
            assert received == b"helloworld"
            await _maybe(close())

    async def _websocket(self, client: Any) -> None:
        socket = client.websocket(self._url + "/ws")
        await _maybe(socket.__aenter__() if self._runtime.is_async else socket.__enter__())
        try:
            for message in ("hello", "x" * 40_000):
                await _maybe(socket.send(message, timeout=5))
                assert await _maybe(socket.receive(timeout=5)) == message
        finally:
            await _maybe(socket.close(timeout=0.2))


async def _maybe(value: Any) -> Any:
    return await value if hasattr(value, "__await__") else value


WAYS: dict[str, list[str]] = {
    "http": ["get", "download", "decode", "redirect", "authenticate", "upload", "leave", "switch"],
    "https": ["get", "download", "upload", "leave", "switch"],
    "http2": ["get", "download", "upload", "leave", "websocket"],
    "http2 over TLS": ["get", "download", "upload"],
    "forward proxy": ["get", "upload"],
    "tunnel": ["get", "download", "switch"],
    "TLS in TLS": ["get", "download"],
    "SOCKS": ["get", "leave"],
}

Start = Callable[..., ScriptedServer]


class Ways:
    """Makes scenarios. What they have in common is made once: certificates and contexts."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.context = httpx.SSLContext(verify=str(self.authority.pem))

    def scenario(self, runtime: Any, scripted: Start, way: str, act: str) -> Scenario:
        url, settings = getattr(self, "_" + way.lower().replace(" ", "_"))(scripted)
        return Scenario(runtime, url, act, settings)

    def _http(self, scripted: Start) -> tuple[str, dict[str, Any]]:
        return scripted(serve).url, {}

    def _https(self, scripted: Start) -> tuple[str, dict[str, Any]]:
        return scripted(serve, ssl_context=self.authority.server("127.0.0.1")).url, {"ssl_context": self.context}

    def _http2(self, scripted: Start) -> tuple[str, dict[str, Any]]:
        return scripted(serve_http2).url, {"http1": False, "http2": True}

    def _http2_over_tls(self, scripted: Start) -> tuple[str, dict[str, Any]]:
        context = self.authority.server("127.0.0.1")
        context.set_alpn_protocols(["h2"])
        return scripted(serve_http2, ssl_context=context).url, {"http2": True, "ssl_context": self.context}

    def _forward_proxy(self, scripted: Start) -> tuple[str, dict[str, Any]]:
        # A forward proxy answers in the server's place, which is all that the client can see.
        def proxy(request: Request) -> Any:
            target = httpx.URL(request.target).raw_path
            return answer(request._replace(head=request.head.replace(request.target.encode(), target, 1)))

        return f"http://{NAME}", {"proxy": httpx.Proxy(scripted(keep_alive(proxy)).url)}

    def _tunnel(self, scripted: Start) -> tuple[str, dict[str, Any]]:
        proxy = scripted(http_proxy(self._routes(scripted)))
        return f"https://{NAME}", {"proxy": httpx.Proxy(proxy.url), "ssl_context": self.context}

    def _tls_in_tls(self, scripted: Start) -> tuple[str, dict[str, Any]]:
        proxy = scripted(http_proxy(self._routes(scripted)), ssl_context=self.authority.server("127.0.0.1"))
        return f"https://{NAME}", {"proxy": httpx.Proxy(proxy.url, ssl_context=self.context), "ssl_context": self.context}

    def _socks(self, scripted: Start) -> tuple[str, dict[str, Any]]:
        proxy = scripted(socks5_proxy(self._routes(scripted)))
        return f"https://{NAME}", {"proxy": httpx.Proxy("socks5://" + proxy.authority), "ssl_context": self.context}

    def _routes(self, scripted: Start) -> dict[str, int]:
        return {f"{NAME}:443": scripted(serve, ssl_context=self.authority.server(NAME)).port}


ALL = [(way, act) for way, acts in WAYS.items() for act in acts]


@contextlib.contextmanager
def only_failures_of_httpx(also: tuple[type[BaseException], ...] = (), *, waits: bool = False) -> Iterator[None]:
    """Swallow the exceptions that a network may cause, and no others: what failed is told at once, not when a time-out `waits` for it."""
    try:
        yield
    except httpx.TimeoutException:
        if not waits:
            raise
    except httpx.TransportError:
        pass
    except BaseException as error:
        if not isinstance(error, also):
            raise
