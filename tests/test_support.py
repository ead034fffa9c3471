"""The tests' own servers and helpers do what they say. Uses no client of ours, only sockets and the standard library."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.support.hosts import LocalHosts
from tests.support.leaks import LeakCheck
from tests.support.runtimes import SyncRuntime, drive
from tests.support.servers import AppServer, Connection, Request, ScriptedServer, keep_alive, pattern, respond

StartScript = Callable[..., ScriptedServer]
StartApp = Callable[..., AppServer]


def exchange(server: ScriptedServer, sent: bytes) -> bytes:
    """All that the server says to these bytes until it closes."""
    with socket.create_connection((server.host, server.port), timeout=5) as sock:
        sock.sendall(sent)
        return b"".join(iter(lambda: sock.recv(65536), b""))


def get(server: ScriptedServer, target: str, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
    connection.request(method, target)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "www.example.com").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def test_a_script_sees_requests_and_sends_bytes(no_leaks: LeakCheck, scripted: StartScript) -> None:
    def script(conn: Connection) -> None:
        assert conn.read_request().body == b"abc"
        conn.send(respond(b"ok", headers=[("X-Number", str(conn.number))]))

    server = scripted(script)
    answer = exchange(server, b"POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
    assert answer == b"HTTP/1.1 200 OK\r\nX-Number: 0\r\nContent-Length: 2\r\n\r\nok"
    (request,) = server.requests
    assert (request.method, request.target, request.path) == ("POST", "/a?b", "/a")
    assert request.headers == {"host": "x", "content-length": "3"}
    assert server.connections[0].requests == [request]


def test_chunked_requests_are_decoded(scripted: StartScript) -> None:
    server = scripted(keep_alive(lambda request: respond(request.body, headers=[("Connection", "close")])))
    head = b"POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = exchange(server, head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nabcde")


def test_reset_is_seen_as_a_reset(scripted: StartScript) -> None:
    def script(conn: Connection) -> None:
        conn.read_head()
        conn.reset()

    server = scripted(script)
    with pytest.raises(ConnectionResetError):
        exchange(server, b"GET / HTTP/1.1\r\n\r\n")


def test_wait_closed_tells_what_came_before_the_end(scripted: StartScript) -> None:
    received: list[bytes] = []
    server = scripted(lambda conn: received.append(conn.wait_closed()))
    socket.create_connection((server.host, server.port)).close()
    server.wait_for(lambda server: len(server.connections) == 1)
    server.wait_for_no_connections()
    assert received == [b""]


def test_failing_scripts_fail_the_test() -> None:
    def script(conn: Connection) -> None:
        raise ValueError("a mistake in the script")

    with pytest.raises(ExceptionGroup) as caught, ScriptedServer(script) as server:
        assert exchange(server, b"") == b""
    assert isinstance(caught.value.exceptions[0], ValueError)


def test_closing_ends_scripts_that_wait(no_leaks: LeakCheck) -> None:
    with ScriptedServer(lambda conn: conn.wait_for(conn.server.event())) as server:
        sock = socket.create_connection((server.host, server.port))
        server.wait_for(lambda server: len(server.connections) == 1)
    assert sock.recv(1) == b""
    sock.close()


def test_tls_ends_with_or_without_close_notify(scripted: StartScript) -> None:
    server_context, client_context = contexts()

    def script(conn: Connection) -> None:
        assert conn.tls.version() == "TLSv1.3"
        conn.send(b"x")
        conn.close(close_notify=conn.number == 0)

    server = scripted(script, ssl_context=server_context)

    def ending() -> bytes:
        with (
            socket.create_connection((server.host, server.port)) as plain,
            client_context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as sock,
        ):
            return sock.recv(1) + sock.recv(1)

    assert ending() == b"x"
    with pytest.raises(ssl.SSLEOFError):
        ending()


def test_a_failed_handshake_is_recorded_and_is_no_error(scripted: StartScript) -> None:
    server = scripted(lambda conn: None, ssl_context=contexts()[0])
    with (
        socket.create_connection((server.host, server.port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
        ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1"),
    ):
        pass
    server.wait_for_no_connections()
    assert isinstance(server.connections[0].handshake_error, ssl.SSLError)


def test_routes(no_leaks: LeakCheck, app: AppServer) -> None:
    assert json.loads(get(app, "/json")[1])["number"] == 42
    assert get(app, "/bytes/5000") == (200, pattern(5000))
    assert get(app, "/chunked/5000") == (200, pattern(5000))
    assert get(app, "/stream/2") == (200, b"line 0\nline 1\n")
    assert get(app, "/status/204") == (204, b"")
    assert get(app, "/status/503") == (503, b"")
    assert get(app, "/", "HEAD") == (200, b"")
    assert get(app, "/nothing")[0] == 404
    assert get(app, "/redirect/1")[0] == 302
    assert get(app, "/close") == (200, b"goodbye")
    assert json.loads(get(app, "/echo/a%20b?c=d", "PUT")[1])["target"] == "/echo/a%20b?c=d"


def test_a_request_waits_until_it_is_released(app: AppServer) -> None:
    answers: list[tuple[int, bytes]] = []
    thread = threading.Thread(target=lambda: answers.append(get(app, "/wait/door")))
    thread.start()
    app.arrived("door")
    assert answers == []
    app.release("door")
    thread.join()
    assert answers == [(200, b"door")]


def test_names_and_ports_are_mapped(app_server: StartApp, local_hosts: LocalHosts) -> None:
    server_context, client_context = contexts()
    secure, plain = app_server(ssl_context=server_context), app_server()
    local_hosts.add("www.example.com", {443: secure.port, 80: plain.port})
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=client_context), urllib.request.ProxyHandler({}))
    for scheme in ("https", "http"):
        with opener.open(f"{scheme}://www.example.com/") as response:
            assert response.read() == b"Hello, world!"
    assert local_hosts.lookups == [("www.example.com", 443), ("www.example.com", 80)]
    with pytest.raises(socket.gaierror):
        socket.create_connection(("other.example.com", 80))


@pytest.mark.parametrize("peer", ["uvicorn_server", "hypercorn_server", "nginx_server"])
def test_real_peers_answer(peer: str, request: pytest.FixtureRequest) -> None:
    with urllib.request.urlopen(request.getfixturevalue(peer) + "/") as response:
        assert response.read() == b"Hello, world!"


def test_nginx_serves_files(nginx_server: str, nginx_files: Path) -> None:
    (nginx_files / "data").write_bytes(pattern(100_000))
    with urllib.request.urlopen(nginx_server + "/files/data") as response:
        assert response.read() == pattern(100_000)


def test_leaks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.leaks.PATIENCE", 0.05)
    check = LeakCheck()
    with socket.socket(), pytest.raises(AssertionError, match="left behind: socket"):
        check.verify()
    check.verify()


def test_the_sync_driver_refuses_to_suspend() -> None:
    import asyncio

    with pytest.raises(RuntimeError, match="suspended"):
        drive(asyncio.sleep(0))


async def test_coroutine_tests_run_on_each_runtime(runtime: SyncRuntime) -> None:
    async def work() -> str:
        return runtime.name

    assert await runtime.gather(work, work) == [runtime.name] * 2
    assert await runtime.in_thread(lambda: 1) == 1


def test_head_of_a_request_is_read_as_sent() -> None:
    request = Request(b"GET / HTTP/1.0\r\nX-A: 1\r\nx-a:2\r\n\r\n")
    assert request.raw_headers == [(b"X-A", b"1"), (b"x-a", b"2")]
    assert request.headers == {"x-a": "1, 2"}
    assert request.wants_close
