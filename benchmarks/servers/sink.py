"""Takes uploads, all of each, and says so: started by nginx.py, on the server's core.

python sink.py PORT TLS_PORT CERTIFICATE KEY
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import sys
import threading

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def serve(listener: socket.socket, context: ssl.SSLContext | None) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=converse, args=(connection, context), daemon=True).start()


def converse(connection: socket.socket, context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = context.wrap_socket(connection, server_side=True) if context else connection
        with stream:
            while receive_message(stream):
                stream.sendall(ANSWER)


def receive_message(stream: socket.socket) -> bool:
    """Read one request with a `Content-Length`; False at the end of the connection."""
    head = b""
    while b"\r\n\r\n" not in head:
        data = stream.recv(65_536)
        if not data:
            return False
        head += data
    head, _, body = head.partition(b"\r\n\r\n")
    if b"100-continue" in head.lower():
        stream.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    length = CONTENT_LENGTH.search(head)
    left, buffer = int(length[1]) - len(body) if length else 0, bytearray(1 << 20)
    while left > 0:
        count = stream.recv_into(buffer)
        if not count:
            return False
        left -= count
    return True


def main() -> None:
    port, tls_port, certificate, key = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    plain, encrypted = (socket.create_server(("127.0.0.1", int(number)), backlog=128) for number in (port, tls_port))
    threading.Thread(target=serve, args=(plain, None), daemon=True).start()
    serve(encrypted, context)


if __name__ == "__main__":
    main()
