"""What an https:// request costs that needs a new connection: with a handshake in full, and with a resumed session.

    scripts/bench --handshakes

One client, one server on a thread, a chain of one intermediate; each request has a connection of its own. The time is that of
client and server together, the CPU time that of the client's thread alone.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
from tests.support.issuing import Issuer

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
REQUESTS = 300


def serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    """One request per connection, until the listener is closed."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(65536)
            tls.sendall(ANSWER)
            tls.unwrap()


def measure(url: str, context: ssl.SSLContext) -> tuple[float, float, bool]:
    """Milliseconds per request, those of the client's CPU, and whether sessions were resumed."""
    with httpx.Client(ssl_context=context) as client:
        client.get(url)
        time_before, cpu_before = time.perf_counter(), time.thread_time()
        for _ in range(REQUESTS):
            response = client.get(url)
        elapsed, cpu = time.perf_counter() - time_before, time.thread_time() - cpu_before
    assert response.tls is not None
    return elapsed / REQUESTS * 1000, cpu / REQUESTS * 1000, response.tls.resumed


def main() -> None:
    """Print the table."""
    root = Issuer("Root")
    server = Issuer("Intermediate", root).issue("localhost").server_context()
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        threading.Thread(target=serve, args=(listener, server), daemon=True).start()
        url = f"https://localhost:{listener.getsockname()[1]}/"
        print(f"{'':<10} {'':<10} {'ms':>7} {'client CPU':>12}")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            server.maximum_version = version
            for resume in (False, True):
                elapsed, cpu, resumed = measure(url, httpx.SSLContext(root.pem, resume=resume))
                print(f"{version.name:<10} {'resumed' if resumed else 'in full':<10} {elapsed:>7.2f} {cpu:>12.2f}")
        listener.shutdown(socket.SHUT_RDWR)
    start = time.perf_counter()
    for _ in range(1000):
        httpx.Client()
    print(f"\n{(time.perf_counter() - start) * 1000:.0f} µs for a Client() that has not connected yet")


if __name__ == "__main__":
    main()
