from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pyreqwest.client import Client, ClientBuilder, SyncClient, SyncClientBuilder

from clients import Settings

Builder = TypeVar("Builder", ClientBuilder, SyncClientBuilder)


class Adaptor:
    def __init__(self, client: SyncClient) -> None:
        self._client = client

    def get(self, url: str) -> bytes:
        return self._client.get(url).build().send().bytes()  # a buffer of its own type, as good as bytes

    def post_json(self, url: str, value: Any) -> Any:
        return self._client.post(url).body_json(value).build().send().json()


class AsyncAdaptor:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(self, url: str) -> bytes:
        response = await self._client.get(url).build().send()
        return await response.bytes()


def configured(builder: Builder, settings: Settings) -> Builder:
    builder = builder.http2(True) if settings.http2 else builder
    return builder.add_root_certificate_pem(Path(settings.authority).read_bytes()) if settings.authority else builder


@contextlib.contextmanager
def sync_client(settings: Settings) -> Iterator[Adaptor]:
    with configured(SyncClientBuilder(), settings).build() as client:
        yield Adaptor(client)


@contextlib.asynccontextmanager
async def async_client(settings: Settings) -> AsyncIterator[AsyncAdaptor]:
    async with configured(ClientBuilder(), settings).build() as client:
        yield AsyncAdaptor(client)
