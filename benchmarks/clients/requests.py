from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import requests


@contextlib.contextmanager
def sync_client(authority: str | None) -> Iterator[Callable[[str], bytes]]:
    with requests.Session() as session:
        if authority:
            session.verify = authority
        yield lambda url: session.get(url).content
