"""`import httpx` stays cheap: what a program may never use is imported when it does."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import httpx
from tests.support.servers import AppServer

# Optional packages; event loops; and what of the standard library takes long.
HEAVY = {
    *("anyio", "backports.zstd", "brotli", "brotlicffi", "click", "cryptography", "ngh2", "opentelemetry", "publicsuffixlist"),
    *("pygments", "rich", "sniffio", "trio", "truststore", "uvloop", "zstandard"),
    *("asyncio", "multiprocessing", "wsgiref"),
    *("certifi", "concurrent.futures", "dataclasses", "datetime", "email", "hashlib", "http.client", "http.cookiejar", "idna", "inspect"),
    *("ipaddress", "json", "logging", "netrc", "ssl", "tempfile", "traceback", "unicodedata", "urllib.parse", "urllib.request"),
}
HEAVY_PARTS = {
    *("_auth.digest", "_cli", "_content.multipart", "_content.sse", "_models.cookie_store", "_models.timings", "_network.asyncio_network"),
    *("_network.trio_network", "_protocols.http2.engine", "_tls.context", "_tls.diagnosis", "_tls.report", "_transports.asgi"),
    "_transports.wsgi",
}


def modules_after(code: str) -> set[str]:
    """The modules that a fresh interpreter has imported after `code`, less those that it starts with."""
    # -S: what is installed here may bring modules along at the start, for the sake of others.
    prelude = f"import sys; sys.path[:] = {sys.path!r}; before = set(sys.modules)\n"
    epilogue = "\nnames = sorted(set(sys.modules) - before); import json; print(json.dumps(names))"
    done = subprocess.run([sys.executable, "-S", "-c", prelude + code + epilogue], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_imports_nothing_heavy() -> None:
    imported = modules_after("import httpx")
    assert "httpx._client.client" in imported
    assert sorted(imported & HEAVY) == []
    assert sorted(imported & {f"httpx.{name}" for name in HEAVY_PARTS}) == []


def test_a_client_that_is_made_and_not_used_imports_the_codings_it_accepts_and_no_more() -> None:
    codings = {"backports.zstd", "brotli", "brotlicffi", "zstandard"}
    assert sorted(modules_after("import httpx; httpx.Client().close()") & HEAVY - codings) == []


def test_a_request_without_tls_imports_no_ssl(app: AppServer) -> None:
    assert {"ssl", "_ssl"}.isdisjoint(modules_after(f"import httpx; httpx.get({app.url!r}, trust_env=False).raise_for_status()"))


@pytest.mark.parametrize(
    "name", ["Attempt", "DigestAuth", "NetRCAuth", "ASGITransport", "WSGITransport", "MockTransport", "SSLContext", "Timings"]
)
def test_classes_that_are_imported_when_named_look_like_the_others(name: str) -> None:
    found = getattr(httpx, name)
    assert (found.__module__, found.__qualname__) == ("httpx", name)
    assert getattr(httpx, name) is found


def test_all_public_names_are_listed_and_can_be_star_imported() -> None:
    assert set(httpx.__all__) <= set(dir(httpx))
    namespace: dict[str, object] = {}
    exec("from httpx import *", namespace)
    assert set(httpx.__all__) <= set(namespace)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'httpx' has no attribute 'Session'"):
        httpx.Session  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match=r"module 'httpx\._auth' has no attribute 'Session'"):
        httpx._auth.Session  # type: ignore[attr-defined]  # noqa: B018
