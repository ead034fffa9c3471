"""aiofastnet's event loops have TLS of their own, which reaches into the memory of a context: with ours, what a context is for holds."""

from __future__ import annotations

import asyncio
import ssl

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.servers import PATIENCE, respond

aiofastnet = pytest.importorskip("aiofastnet")

pytestmark = pytest.mark.usefixtures("no_leaks")

OTHER_PIN = "sha256/" + "A" * 43 + "="


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def run(work, **settings):
    """What `work` gives, which is called with a client in an event loop of aiofastnet."""

    async def main():
        async with httpx.AsyncClient(timeout=PATIENCE, **settings) as client:
            return await work(client)

    with asyncio.Runner(loop_factory=aiofastnet.loop_factory()) as runner:
        return runner.run(main())


@pytest.mark.parametrize("kind", ["ours", "foreign"])
def test_requests_and_large_bodies_over_tls(app_server, authority, kind):
    server = app_server(ssl_context=authority.server("127.0.0.1"))
    context = httpx.SSLContext(verify=authority.pem) if kind == "ours" else ssl.create_default_context(cafile=authority.pem)

    async def work(client):
        assert (await client.get(f"{server.url}/json")).status_code == 200
        text = "".join(map(str, range(200_000)))
        assert (await client.post(f"{server.url}/echo", content=text)).json()["body"] == text

    run(work, ssl_context=context)


def test_certificates_and_pins_are_checked_and_sessions_are_resumed(app_server, authority):
    server = app_server(ssl_context=authority.server("127.0.0.1"))

    async def work(client):
        return await client.get(server.url, headers={"Connection": "close"})

    context = httpx.SSLContext(verify=authority.pem)
    assert [run(work, ssl_context=context).tls.resumed for _ in range(2)] == [False, True]
    with pytest.raises(httpx.CertificateVerifyError, match="is one of its pins"):
        run(work, ssl_context=httpx.SSLContext(verify=authority.pem, pins={"127.0.0.1": [OTHER_PIN]}))
    with pytest.raises(httpx.CertificateVerifyError):
        run(work)


def test_a_cut_is_told_from_an_end(scripted, authority):
    def script(conn):
        conn.read_head()
        conn.send(respond(b"all of it?").replace(b"Content-Length: 10", b"Connection: close"))
        conn.close(close_notify=False)

    server = scripted(script, ssl_context=authority.server("127.0.0.1"))

    async def work(client):
        with pytest.raises(httpx.RemoteProtocolError, match="cut the TLS connection"):
            await client.get(server.url)

    run(work, ssl_context=httpx.SSLContext(verify=authority.pem))
