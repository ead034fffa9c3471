from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

from pyreqwest.client import ClientBuilder, SyncClientBuilder

Builder = TypeVar("Builder", ClientBuilder, SyncClientBuilder)


def trusting(builder: Builder, authority: str | None, http2: bool) -> Builder:
    builder = builder.http2(True) if http2 else builder
    return builder.add_root_certificate_pem(Path(authority).read_bytes()) if authority else builder


@contextlib.contextmanager
def sync_client(authority: str | None, http2: bool = False) -> Iterator[Callable[[str], bytes]]:
    with trusting(SyncClientBuilder(), authority, http2).build() as client:
        yield lambda url: client.get(url).build().send().bytes()


@contextlib.asynccontextmanager
async def async_client(authority: str | None, http2: bool = False) -> AsyncIterator[Callable[[str], Awaitable[bytes]]]:
    async with trusting(ClientBuilder(), authority, http2).build() as client:

        async def get(url: str) -> bytes:
            response = await client.get(url).build().send()
            return await response.bytes()

        yield get
