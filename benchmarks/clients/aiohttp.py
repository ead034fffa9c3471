from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from clients import Settings


class Adaptor:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, url: str) -> bytes:
        async with self._session.get(url) as response:
            return await response.read()

    async def download(self, url: str) -> int:
        size = 0
        async with self._session.get(url) as response:
            async for piece in response.content.iter_any():
                size += len(piece)
        return size


@contextlib.asynccontextmanager
async def async_client(settings: Settings) -> AsyncIterator[Adaptor]:
    options: dict[str, Any] = {"limit": settings.connections} if settings.connections else {}
    if settings.authority:
        options["ssl"] = ssl.create_default_context(cafile=settings.authority)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(**options)) as session:
        yield Adaptor(session)
