"""Clients and TLS configurations are pickled as their settings, so that the same client works in another process."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import pickle
import ssl

import pytest

import httpx
from tests.support.certificates import Authority


def again(thing):
    return pickle.loads(pickle.dumps(thing))


async def test_a_client_is_as_good_as_new(runtime, app):
    kind = httpx.AsyncClient if runtime.is_async else httpx.Client
    original = kind(
        headers={"X-A": "1"}, params={"q": "1"}, cookies={"a": "b"}, auth=("user", "password"), base_url=app.url, follow_redirects=True,
        timeout=httpx.Timeout(7.0, total=9.0), limits=httpx.Limits(max_connections=3), retries=2, rate_limit=httpx.RateLimit(100),
        resolver=httpx.Resolver(ttl=1.0), max_redirects=4, default_encoding="latin-1",
    )  # fmt: skip
    copied = again(original)
    for name in ("headers", "params", "cookies", "base_url", "follow_redirects", "timeout", "max_redirects", "default_encoding"):
        assert getattr(copied, name) == getattr(original, name), name
    assert copied._transport._exchanges._limits == httpx.Limits(max_connections=3)
    assert repr(copied._retries) == repr(original._retries)
    for client in (original, copied):
        if runtime.is_async:
            async with client:
                response = await client.get("/headers")
        else:
            with client:
                response = client.get("/headers")
        assert {"x-a", "cookie", "authorization"} <= response.json().keys()


async def test_one_that_is_in_use(runtime, app):
    async with runtime.client() as client:
        await client.get(app.url + "/set-cookie/a/b")
        har = httpx.HAR()
        har.watch(getattr(client, "wrapped", client))
        copied = again(getattr(client, "wrapped", client))
        assert dict(copied.cookies) == {"a": "b"}
        assert copied.pool_stats().open == 0
        assert client.pool_stats().open == 1
        assert (await client.get(app.url)).status_code == 200
        if runtime.is_async:
            async with copied:
                await copied.get(app.url)
        else:
            with copied:
                copied.get(app.url)
        assert len(har) == 1
    assert again(getattr(client, "wrapped", client)).is_closed


def fetch(client, url):
    with client:
        return client.get(url).json()


def test_in_another_process(app_server, tmp_path):
    authority = Authority(tmp_path)
    server = app_server(ssl_context=authority.server("localhost"))
    client = httpx.Client(ssl_context=httpx.SSLContext(verify=[True, str(authority.pem)]), headers={"X-A": "1"}, http2=False)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(fetch, client, f"https://localhost:{server.port}/headers").result(60)["x-a"] == "1"
    client.close()


def test_proxies_and_mounts():
    proxy = httpx.Proxy("http://user:password@127.0.0.1:1", headers={"X-A": "1"})
    with httpx.Client(proxy=proxy, mounts={"all://*.example": httpx.HTTPTransport(uds="/tmp/socket", retries=1)}) as client:
        copied = again(client)
    transport = copied._transport_for_url(httpx.URL("http://a.example"))
    assert (transport._exchanges._dialer.uds, transport._exchanges._dialer.retries) == ("/tmp/socket", 1)
    through = copied._transport_for_url(httpx.URL("http://example.org"))._exchanges._dialer.proxy
    assert (str(through.url), through.auth, through.headers["x-a"]) == ("http://127.0.0.1:1", ("user", "password"), "1")


def test_contexts_made_from_files(tmp_path):
    authority = Authority(tmp_path)
    files = authority.client()
    context = again(httpx.SSLContext(verify=authority.pem, cert=(files.certificate, files.key), reload=True, resume=False))
    assert repr(files.certificate) in repr(context) or str(files.certificate) in repr(context)
    assert again(httpx.SSLContext(verify=False)).verify_mode is ssl.CERT_NONE
    assert again(again(httpx.SSLContext())).check_hostname


@pytest.mark.parametrize("make", ["key", "password", "changed", "foreign"])
def test_what_is_more_than_its_settings_is_refused(tmp_path, make):
    files = Authority(tmp_path).client()
    context: ssl.SSLContext
    if make == "key":
        context = httpx.SSLContext(cert=files.combined.read_bytes())
    elif make == "password":
        context = httpx.SSLContext(cert=(files.combined, None, "secret"))
    elif make == "changed":
        context = httpx.SSLContext()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    else:
        context = ssl.create_default_context()
    with httpx.Client(ssl_context=context) as client, pytest.raises(TypeError, match="SSLContext"):
        pickle.dumps(client)


def test_an_empty_jar_survives():
    assert dict(again(httpx.Cookies())) == {}
