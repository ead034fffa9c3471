from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

import httpx
from tests.support.certificates import Authority


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


class Identity:
    """An authority, and a server's certificate from it in files."""

    def __init__(self, folder: Path) -> None:
        ca = trustme.CA()
        issued = ca.issue_cert("localhost", "127.0.0.1")
        self.authority = Authority(folder, ca)
        self.certificate, self.key = folder / "server.pem", folder / "server.key"
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(self.key))

    def trusting(self) -> httpx.SSLContext:
        return httpx.SSLContext(verify=str(self.authority.pem))


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture(scope="session")
def hypercorn_tls(identity: Identity) -> Iterator[str]:
    """The https URL of a running hypercorn."""
    from tests.support.peers import serve_hypercorn

    with serve_hypercorn(identity.certificate, identity.key) as url:
        yield url


@pytest.fixture(scope="session")
def nginx_tls(identity: Identity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The https URL of a running nginx."""
    from tests.support.peers import find_nginx, serve_nginx

    if find_nginx() is None:
        pytest.skip("nginx is not installed (on Debian: apt-get install nginx-light)")
    with serve_nginx(tmp_path_factory.mktemp("nginx-tls"), identity.certificate, identity.key) as url:
        yield url


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
