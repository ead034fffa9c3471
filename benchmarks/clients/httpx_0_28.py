from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx


def settings(authority: str | None, http2: bool) -> dict[str, Any]:
    trust = {"verify": ssl.create_default_context(cafile=authority)} if authority else {}
    return {**trust, "http2": http2} if http2 else trust


@contextlib.contextmanager
def sync_client(authority: str | None, http2: bool = False) -> Iterator[Callable[[str], bytes]]:
    with httpx.Client(**settings(authority, http2)) as client:
        yield lambda url: client.get(url).content


@contextlib.asynccontextmanager
async def async_client(authority: str | None, http2: bool = False) -> AsyncIterator[Callable[[str], Awaitable[bytes]]]:
    async with httpx.AsyncClient(**settings(authority, http2)) as client:

        async def get(url: str) -> bytes:
            return (await client.get(url)).content

        yield get
