from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import httpx


@pytest.fixture
def h2_client(runtime: Any) -> Any:
    """Make clients that speak HTTP/2 alone, also without TLS: `h2_client(limits=...)`; what the transport takes goes to it."""

    def make(*, ssl_context: Any = None, limits: httpx.Limits | None = None, http1: bool = False, **settings: Any) -> Any:
        options: dict[str, Any] = {"http1": http1, "http2": True, "ssl_context": ssl_context, **settings.pop("transport_options", {})}
        if limits is not None:
            options["limits"] = limits
        transport = (httpx.AsyncHTTPTransport if runtime.is_async else httpx.HTTPTransport)(**options)
        return runtime.client(transport=transport, **settings)

    return make


@pytest.fixture(scope="session")
def nghttpd_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that nghttpd serves."""
    return tmp_path_factory.mktemp("nghttpd")


@pytest.fixture(scope="session")
def nghttpd(nghttpd_files: Path) -> Iterator[str]:
    """The URL of a running nghttpd, without TLS; POST to it echoes."""
    from tests.support.peers import find_nghttpd, serve_nghttpd

    if find_nghttpd() is None:
        pytest.skip("nghttpd is not installed (on Debian: apt-get install nghttp2-server)")
    with serve_nghttpd(nghttpd_files) as url:
        yield url
