from __future__ import annotations

import contextlib
from collections.abc import Iterator

import urllib3

from clients import Settings


class Adaptor:
    def __init__(self, pool: urllib3.PoolManager) -> None:
        self._pool = pool

    def get(self, url: str) -> bytes:
        return self._pool.request("GET", url).data


@contextlib.contextmanager
def sync_client(settings: Settings) -> Iterator[Adaptor]:
    with urllib3.PoolManager(ca_certs=settings.authority) as pool:
        yield Adaptor(pool)
