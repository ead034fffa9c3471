"""What is measured, and what is asked of it: the table of works, and the goals in absolute terms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

HTTPX = "httpx-0.28"
OURS = "ours"
OURS_SPEED = "ours-speed"
"""With the extra `speed`. Goals are for an installation without it."""

SYNC_CLIENTS = [OURS, "pyreqwest", "pycurl", "urllib3", "requests", HTTPX, "httpx2"]
ASYNC_CLIENTS = [OURS, "pyreqwest", "aiohttp", HTTPX, "httpx-0.28-sniffio", "httpx2"]
HTTP2_SYNC_CLIENTS = [OURS, "pyreqwest", "pycurl", HTTPX, "httpx2", "niquests"]
HTTP2_ASYNC_CLIENTS = [OURS, "pyreqwest", HTTPX, "httpx-0.28-sniffio", "httpx2", "niquests"]

Kind = Literal["get", "json", "journey", "connect", "download", "upload"]


class Work(NamedTuple):
    """Something that clients do over and over, and what it may cost ours."""

    title: str
    kind: Kind
    runtime: Literal["sync", "asyncio", "uvloop"]
    clients: list[str]
    goals: Mapping[str, float] = MappingProxyType({})
    """Our figure divided by that of a peer, at most."""
    tasks: int = 1
    tls: bool = False
    http2: bool = False  # over one connection
    connections: int | None = None
    """Connections that are open all the time, and the most there may be; None for the client's own settings."""
    group: str = ""
    """Works of ours, from few to many, whose figures may not grow: see `GROUPS`."""

    @property
    def is_transfer(self) -> bool:
        """Whether the figure is CPU seconds per GB; else it is CPU microseconds per request."""
        return self.kind in ("download", "upload")

    @property
    def unit(self) -> str:
        return "s/GB" if self.is_transfer else "µs"


GROUPS = {"tasks": "as tasks grow", "connections": "as open connections grow"}
GROWTH = 1.3
"""In a group, what a figure may be of any before it, at most."""

SYNC = {"pyreqwest": 0.85, "pycurl": 0.85, HTTPX: 0.15}
HTTP2 = {"pyreqwest": 0.80, HTTPX: 0.07}
CURL, CURL_TLS = {"pycurl": 1.15}, {"pycurl": 1.20}
LOADERS, AIO_LOADERS, SENDERS = [OURS, "pycurl", HTTPX], [OURS, "aiohttp", HTTPX], [OURS, "pycurl", HTTPX]

WORKS = {
    "sync": Work("sync, one connection", "get", "sync", SYNC_CLIENTS, SYNC),
    "sync-tls": Work("sync, TLS, one connection", "get", "sync", SYNC_CLIENTS, {"pyreqwest": 0.95}, tls=True),
    "asyncio-1": Work("asyncio, 1 task", "get", "asyncio", ASYNC_CLIENTS, {"pyreqwest": 0.90, "aiohttp": 0.50}),
    "asyncio-50": Work("asyncio, 50 tasks", "get", "asyncio", ASYNC_CLIENTS, {"pyreqwest": 0.90, "aiohttp": 0.50, HTTPX: 0.05}, tasks=50),
    "uvloop-50": Work("uvloop, 50 tasks", "get", "uvloop", ASYNC_CLIENTS, {"pyreqwest": 1.00}, tasks=50),
    "asyncio-50-tls": Work("asyncio, TLS, 50 tasks", "get", "asyncio", ASYNC_CLIENTS, {"aiohttp": 0.45}, tasks=50, tls=True),
    "uvloop-50-tls": Work("uvloop, TLS, 50 tasks", "get", "uvloop", ASYNC_CLIENTS, {"aiohttp": 0.45}, tasks=50, tls=True),
    "http2-sync": Work("sync, HTTP/2 on TLS", "get", "sync", HTTP2_SYNC_CLIENTS, tls=True, http2=True),
    "http2-asyncio-50": Work(
        "asyncio, HTTP/2 on TLS, 50 streams", "get", "asyncio", HTTP2_ASYNC_CLIENTS, HTTP2, tasks=50, tls=True, http2=True
    ),
    "http2-uvloop-50": Work(
        "uvloop, HTTP/2 on TLS, 50 streams", "get", "uvloop", HTTP2_ASYNC_CLIENTS, HTTP2, tasks=50, tls=True, http2=True
    ),
    "download": Work("download of 1 GB, sync", "download", "sync", LOADERS, CURL),
    "download-tls": Work("download of 1 GB, sync, TLS", "download", "sync", LOADERS, CURL_TLS, tls=True),
    "download-asyncio": Work("download of 1 GB, asyncio", "download", "asyncio", AIO_LOADERS, {"aiohttp": 0.75}),
    "download-asyncio-tls": Work("download of 1 GB, asyncio, TLS", "download", "asyncio", AIO_LOADERS, {"aiohttp": 0.75}, tls=True),
    "download-http2": Work(
        "download of 1 GB, asyncio, HTTP/2 on TLS", "download", "asyncio", [OURS, HTTPX], {HTTPX: 0.25}, tls=True, http2=True
    ),
    "upload": Work("upload of 1 GB from a file, sync", "upload", "sync", SENDERS, CURL),
    "upload-tls": Work("upload of 1 GB from a file, sync, TLS", "upload", "sync", SENDERS, CURL_TLS, tls=True),
    "json": Work("POST of 1 KB of JSON, reply decoded, sync", "json", "sync", [OURS, OURS_SPEED, "pyreqwest", HTTPX], {"pyreqwest": 0.90}),
    "journey": Work("5 redirects, 5 cookies, gzip, sync", "journey", "sync", [OURS, "requests", HTTPX, "httpx2"], {HTTPX: 0.20}),
    "many-tasks": Work("asyncio, 1,000 tasks over 100 connections", "get", "asyncio", [OURS, "aiohttp"], {"aiohttp": 0.60}, tasks=1000),
    "new-connection": Work("a new TLS connection for each request, sync", "connect", "sync", [OURS, HTTPX], {HTTPX: 0.50}, tls=True),
    **{
        f"tasks-{tasks}": Work(f"asyncio, {tasks:,} tasks", "get", "asyncio", [OURS], tasks=tasks, group="tasks")
        for tasks in (1, 10, 100, 1000, 5000)
    },
    **{
        f"connections-{count}": Work(
            f"asyncio, {count:,} open connections", "get", "asyncio", [OURS], connections=count, group="connections"
        )
        for count in (1, 10, 100, 1000)
    },
}


class Goal(NamedTuple):
    """A figure of ours in absolute terms. They count on the machine that they were set on, and on one that is idle."""

    title: str
    unit: str
    at_most: float


ABSOLUTE = {
    "Client.get": Goal("one request, network in memory, sync", "µs", 18),
    "AsyncClient.get": Goal("one request, network in memory, async", "µs", 22),
    "Client()": Goal("`Client()`", "µs", 30),
    "import httpx": Goal("`import httpx`", "µs", 45_000),
    "import memory": Goal("resident memory that `import httpx` adds", "kB", 8 * 1024),
    "idle connection": Goal("resident memory of an idle connection", "kB", 12),
    "stream memory": Goal("resident memory that a download of 1 GB adds", "kB", 8 * 1024),
}
