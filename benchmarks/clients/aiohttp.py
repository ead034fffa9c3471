from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp


@contextlib.asynccontextmanager
async def async_client(authority: str | None) -> AsyncIterator[Callable[[str], Awaitable[bytes]]]:
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=authority)) if authority else None
    async with aiohttp.ClientSession(connector=connector) as session:

        async def get(url: str) -> bytes:
            async with session.get(url) as response:
                return await response.read()

        yield get
