"""Proxies for the tests, as scripts of a `ScriptedServer`: they do as they are told, and record what they were asked.

    proxy = scripted(http_proxy({"www.example.org:443": server.port}))

The first argument says which ports of the loopback stand for the hosts and ports that clients ask for.
"""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import ssl
from collections.abc import Mapping

from tests.support.servers import PATIENCE, Connection, PeerGone, Request, Script, respond

Routes = Mapping[str, int]
Credentials = tuple[str, str]

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def http_proxy(routes: Routes, credentials: Credentials | None = None, reply: bytes = ESTABLISHED) -> Script:
    """Answers CONNECT with `reply` and relays; demands Basic `credentials` if there are any."""
    wanted = None if credentials is None else "Basic " + base64.b64encode(":".join(credentials).encode()).decode("ascii")

    def script(conn: Connection) -> None:
        request = Request(conn.read_head())
        conn.record(request)
        if wanted is not None and request.headers.get("proxy-authorization") != wanted:
            conn.send(respond(b"who are you?", 407, [("Proxy-Authenticate", 'Basic realm="proxy"')]))
            return
        assert request.method == "CONNECT", request.head
        with _reach(routes, request.target) as upstream:
            conn.send(reply)
            relay(conn, upstream)

    return script


def socks5_proxy(routes: Routes, credentials: Credentials | None = None, asked: list[str] | None = None, bound: bytes = b"") -> Script:
    """A SOCKS5 proxy; `asked` collects "NAME host:port" or "IP host:port", `bound` is the address in its reply."""

    def script(conn: Connection) -> None:
        version, count = conn.read_exactly(2)
        methods = conn.read_exactly(count)
        assert version == 5
        method = 0 if credentials is None else 2
        if method not in methods:
            conn.send(b"\x05\xff")
            return
        conn.send(bytes([5, method]))
        if credentials is not None:
            assert conn.read_exactly(1) == b"\x01"
            given = tuple(conn.read_exactly(conn.read_exactly(1)[0]).decode() for _ in range(2))
            conn.send(b"\x01\x00" if given == credentials else b"\x01\x01")
            if given != credentials:
                return
        assert conn.read_exactly(3) == b"\x05\x01\x00"
        kind = conn.read_exactly(1)[0]
        if kind == 3:
            host = conn.read_exactly(conn.read_exactly(1)[0]).decode("ascii")
        else:
            host = socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, conn.read_exactly(4 if kind == 1 else 16))
        target = f"{host}:{int.from_bytes(conn.read_exactly(2), 'big')}"
        if asked is not None:
            asked.append(f"{'NAME' if kind == 3 else 'IP'} {target}")
        if target not in routes:
            conn.send(b"\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00")
            return
        with _reach(routes, target) as upstream:
            conn.send(b"\x05\x00\x00" + (bound or b"\x01\x7f\x00\x00\x01\x00\x50"))
            relay(conn, upstream)

    return script


def socks4a_proxy(routes: Routes, asked: list[str] | None = None) -> Script:
    """A SOCKS4a proxy; `asked` collects "NAME host:port as user" or "IP host:port as user"."""

    def script(conn: Connection) -> None:
        assert conn.read_exactly(2) == b"\x04\x01"
        port = int.from_bytes(conn.read_exactly(2), "big")
        address = conn.read_exactly(4)
        user = conn.read_until(b"\0")[:-1].decode()
        is_name = address[:3] == b"\0\0\0"
        host = conn.read_until(b"\0")[:-1].decode("ascii") if is_name else socket.inet_ntoa(address)
        if asked is not None:
            asked.append(f"{'NAME' if is_name else 'IP'} {host}:{port} as {user}")
        if f"{host}:{port}" not in routes:
            conn.send(b"\x00\x5b" + bytes(6))
            return
        with _reach(routes, f"{host}:{port}") as upstream:
            conn.send(b"\x00\x5a" + bytes(6))
            relay(conn, upstream)

    return script


def relay(conn: Connection, upstream: socket.socket) -> None:
    """Pass bytes on in both directions until one side closes."""
    ends = {conn.socket: upstream, upstream: conn.socket}
    early, conn._received = conn._received, b""
    upstream.sendall(early)
    while True:
        ready, _, _ = select.select(list(ends), [], [], PATIENCE)
        if not ready:
            raise TimeoutError("nothing passed through the proxy")
        for end in ready:
            if end.fileno() < 0 or not _pass_on(end, ends[end]):
                return


def _pass_on(source: socket.socket, target: socket.socket) -> bool:
    try:
        source.setblocking(False)
        data = source.recv(65536)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            source.settimeout(PATIENCE)
    with contextlib.suppress(OSError):
        target.sendall(data)
    return bool(data)


def _reach(routes: Routes, target: str) -> socket.socket:
    if target not in routes:
        raise PeerGone(f"no route to {target}")
    return socket.create_connection(("127.0.0.1", routes[target]), PATIENCE)
