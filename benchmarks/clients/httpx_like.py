"""What HTTPX, httpx2 and we have in common: all but the way to trust an authority."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

from clients import Settings


def options(httpx: ModuleType, settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {"http2": True} if settings.http2 else {}
    if settings.follow_redirects:
        found["follow_redirects"] = True
    if settings.connections is not None:
        found["limits"] = httpx.Limits(max_connections=settings.connections, max_keepalive_connections=settings.connections)
    return found


class SyncAdaptor:
    def __init__(self, client: Any) -> None:
        self._client = client

    def get(self, url: str) -> bytes:
        content: bytes = self._client.get(url).content
        return content

    def post_json(self, url: str, value: Any) -> Any:
        return self._client.post(url, json=value).json()

    def download(self, url: str) -> int:
        with self._client.stream("GET", url) as response:
            return sum(map(len, response.iter_bytes()))

    def upload(self, url: str, path: str) -> int:
        with open(path, "rb") as file:
            status: int = self._client.put(url, content=file).status_code
        return status


class AsyncAdaptor:
    def __init__(self, client: Any) -> None:
        self._client = client

    async def get(self, url: str) -> bytes:
        content: bytes = (await self._client.get(url)).content
        return content

    async def download(self, url: str) -> int:
        size = 0
        async with self._client.stream("GET", url) as response:
            async for piece in response.aiter_bytes():
                size += len(piece)
        return size


@contextlib.contextmanager
def sync_adaptor(httpx: ModuleType, settings: Settings, trust: dict[str, Any]) -> Iterator[SyncAdaptor]:
    with httpx.Client(**options(httpx, settings), **trust) as client:
        yield SyncAdaptor(client)


@contextlib.asynccontextmanager
async def async_adaptor(httpx: ModuleType, settings: Settings, trust: dict[str, Any]) -> AsyncIterator[AsyncAdaptor]:
    # A task that waits for a connection waits as long as it takes: the pool is part of what is measured.
    timeout = httpx.Timeout(5, pool=None)
    async with httpx.AsyncClient(**options(httpx, settings), **trust, timeout=timeout) as client:
        yield AsyncAdaptor(client)
