"""A context with `reload=True`: files that are replaced count for new connections, whole or not at all."""

from __future__ import annotations

import logging
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

import httpx
from tests.support.http2 import HTTP2Peer, data
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")


class Files:
    """A client's certificate and key, and a bundle, which are exchanged while it runs."""

    def __init__(self, folder, authority):
        self.authority = authority
        self.clients = {}
        self.certificate, self.key, self.bundle = folder / "tls.crt", folder / "tls.key", folder / "ca.crt"

    def write(self, name=None, *, bundle=None, only=None):
        if name is not None:
            client = self.clients[name] = self.clients.get(name) or self.authority.client(name)
            if only != "key":
                self._put(self.certificate, client.certificate.read_bytes())
            if only != "certificate":
                self._put(self.key, client.key.read_bytes())
        if bundle is not None:
            self._put(self.bundle, bundle)

    def _put(self, path, content):
        beside = path.with_suffix(".new")
        beside.write_bytes(content)
        beside.replace(path)


@pytest.fixture
def files(tmp_path, authority):
    files = Files(tmp_path, authority)
    files.write("first", bundle=authority.pem.read_bytes())
    return files


@pytest.fixture
def context(files):
    return httpx.SSLContext(verify=files.bundle, cert=(files.certificate, files.key), reload=True)


@pytest.fixture
def server(scripted, authority):
    """Answers with the common name of the client's certificate."""

    def answer_for(conn):
        subject = conn.tls.getpeercert()["subject"]
        name = next(value for part in subject for kind, value in part if kind == "commonName")
        keep_alive(lambda request: respond(name))(conn)

    return scripted(answer_for, ssl_context=authority.server(demands_client=True))


async def ask(runtime, server, context):
    async with runtime.client(ssl_context=context) as client:
        return (await client.get(server.url)).text


async def test_a_new_certificate_is_used_by_the_next_request(runtime, server, context, files):
    async with runtime.client(ssl_context=context) as client:
        for name in ("first", "second", "third"):
            files.write(name)
            for _ in range(2):
                assert (await client.get(server.url)).text == name
    assert len(server.connections) == 3, "the connection that was open is closed, not kept"
    assert await ask(runtime, server, context) == "third"


async def test_an_exchange_that_is_under_way_ends_on_the_connection_that_it_has(runtime, authority, app_server, context, files):
    server = app_server(ssl_context=authority.server(demands_client=True))
    async with runtime.client(ssl_context=context) as client:
        async with client.stream("GET", server.url + "/bytes/3000000") as response:
            files.write("second")
            assert (await client.get(server.url)).status_code == 200
            assert client.pool_stats().open == 2
            assert len(await response.aread()) == 3_000_000
        assert client.pool_stats() == (1, 1, 0, 0), "what was made with the old certificate is gone"


async def test_so_do_those_of_http2_which_share_one(runtime, authority, scripted, context, files):
    pytest.importorskip("ngh2")

    def script(conn):
        peer = HTTP2Peer(conn)
        while True:
            stream_id, fields, _ = peer.read_request()
            if fields[":path"] == "/slow":
                peer.send(peer.headers(stream_id), data(stream_id, b"one, "))
                conn.wait_for(goes_on)
                peer.send(data(stream_id, b"two", end=True))
            else:
                peer.respond(stream_id, b"quick")

    identity = authority.server(demands_client=True)
    identity.set_alpn_protocols(["h2"])
    server = scripted(script, ssl_context=identity)
    goes_on = server.event()
    async with runtime.client(ssl_context=context, http2=True) as client:
        assert (await client.get(server.url)).text == "quick"
        async with client.stream("GET", server.url + "/slow") as response:
            files.write("second")
            assert (await client.get(server.url)).text == "quick"
            assert client.pool_stats() == (2, 1, 1, 0)
            goes_on.set()
            assert await response.aread() == b"one, two"
        assert client.pool_stats() == (1, 1, 0, 0)
        assert (await client.get(server.url)).text == "quick"
    assert len(server.connections) == 2


async def test_files_that_are_written_again_as_they_were_cost_no_connection(runtime, server, context, files):
    async with runtime.client(ssl_context=context) as client:
        for _ in range(3):
            files.write("first", bundle=files.authority.pem.read_bytes())
            assert (await client.get(server.url)).text == "first"
    assert len(server.connections) == 1


async def test_broken_files_cost_no_connection_either(runtime, server, context, files):
    async with runtime.client(ssl_context=context) as client:
        assert (await client.get(server.url)).text == "first"
        files.key.write_bytes(b"garbage")
        assert (await client.get(server.url)).text == "first"
        files.write("second")
        assert (await client.get(server.url)).text == "second"
    assert len(server.connections) == 2


async def test_the_certificate_that_a_proxy_is_shown_is_followed_too(runtime, authority, scripted, app, files, context):
    shown = []

    def proxy(conn):
        shown.append(conn.tls.getpeercert()["subject"][-1][0][1])
        keep_alive(lambda request: respond("forwarded"))(conn)

    running = scripted(proxy, ssl_context=authority.server(demands_client=True))
    async with runtime.client(proxy=httpx.Proxy(running.url, ssl_context=context)) as client:
        for name in ("first", "second"):
            files.write(name)
            for _ in range(2):
                assert (await client.get(app.url)).text == "forwarded"
    assert shown == ["first", "second"]


async def test_requests_that_wait_for_a_connection_get_one_all_the_same(runtime, server, context, files):
    async with runtime.client(ssl_context=context, limits=httpx.Limits(max_connections=1)) as client:
        assert (await client.get(server.url)).text == "first"
        files.write("second")
        answers = await runtime.gather(*[lambda: client.get(server.url)] * 5)
    assert {answer.text for answer in answers} == {"second"}


async def test_a_certificate_is_never_used_with_the_key_of_another(runtime, server, context, files, caplog):
    assert await ask(runtime, server, context) == "first"
    files.write("second", only="certificate")
    assert await ask(runtime, server, context) == "first"
    assert "stays in use" in caplog.text
    assert f"The private key in {str(files.key)!r} does not belong to the certificate in {str(files.certificate)!r}" in caplog.text
    caplog.clear()
    assert await ask(runtime, server, context) == "first"
    assert caplog.text == "", "it is said once"
    files.write("second", only="key")
    assert await ask(runtime, server, context) == "second"


@pytest.mark.parametrize("breakage", ["empty", "garbage", "gone"])
async def test_unusable_files_leave_the_old_ones_in_use(runtime, server, context, files, caplog, breakage):
    for path in (files.key, files.bundle):
        if breakage == "gone":
            path.unlink()
        else:
            path.write_bytes(b"" if breakage == "empty" else b"garbage")
        caplog.set_level(logging.WARNING)
        assert await ask(runtime, server, context) == "first"
        assert "stays in use" in caplog.text
        assert repr(str(path)) in caplog.text, "the file is named"
        caplog.clear()
        files.write("first", bundle=files.authority.pem.read_bytes())
    files.write("second", bundle=files.authority.pem.read_bytes())
    assert await ask(runtime, server, context) == "second"


async def test_an_authority_that_is_gone_from_the_bundle_is_no_longer_trusted(runtime, authority, stranger, app_server, files):
    context = httpx.SSLContext(verify=files.bundle, reload=True)
    ours, theirs = app_server(ssl_context=authority.server()), app_server(ssl_context=stranger.server())
    async with runtime.client(ssl_context=context) as client:
        assert (await client.get(ours.url)).status_code == 200
    files.write(bundle=stranger.pem.read_bytes())
    async with runtime.client(ssl_context=context) as client:
        assert (await client.get(theirs.url)).status_code == 200
        with pytest.raises(httpx.CertificateVerifyError):
            await client.get(ours.url)  # not resumed either


async def test_changes_made_to_the_context_outlive_the_files(runtime, authority, stranger, app_server, files):
    context = httpx.SSLContext(verify=files.bundle, reload=True)
    context.load_verify_locations(cafile=stranger.pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    old = stranger.server()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    for _ in range(2):
        async with runtime.client(ssl_context=context) as client:
            assert (await client.get(app_server(ssl_context=stranger.server()).url)).status_code == 200
            assert (await client.get(app_server(ssl_context=authority.server()).url)).status_code == 200
            with pytest.raises(httpx.TLSError):
                await client.get(app_server(ssl_context=old).url)
        files.write(bundle=b"# comment\n" + authority.pem.read_bytes())


async def test_an_archive_with_certificate_and_key_is_followed_too(runtime, server, files, authority):
    def write(name):
        client = authority.client(name)
        archive = pkcs12.serialize_key_and_certificates(
            None,
            serialization.load_pem_private_key(client.key.read_bytes(), None),
            x509.load_pem_x509_certificate(client.certificate.read_bytes()),
            None,
            serialization.BestAvailableEncryption(b"secret"),
        )
        files._put(files.key, archive)

    write("archived")
    context = httpx.SSLContext(verify=files.bundle, cert=(files.key, None, "secret"), reload=True)
    assert await ask(runtime, server, context) == "archived"
    write("renewed")
    assert await ask(runtime, server, context) == "renewed"


def test_unusable_files_are_reported_at_once_by_the_constructor(files):
    files.write("second", only="certificate")
    with pytest.raises(ssl.SSLError, match="does not belong"):
        httpx.SSLContext(verify=files.bundle, cert=(files.certificate, files.key), reload=True)
    with pytest.raises(FileNotFoundError):
        httpx.SSLContext(verify=files.bundle.with_name("missing"), reload=True)


async def test_relative_paths_lead_to_the_same_files_from_everywhere(runtime, server, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    context = httpx.SSLContext(verify=files.bundle.name, cert=(files.certificate.name, files.key.name), reload=True)
    monkeypatch.chdir("/")
    assert await ask(runtime, server, context) == "first"
    files.write("second")
    assert await ask(runtime, server, context) == "second"


def _complaint(**settings):
    with pytest.raises(OSError, match=" ") as caught:
        httpx.SSLContext(**settings)
    return str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\x30\x82\x01\x00", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_wrong_with_a_file_is_told_in_the_same_words_as_without_reload(tmp_path, files, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    settings = [{"verify": path}, {"verify": [True, path]}, {"crl": path}, {"cert": path}, {"cert": (files.certificate, path)}]
    for each in settings:
        assert repr(str(path)) in _complaint(**each)
        assert _complaint(**each, reload=True) == _complaint(**each)


def test_a_bundle_in_der_is_taken_neither_way(files):
    der = ssl.PEM_cert_to_DER_cert(files.authority.pem.read_text())
    files.write(bundle=der)
    assert "openssl x509 -inform der" in _complaint(verify=files.bundle)
    assert _complaint(verify=files.bundle, reload=True) == _complaint(verify=files.bundle)


async def test_without_reload_files_are_read_once(runtime, server, files):
    context = httpx.SSLContext(verify=files.bundle, cert=(files.certificate, files.key))
    files.write("second")
    assert await ask(runtime, server, context) == "first"
