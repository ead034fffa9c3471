from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

from pyreqwest.client import ClientBuilder, SyncClientBuilder

Builder = TypeVar("Builder", ClientBuilder, SyncClientBuilder)


def trusting(builder: Builder, authority: str | None) -> Builder:
    return builder.add_root_certificate_pem(Path(authority).read_bytes()) if authority else builder


@contextlib.contextmanager
def sync_client(authority: str | None) -> Iterator[Callable[[str], bytes]]:
    with trusting(SyncClientBuilder(), authority).build() as client:
        yield lambda url: client.get(url).build().send().bytes()


@contextlib.asynccontextmanager
async def async_client(authority: str | None) -> AsyncIterator[Callable[[str], Awaitable[bytes]]]:
    async with trusting(ClientBuilder(), authority).build() as client:

        async def get(url: str) -> bytes:
            response = await client.get(url).build().send()
            return await response.bytes()

        yield get
