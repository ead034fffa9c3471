from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator

import niquests

from clients import Settings


class Adaptor:
    def __init__(self, session: niquests.Session) -> None:
        self._session = session

    def get(self, url: str) -> bytes:
        return self._session.get(url).content or b""


class AsyncAdaptor:
    def __init__(self, session: niquests.AsyncSession) -> None:
        self._session = session

    async def get(self, url: str) -> bytes:
        return (await self._session.get(url)).content or b""


@contextlib.contextmanager
def sync_client(settings: Settings) -> Iterator[Adaptor]:
    with niquests.Session(disable_http2=not settings.http2, disable_http3=True) as session:
        session.verify = settings.authority or True
        yield Adaptor(session)


@contextlib.asynccontextmanager
async def async_client(settings: Settings) -> AsyncIterator[AsyncAdaptor]:
    async with niquests.AsyncSession(disable_http2=not settings.http2, disable_http3=True) as session:
        session.verify = settings.authority or True
        yield AsyncAdaptor(session)
