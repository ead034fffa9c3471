"""nginx on one core: the server that all clients are measured against.

Uploads go to servers/sink.py, on the same core: nginx would answer them before they have arrived.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

JSON = '{"id": 12345, "name": "A small JSON body", "tags": ["one", "two"], "ok": 1.5}'

POSTED = {"items": [{"id": number, "name": f"item {number}", "price": number * 1.25, "tags": ["one", "two"]} for number in range(16)]}
"""What the works with JSON send, and get back: a good kilobyte."""

GIGABYTE = 1_000_000_000
SAMPLE = 64_000_000
"""Bytes of the files that are transferred."""

SINK = Path(__file__).with_name("sink.py")
HOPS = 5

# Nine response headers: Server, Date, Content-Type, Content-Length, Connection, and these four.
CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 16384; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; tcp_nodelay on;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    ssl_protocols TLSv1.2 TLSv1.3; sendfile on;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    add_header Cache-Control "no-cache, no-store";
    add_header Vary Accept-Encoding;
    add_header ETag '"5f8a-1b2c3d4e5f60"';
    add_header X-Request-Id 0f9e8d7c6b5a49382716;
    server {{
        listen 127.0.0.1:{http_port} backlog=4096;
        listen 127.0.0.1:{https_port} ssl backlog=4096;
        listen 127.0.0.1:{http2_port} ssl http2 backlog=4096;
        default_type application/json; root {folder}/files;
        location = /json {{ return 200 '{json}'; }}
        location = /posted {{ return 200 '{posted}'; }}
        location = /close {{ keepalive_timeout 0; return 200 '{json}'; }}
        {hops}
        location = /hop/0 {{
            if ($cookie_hop{last_hop} = "") {{ return 403; }}
            gzip on; gzip_types application/json; gzip_min_length 1;
            return 200 '{posted}';
        }}
    }}
}}
"""


class Server(NamedTuple):
    http: str  # "http://127.0.0.1:12345"
    https: str
    http2: str  # https, where the handshake may choose HTTP/2
    sink: str  # for uploads
    sink_tls: str
    authority: str  # the path of the PEM file that clients must trust
    files: str  # the folder with the files of `GIGABYTE` and `SAMPLE` bytes, which are named so


class NotAvailable(Exception):
    """nginx is missing and cannot be installed, or does not start."""


@contextlib.contextmanager
def serve(core: int | None) -> Iterator[Server]:
    """Run nginx for the length of the block, on this core only."""
    executable = find_or_install()
    with tempfile.TemporaryDirectory(prefix="httpx-bench-") as name:
        folder = Path(name)
        authority = make_certificates(folder)
        make_files(folder / "files")
        ports = [free_port() for _ in range(5)]
        configuration = folder / "nginx.conf"
        configuration.write_text(configure(folder, *ports[:3]))
        nginx = [executable, "-p", str(folder), "-e", "stderr", "-c", str(configuration)]
        sink = [sys.executable, str(SINK), str(ports[3]), str(ports[4]), str(folder / "server.pem"), str(folder / "server.key")]
        processes = [subprocess.Popen(pinned(command, core), stdin=subprocess.DEVNULL) for command in (nginx, sink)]
        try:
            for process, port in zip(processes, (ports[1], ports[4]), strict=True):
                wait_until_listening(process, port)
            schemes = ("http", "https", "https", "http", "https")
            yield Server(
                *(f"{s}://127.0.0.1:{port}" for s, port in zip(schemes, ports, strict=True)), str(authority), str(folder / "files")
            )
        finally:
            for process in processes:
                process.terminate()
                process.wait()


def configure(folder: Path, http_port: int, https_port: int, http2_port: int) -> str:
    hops = [
        f"location = /hop/{number} {{ add_header Set-Cookie 'hop{number}=here; Path=/'; return 302 /hop/{number - 1}; }}"
        for number in range(HOPS, 0, -1)
    ]
    texts = {"json": JSON, "posted": json.dumps(POSTED), "hops": "\n        ".join(hops), "last_hop": HOPS}
    return CONFIGURATION.format(folder=folder, http_port=http_port, https_port=https_port, http2_port=http2_port, **texts)


def make_files(folder: Path) -> None:
    folder.mkdir()
    for size in (GIGABYTE, SAMPLE):
        with (folder / str(size)).open("wb") as file:
            file.truncate(size)  # a hole: reading it does not touch the disk


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
                raise NotAvailable("A server did not start; what it said is above.") from None
            time.sleep(0.01)
        else:
            return
