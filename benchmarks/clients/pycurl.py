from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from io import BytesIO

import pycurl


@contextlib.contextmanager
def sync_client(authority: str | None, http2: bool = False) -> Iterator[Callable[[str], bytes]]:
    curl = pycurl.Curl()
    if authority:
        curl.setopt(pycurl.CAINFO, authority)

    curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS if http2 else pycurl.CURL_HTTP_VERSION_1_1)

    def get(url: str) -> bytes:
        body = BytesIO()
        headers: list[bytes] = []  # other clients keep them too
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.WRITEFUNCTION, body.write)
        curl.setopt(pycurl.HEADERFUNCTION, headers.append)
        curl.perform()
        return body.getvalue()

    yield get
    curl.close()
