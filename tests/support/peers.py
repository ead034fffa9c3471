"""Real servers, so that the client is not only tested against our own idea of HTTP: uvicorn, hypercorn, nginx."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypercorn.asyncio
import hypercorn.config
import uvicorn

from tests.support.servers import PATIENCE


async def application(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application: GET / greets, /stream sends three chunks, everything else echoes the request's body; so do WebSockets."""
    if scope["type"] == "websocket":
        await echo_messages(receive, send)
        return
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    answers = {"/": [b"Hello, world!"], "/stream": [b"one ", b"two ", b"three"]}
    chunks = answers.get(scope["path"], [body])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain; charset=utf-8")]})
    for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def echo_messages(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


class _Uvicorn(uvicorn.Server):
    """Says when it is ready, which uvicorn itself lets one only poll for."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.contextmanager
def serve_uvicorn() -> Iterator[str]:
    """Run uvicorn on a thread; gives its URL."""
    config = uvicorn.Config(application, http="h11", loop="asyncio", ws="none", lifespan="off", log_level="warning")
    server = _Uvicorn(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), name="uvicorn")
        thread.start()
        try:
            assert server.ready.wait(PATIENCE), "uvicorn did not start"
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


@contextlib.contextmanager
def serve_hypercorn(certificate: Path | None = None, key: Path | None = None) -> Iterator[str]:
    """Run hypercorn on a thread, on TLS if a certificate is given; gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.detach()}"]  # hypercorn owns and closes it
    config.errorlog = None
    config.certfile = str(certificate) if certificate else None
    config.keyfile = str(key) if key else None
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def shutdown() -> None:
        await stop.wait()

    def work() -> None:
        try:
            loop.run_until_complete(hypercorn.asyncio.serve(application, config, shutdown_trigger=shutdown))
        finally:
            loop.close()

    thread = threading.Thread(target=work, name="hypercorn")
    thread.start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)


NGINX_CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off; client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port}{tls};
        location = / {{ default_type text/plain; return 200 "Hello, world!"; }}
        location = /json {{ default_type application/json; return 200 '{{"message": "Hello, world!"}}'; }}
        location = /redirect {{ return 302 /json; }}
        location /files/ {{ alias {folder}/files/; gzip on; gzip_min_length 0; gzip_types *; gzip_proxied any; }}
    }}
}}
"""


def find_nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextlib.contextmanager
def serve_nginx(folder: Path, certificate: Path | None = None, key: Path | None = None) -> Iterator[str]:
    """Run nginx from `folder`, which holds what it serves in `files/`; gives its URL."""
    (folder / "files").mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    tls = f" ssl http2; ssl_certificate {certificate}; ssl_certificate_key {key}" if certificate else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX_CONFIGURATION.format(folder=folder, port=port, tls=tls))
    executable = find_nginx()
    assert executable is not None
    process = subprocess.Popen([executable, "-p", folder, "-c", configuration], stderr=subprocess.PIPE, text=True)
    try:
        _wait_until_listening(process, port)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def find_nghttpd() -> str | None:
    return shutil.which("nghttpd")


@contextlib.contextmanager
def serve_nghttpd(folder: Path) -> Iterator[str]:
    """Run nghttpd, which serves `folder` over HTTP/2 without TLS and echoes what is posted; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    executable = find_nghttpd()
    assert executable is not None
    command = [executable, "--no-tls", "--echo-upload", "--address=127.0.0.1", f"--htdocs={folder}", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _wait_until_listening(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def _wait_until_listening(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, f"the server did not start: {process.communicate()[1]}"
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.01)  # it cannot be asked to tell when it listens
        else:
            return
