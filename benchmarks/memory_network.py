"""A network that is memory: every write is followed by one canned response. What is left is the client's own work."""

from __future__ import annotations

from typing import Any

BODY = b'{"id": 12345, "name": "A small JSON body", "tags": ["one", "two"], "ok": 1.5}'
RESPONSE = (
    b"HTTP/1.1 200 OK\r\n"
    b"Server: nginx/1.22.1\r\n"
    b"Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: 77\r\n"
    b"Connection: keep-alive\r\n"
    b"Cache-Control: no-cache, no-store\r\n"
    b"Vary: Accept-Encoding\r\n"
    b'ETag: "5f8a-1b2c3d4e5f60"\r\n'
    b"X-Request-Id: 0f9e8d7c6b5a49382716\r\n"
    b"\r\n" + BODY
)
URL = "http://www.example.com/items/12345"


def install_memory_network_httpx_0_28(client: Any) -> None:
    """Give an `httpx.Client` or `httpx.AsyncClient` of 0.28 a network backend (httpcore's public interface) of memory."""
    import httpcore

    class Stream(httpcore.NetworkStream):
        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            return RESPONSE

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            pass

        def close(self) -> None:
            pass

        def get_extra_info(self, info: str) -> Any:
            return False if info == "is_readable" else None

    class AsyncStream(httpcore.AsyncNetworkStream):
        async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            return RESPONSE

        async def write(self, buffer: bytes, timeout: float | None = None) -> None:
            pass

        async def aclose(self) -> None:
            pass

        def get_extra_info(self, info: str) -> Any:
            return False if info == "is_readable" else None

    class Backend(httpcore.NetworkBackend):
        def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
            return Stream()

    class AsyncBackend(httpcore.AsyncNetworkBackend):
        async def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
            return AsyncStream()

    pool = client._transport._pool
    pool._network_backend = AsyncBackend() if isinstance(pool, httpcore.AsyncConnectionPool) else Backend()


class MemoryStream:
    """A `Stream` of ours (src/httpx/_network/base.py)."""

    peer = "www.example.com:80"
    ended_cleanly = True
    tls = None

    async def receive(self, timeout: float | None) -> bytes:
        return RESPONSE

    async def send(self, data: bytes, timeout: float | None) -> None:
        pass

    def is_quiet(self) -> bool:
        return True

    def close(self, last_words: bytes = b"") -> None:
        pass

    def info(self, name: str) -> None:
        return None


class MemoryNetwork:
    """A `Network` of ours, as far as requests one after the other need it."""

    async def outcome(self, future: Any, timeout: float | None) -> Any:
        return [(2, ("192.0.2.1", 80))]

    async def connect(self, peer: str, addresses: Any, timeout: float | None, **options: Any) -> MemoryStream:
        return MemoryStream()

    async def settle(self) -> None:
        pass

    def realm(self) -> None:
        return None


def install_memory_network_ours(client: Any) -> None:
    """Give a `Client` or `AsyncClient` of ours a network of memory."""
    client._transport._network = MemoryNetwork()


INSTALLERS = {"ours": install_memory_network_ours, "httpx-0.28-sniffio": install_memory_network_httpx_0_28}
