from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import niquests


@contextlib.contextmanager
def sync_client(authority: str | None, http2: bool = False) -> Iterator[Callable[[str], bytes]]:
    with niquests.Session(disable_http2=not http2, disable_http3=True) as session:
        session.verify = authority or True
        yield lambda url: session.get(url).content or b""


@contextlib.asynccontextmanager
async def async_client(authority: str | None, http2: bool = False) -> AsyncIterator[Callable[[str], Awaitable[bytes]]]:
    async with niquests.AsyncSession(disable_http2=not http2, disable_http3=True) as session:
        session.verify = authority or True

        async def get(url: str) -> bytes:
            return (await session.get(url)).content or b""

        yield get
