"""What is measured: the table of works."""

from __future__ import annotations

from typing import Literal, NamedTuple

SYNC_CLIENTS = ["ours", "pyreqwest", "pycurl", "urllib3", "requests", "httpx-0.28", "httpx2"]
ASYNC_CLIENTS = ["ours", "pyreqwest", "aiohttp", "httpx-0.28", "httpx-0.28-sniffio", "httpx2"]
HTTP2_SYNC_CLIENTS = ["ours", "pyreqwest", "pycurl", "httpx-0.28", "httpx2", "niquests"]
HTTP2_ASYNC_CLIENTS = ["ours", "pyreqwest", "httpx-0.28", "httpx-0.28-sniffio", "httpx2", "niquests"]


class Work(NamedTuple):
    """GETs of a small JSON body over kept-alive connections, by `tasks` tasks at the same time."""

    title: str
    runtime: Literal["sync", "asyncio", "uvloop"]
    tasks: int
    tls: bool
    clients: list[str]
    http2: bool = False  # over one connection


WORKS = {
    "sync": Work("sync, one connection", "sync", 1, False, SYNC_CLIENTS),
    "asyncio-1": Work("asyncio, 1 task", "asyncio", 1, False, ASYNC_CLIENTS),
    "asyncio-50": Work("asyncio, 50 tasks", "asyncio", 50, False, ASYNC_CLIENTS),
    "uvloop-50": Work("uvloop, 50 tasks", "uvloop", 50, False, ASYNC_CLIENTS),
    "sync-tls": Work("sync, TLS, one connection", "sync", 1, True, SYNC_CLIENTS),
    "asyncio-50-tls": Work("asyncio, TLS, 50 tasks", "asyncio", 50, True, ASYNC_CLIENTS),
    "http2-sync": Work("sync, HTTP/2 on TLS", "sync", 1, True, HTTP2_SYNC_CLIENTS, http2=True),
    "http2-asyncio-50": Work("asyncio, HTTP/2 on TLS, 50 streams", "asyncio", 50, True, HTTP2_ASYNC_CLIENTS, http2=True),
    "http2-uvloop-50": Work("uvloop, HTTP/2 on TLS, 50 streams", "uvloop", 50, True, HTTP2_ASYNC_CLIENTS, http2=True),
}
