"""Servers for the tests: one that misbehaves exactly as told, and one that behaves.

`ScriptedServer` runs a plain function for each connection, on a thread of its own, over real TCP or TLS:

    def cuts_the_body_short(conn):
        request = conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\nabc")

    with ScriptedServer(cuts_the_body_short) as server:
        ...  # server.url, server.port; server.requests and server.connections tell what arrived

A script ends silently when the client goes away (`PeerGone`); anything else that it raises fails the test when the
server is closed. When a script returns, its connection is closed. `AppServer` is the well-behaved one, with routes.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import http
import json
import select
import socket
import ssl
import struct
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, NoReturn

PATIENCE = 20.0  # seconds: no script and no test waits longer for anything

Script = Callable[["Connection"], None]


class PeerGone(Exception):
    """The client closed the connection, or the server is being closed: nothing is left to do for a script."""


class Request(NamedTuple):
    """A request as it arrived: its head (with the empty line) and its body, decoded if it was chunked."""

    head: bytes
    body: bytes = b""

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode("ascii")

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode("ascii")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Name and value of each header, in order and in the case in which they were sent."""
        fields = (line.partition(b":") for line in self.head.split(b"\r\n")[1:-2])
        return [(name, value.strip()) for name, _, value in fields]

    @property
    def headers(self) -> dict[str, str]:
        """Headers by lower-case name; those sent twice are joined by a comma."""
        found: dict[str, str] = {}
        for raw_name, raw_value in self.raw_headers:
            name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1")
            found[name] = f"{found[name]}, {value}" if name in found else value
        return found

    @property
    def wants_close(self) -> bool:
        return "close" in self.headers.get("connection", "").lower() or b"HTTP/1.0\r\n" in self.head


class Connection:
    """One accepted connection, as its script sees it."""

    def __init__(self, server: ScriptedServer, sock: socket.socket, number: int) -> None:
        self.server = server
        self.socket = sock
        self.number = number  # 0 for the first connection to this server
        self.requests: list[Request] = []
        self.handshake_error: Exception | None = None
        self.finished = threading.Event()  # set when the script has ended and the connection is closed
        self._received = b""

    @property
    def tls(self) -> ssl.SSLSocket:
        """The socket, for its `version()`, `cipher()`, `getpeercert()`, `session_reused`, ..."""
        assert isinstance(self.socket, ssl.SSLSocket), "not a TLS connection"
        return self.socket

    def read_request(self) -> Request:
        """Wait for a whole request, and record it. Raises `PeerGone` if the client closes instead."""
        head = self.read_head()
        request = Request(head, self.read_body(head))
        self.record(request)
        return request

    def record(self, request: Request) -> None:
        self.requests.append(request)
        with self.server.changed:
            self.server.requests.append(request)
            self.server.changed.notify_all()

    def read_head(self) -> bytes:
        return self.read_until(b"\r\n\r\n")

    def read_body(self, head: bytes) -> bytes:
        headers = Request(head).headers
        if "chunked" in headers.get("transfer-encoding", ""):
            return self._read_chunks()
        return self.read_exactly(int(headers.get("content-length", 0)))

    def read_until(self, end: bytes) -> bytes:
        """The bytes up to and with `end`."""
        while end not in self._received:
            self._received += self._receive()
        found, _, self._received = self._received.partition(end)
        return found + end

    def read_exactly(self, count: int) -> bytes:
        parts = [self._received]
        missing = count - len(self._received)
        while missing > 0:
            parts.append(self._receive())
            missing -= len(parts[-1])
        received = b"".join(parts)
        self._received = received[count:]
        return received[:count]

    def send(self, data: bytes) -> None:
        with self._peer_may_go():
            self.socket.sendall(data)

    def send_each(self, pieces: Iterable[bytes]) -> None:
        """Send each piece on its own (TCP may still join them)."""
        for piece in pieces:
            self.send(piece)

    def drip(self, first: bytes, more: bytes) -> NoReturn:
        """Send `first`, then `more` again and again, with a little pause before each, until the client goes away (`PeerGone`)."""
        self.send(first)
        pause = self.server.event()
        while not pause.wait(0.02):
            self.send(more)
        raise PeerGone

    def reset(self) -> None:
        """Close with a TCP reset (RST) instead of an orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self, *, close_notify: bool = True) -> None:
        """Close in good order; without `close_notify`, a TLS connection ends as if it had been cut."""
        if isinstance(self.socket, ssl.SSLSocket) and close_notify:
            # Only says goodbye: waiting for the client's answer would need it to cooperate.
            with contextlib.suppress(OSError, ValueError):
                self.socket.setblocking(False)
                self.socket.unwrap()
        self.socket.close()

    def wait_closed(self) -> bytes:
        """Wait until the client has closed its side; what it sent until then."""
        received = [self._received]
        self._received = b""
        with contextlib.suppress(PeerGone):
            while True:
                received.append(self._receive())
        return b"".join(received)

    def wait_for(self, event: threading.Event) -> None:
        """Wait until the test sets `event`, made by `server.event()`."""
        if not event.wait(PATIENCE):
            raise TimeoutError("the test never set the event that this script waits for")
        if self.server.closing:
            raise PeerGone

    def upgrade_to_tls(self, context: ssl.SSLContext) -> None:
        """From here on, speak TLS: what a proxy's tunnel needs. Raises `PeerGone` if the handshake fails."""
        if self.server.closing:
            raise PeerGone
        try:
            with self._peer_may_go():
                # In place before the handshake starts, so that closing the server finds and ends it.
                self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
                self.tls.do_handshake()
        except PeerGone as error:
            cause = error.__cause__
            self.handshake_error = cause if isinstance(cause, Exception) else error
            raise

    def _receive(self) -> bytes:
        with self._peer_may_go():
            data = self.socket.recv(65536)
        if not data:
            raise PeerGone
        return data

    @contextlib.contextmanager
    def _peer_may_go(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise TimeoutError(f"the script waited more than {PATIENCE:g} s for the client") from None
        except (ConnectionError, ssl.SSLError) as error:
            raise PeerGone(str(error)) from error
        except (OSError, ValueError) as error:
            gone = isinstance(error, OSError) and error.errno == errno.ENOTCONN
            if gone or self.server.closing:
                raise PeerGone(str(error)) from error
            raise

    def _read_chunks(self) -> bytes:
        body = b""
        while size := int(self.read_until(b"\r\n").split(b";")[0], 16):
            body += self.read_exactly(size)
            self.read_exactly(2)
        while self.read_until(b"\r\n") != b"\r\n":
            pass  # a trailer
        return body


class ScriptedServer:
    """A TCP or TLS server on a free port of the loopback that runs `script` for each connection. See the module."""

    def __init__(self, script: Script, *, ssl_context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.connections: list[Connection] = []
        self.requests: list[Request] = []  # of all connections, in the order of their arrival
        self.errors: list[Exception] = []
        self.changed = threading.Condition()
        self.closing = False
        self.host = host
        self._script = script
        self._ssl_context = ssl_context
        self._events: list[threading.Event] = []
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self._waker, self._wake = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name=f"accept-{self.port}")
        self._acceptor.start()

    @property
    def scheme(self) -> str:
        return "https" if self._ssl_context else "http"

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        return f"{self.scheme}://{self.authority}"

    def event(self) -> threading.Event:
        """An event for scripts to wait for (`conn.wait_for`), which closing the server sets."""
        event = threading.Event()
        self._events.append(event)
        return event

    def wait_for(self, condition: Callable[[ScriptedServer], bool]) -> None:
        """Wait until `condition` of this server holds; looked at when a connection or a request arrives or ends."""
        with self.changed:
            if not self.changed.wait_for(lambda: condition(self), PATIENCE):
                raise TimeoutError("what the test waits for did not happen at the server")

    def wait_for_requests(self, count: int) -> None:
        self.wait_for(lambda server: len(server.requests) >= count)

    def wait_for_no_connections(self) -> None:
        self.wait_for(lambda server: all(connection.finished.is_set() for connection in server.connections))

    def close(self) -> None:
        """End all scripts and connections; raise what scripts raised."""
        if self.closing:
            return
        self.closing = True
        self._wake.send(b"x")
        self._acceptor.join(PATIENCE)
        for event in self._events:
            event.set()
        for connection in self.connections:
            with contextlib.suppress(OSError):  # the plain shutdown: TLS state belongs to the script's thread
                socket.socket.shutdown(connection.socket, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        for sock in (self._listener, self._waker, self._wake):
            sock.close()
        if self.errors:
            raise ExceptionGroup("scripts of a ScriptedServer failed", self.errors)

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            ready, _, _ = select.select([self._listener, self._waker], [], [])
            if self._waker in ready:
                return
            sock, _ = self._listener.accept()
            sock.settimeout(PATIENCE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.changed:
                connection = Connection(self, sock, len(self.connections))
                self.connections.append(connection)
                self.changed.notify_all()
            thread = threading.Thread(target=self._serve, args=(connection,), name=f"script-{self.port}-{connection.number}")
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: Connection) -> None:
        try:
            if self._ssl_context is not None:
                connection.upgrade_to_tls(self._ssl_context)
            self._script(connection)
        except PeerGone:
            pass
        except Exception as error:
            if not self.closing:
                self.errors.append(error)
        finally:
            connection.close()
            with self.changed:
                connection.finished.set()
                self.changed.notify_all()


Headers = Sequence[tuple[str, str]]


def respond(body: bytes | str = b"", status: int = 200, headers: Headers = ()) -> bytes:
    """The bytes of a response with a Content-Length (unless `headers` frame it otherwise, or the status has no body)."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers)]
    framed = any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers)
    if not framed and status >= 200 and status not in (204, 304):
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


def respond_json(value: object, status: int = 200, headers: Headers = ()) -> bytes:
    return respond(json.dumps(value), status, [("Content-Type", "application/json"), *headers])


def respond_chunked(chunks: Iterable[bytes], headers: Headers = ()) -> Iterator[bytes]:
    """The pieces of a chunked response: its head, each chunk, its end."""
    yield respond(headers=[("Transfer-Encoding", "chunked"), *headers])
    for chunk in chunks:
        yield b"%x\r\n%b\r\n" % (len(chunk), chunk)
    yield b"0\r\n\r\n"


def say(*sent: bytes) -> Script:
    """A script that reads a request, sends these bytes, if any, and is silent from then on."""

    def script(conn: Connection) -> None:
        conn.read_request()
        conn.send_each(sent)
        conn.wait_closed()

    return script


def keep_alive(answer: Callable[[Request], bytes | Iterable[bytes]]) -> Script:
    """A script that answers request after request with what `answer` returns, whole or in pieces."""

    def script(conn: Connection) -> None:
        while True:
            request = conn.read_request()
            answered = answer(request)
            pieces = [answered] if isinstance(answered, bytes) else answered
            if request.method == "HEAD":
                pieces = [b"".join(pieces).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"]
            conn.send_each(pieces)
            if request.wants_close:
                return

    return script


class AppServer(ScriptedServer):
    """A well-behaved HTTP/1.1 server with these routes (N and NAME stand for themselves):

    /                     "Hello, world!"
    /json                 a small JSON object
    /bytes/N, /chunked/N  N bytes with a Content-Length, or in chunks of at most 1000
    /stream/N             N lines, each a chunk: "line 0", "line 1", ...
    /status/N             an empty response of that status
    /headers, /echo       JSON: the headers that arrived; method, target, headers and body (as text)
    /redirect/N           N redirects, then /json; /redirect-to?url=...&status=302
    /set-cookie/NAME/N    sets a cookie; /cookies shows as JSON the Cookie header that arrived
    /wait/NAME            answers "NAME" once the test calls `release(NAME)`; `arrived(NAME)` waits for the request
    /close                answers, says Connection: close and closes
    """

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._gates: dict[str, tuple[threading.Event, threading.Event]] = {}
        self._gates_lock = threading.Lock()
        super().__init__(keep_alive(self._answer), ssl_context=ssl_context, host=host)

    def arrived(self, name: str) -> None:
        """Wait until a request for /wait/NAME has arrived."""
        if not self._gate(name)[0].wait(PATIENCE):
            raise TimeoutError(f"no request for /wait/{name} arrived")

    def release(self, name: str) -> None:
        """Let /wait/NAME answer, now and from now on."""
        self._gate(name)[1].set()

    def _gate(self, name: str) -> tuple[threading.Event, threading.Event]:
        with self._gates_lock:
            if name not in self._gates:
                self._gates[name] = (threading.Event(), self.event())
            return self._gates[name]

    def _answer(self, request: Request) -> bytes | Iterable[bytes]:
        _, name, *arguments = urllib.parse.unquote(request.path).split("/")
        route: Callable[..., bytes | Iterable[bytes]] | None = getattr(self, f"_route_{name.replace('-', '_')}", None)
        return respond(b"no such route", 404) if route is None else route(request, *arguments)

    def _route_(self, request: Request) -> bytes:
        return respond("Hello, world!", headers=[("Content-Type", "text/plain; charset=utf-8")])

    def _route_json(self, request: Request) -> bytes:
        return respond_json({"message": "Hello, world!", "number": 42, "list": [1, 2, 3], "none": None})

    def _route_bytes(self, request: Request, count: str) -> bytes:
        return respond(pattern(int(count)), headers=[("Content-Type", "application/octet-stream")])

    def _route_chunked(self, request: Request, count: str) -> Iterable[bytes]:
        body = pattern(int(count))
        chunks = (body[start : start + 1000] for start in range(0, len(body), 1000))
        return respond_chunked(chunks, headers=[("Content-Type", "application/octet-stream")])

    def _route_stream(self, request: Request, count: str) -> Iterable[bytes]:
        return respond_chunked((b"line %d\n" % number for number in range(int(count))), headers=[("Content-Type", "text/plain")])

    def _route_status(self, request: Request, status: str) -> bytes:
        return respond(status=int(status))

    def _route_headers(self, request: Request) -> bytes:
        return respond_json(request.headers)

    def _route_echo(self, request: Request, *_: str) -> bytes:
        body = request.body.decode("utf-8", "replace")
        return respond_json({"method": request.method, "target": request.target, "headers": request.headers, "body": body})

    def _route_redirect(self, request: Request, count: str) -> bytes:
        left = int(count) - 1
        return respond(status=302, headers=[("Location", f"/redirect/{left}" if left > 0 else "/json")])

    def _route_redirect_to(self, request: Request) -> bytes:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.target).query)
        return respond(status=int(query.get("status", ["302"])[0]), headers=[("Location", query["url"][0])])

    def _route_set_cookie(self, request: Request, name: str, value: str) -> bytes:
        return respond(headers=[("Set-Cookie", f"{name}={value}; Path=/")])

    def _route_cookies(self, request: Request) -> bytes:
        return respond_json(request.headers.get("cookie"))

    def _route_wait(self, request: Request, name: str) -> bytes:
        arrived, released = self._gate(name)
        arrived.set()
        if not released.wait(PATIENCE):
            raise TimeoutError(f"the test never released /wait/{name}")
        return respond(name)

    def _route_close(self, request: Request) -> Iterator[bytes]:
        yield respond("goodbye", headers=[("Connection", "close")])
        raise PeerGone


def pattern(count: int) -> bytes:
    """`count` bytes in which no stretch repeats within a megabyte, so that lost, doubled or swapped pieces show."""
    block = _block()
    return (block * (count // len(block) + 1))[:count]


@functools.cache
def _block() -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in range(262_139))
