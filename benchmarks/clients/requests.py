from __future__ import annotations

import contextlib
from collections.abc import Iterator

import requests

from clients import Settings


class Adaptor:
    def __init__(self, session: requests.Session) -> None:
        self._session = session

    def get(self, url: str) -> bytes:
        return self._session.get(url).content


@contextlib.contextmanager
def sync_client(settings: Settings) -> Iterator[Adaptor]:
    with requests.Session() as session:
        if settings.authority:
            session.verify = settings.authority
        yield Adaptor(session)
