from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import urllib3


@contextlib.contextmanager
def sync_client(authority: str | None) -> Iterator[Callable[[str], bytes]]:
    with urllib3.PoolManager(ca_certs=authority) as pool:
        yield lambda url: pool.request("GET", url).data
