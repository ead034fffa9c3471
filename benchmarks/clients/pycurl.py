from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from io import BytesIO

import pycurl

from clients import Settings


class Adaptor:
    def __init__(self, curl: pycurl.Curl) -> None:
        self._curl = curl
        self._received = 0

    def get(self, url: str) -> bytes:
        body = BytesIO()
        self._perform(url, body.write)
        return body.getvalue()

    def download(self, url: str) -> int:
        self._received = 0
        self._perform(url, self._count)
        return self._received

    def upload(self, url: str, path: str) -> int:
        with open(path, "rb") as file:
            self._curl.setopt(pycurl.UPLOAD, True)
            self._curl.setopt(pycurl.READFUNCTION, file.read)
            self._curl.setopt(pycurl.INFILESIZE_LARGE, os.path.getsize(path))
            self._perform(url, self._count)
        status: int = self._curl.getinfo(pycurl.RESPONSE_CODE)
        return status

    def _perform(self, url: str, write: object) -> None:
        headers: list[bytes] = []  # other clients keep them too
        self._curl.setopt(pycurl.URL, url)
        self._curl.setopt(pycurl.WRITEFUNCTION, write)
        self._curl.setopt(pycurl.HEADERFUNCTION, headers.append)
        self._curl.perform()

    def _count(self, piece: bytes) -> None:
        self._received += len(piece)


@contextlib.contextmanager
def sync_client(settings: Settings) -> Iterator[Adaptor]:
    curl = pycurl.Curl()
    if settings.authority:
        curl.setopt(pycurl.CAINFO, settings.authority)
    curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS if settings.http2 else pycurl.CURL_HTTP_VERSION_1_1)
    yield Adaptor(curl)
    curl.close()
