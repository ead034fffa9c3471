"""nginx on one core: the server that all clients are measured against."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

JSON = '{"id": 12345, "name": "A small JSON body", "tags": ["one", "two"], "ok": 1.5}'

# Nine response headers: Server, Date, Content-Type, Content-Length, Connection, and these four.
CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 16384; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; tcp_nodelay on;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    add_header Cache-Control "no-cache, no-store";
    add_header Vary Accept-Encoding;
    add_header ETag '"5f8a-1b2c3d4e5f60"';
    add_header X-Request-Id 0f9e8d7c6b5a49382716;
    server {{
        listen 127.0.0.1:{http_port} backlog=4096;
        listen 127.0.0.1:{https_port} ssl backlog=4096;
        listen 127.0.0.1:{http2_port} ssl http2 backlog=4096;
        location = /json {{ default_type application/json; return 200 '{json}'; }}
    }}
}}
"""


class Server(NamedTuple):
    http: str  # "http://127.0.0.1:12345"
    https: str
    http2: str  # https, where the handshake may choose HTTP/2
    authority: str  # the path of the PEM file that clients must trust


class NotAvailable(Exception):
    """nginx is missing and cannot be installed, or does not start."""


@contextlib.contextmanager
def serve(core: int | None) -> Iterator[Server]:
    """Run nginx for the length of the block, on this core only."""
    executable = find_or_install()
    with tempfile.TemporaryDirectory(prefix="httpx-bench-") as name:
        folder = Path(name)
        authority = make_certificates(folder)
        http_port, https_port, http2_port = free_port(), free_port(), free_port()
        configuration = folder / "nginx.conf"
        ports = {"http_port": http_port, "https_port": https_port, "http2_port": http2_port}
        configuration.write_text(CONFIGURATION.format(folder=folder, json=JSON, **ports))
        command = [executable, "-p", str(folder), "-e", "stderr", "-c", str(configuration)]
        process = subprocess.Popen(pinned(command, core), stdin=subprocess.DEVNULL)
        try:
            wait_until_listening(process, https_port)
            urls = (f"http://127.0.0.1:{http_port}", f"https://127.0.0.1:{https_port}", f"https://127.0.0.1:{http2_port}")
            yield Server(*urls, str(authority))
        finally:
            process.terminate()
            process.wait()


def pinned(command: list[str], core: int | None) -> list[str]:
    """The command, kept to one core where the system can do that."""
    taskset = shutil.which("taskset")
    return command if core is None or taskset is None else [taskset, "--cpu-list", str(core), *command]


def find_or_install() -> str:
    """The path of nginx; on Debian, root gets it installed."""
    found = _find()
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in ("apt-get update", "apt-get install --yes --no-install-recommends nginx-light"):
            subprocess.run(command.split(), stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment)
        found = _find()
    if found is None:
        raise NotAvailable("nginx is needed and was not found. Install it (Debian: apt-get install nginx-light) and run this again.")
    return found


def _find() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def make_certificates(folder: Path) -> Path:
    """Write the server's certificate and key; give the path of the authority's certificate."""
    import trustme

    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    (folder / "server.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    (folder / "server.key").write_bytes(certificate.private_key_pem.bytes())
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    return folder / "authority.pem"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def wait_until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotAvailable("nginx did not start; what it said is above.") from None
            time.sleep(0.01)
        else:
            return
