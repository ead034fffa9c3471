from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx


def settings(authority: str | None) -> dict[str, Any]:
    return {"verify": ssl.create_default_context(cafile=authority)} if authority else {}


@contextlib.contextmanager
def sync_client(authority: str | None) -> Iterator[Callable[[str], bytes]]:
    with httpx.Client(**settings(authority)) as client:
        yield lambda url: client.get(url).content


@contextlib.asynccontextmanager
async def async_client(authority: str | None) -> AsyncIterator[Callable[[str], Awaitable[bytes]]]:
    async with httpx.AsyncClient(**settings(authority)) as client:

        async def get(url: str) -> bytes:
            return (await client.get(url)).content

        yield get
