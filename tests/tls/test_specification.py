"""Every statement and example about `httpx.SSLContext`, on all runtimes; only hosts and paths are local ones."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from inspect import isgetsetdescriptor
from typing import ClassVar

import certifi
import pytest
import truststore

import httpx
from httpx._tls.foreign import _extensions
from tests.support.certificates import PASSWORD

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture
def example(authority, app_server, local_hosts):
    """https://www.example.com, with a certificate of our authority."""
    server = app_server(ssl_context=authority.server("www.example.com", "example.org", "google.com"))
    for name in ("www.example.com", "example.org", "google.com"):
        local_hosts.add(name, {443: server.port})
    return server


@pytest.fixture
def expired(authority, app_server, local_hosts):
    server = app_server(ssl_context=authority.server("expired.badssl.com", expired=True))
    local_hosts.add("expired.badssl.com", {443: server.port})
    return server


@pytest.fixture
def picky(authority, app_server, local_hosts):
    """https://example.org, which demands a client certificate."""
    server = app_server(ssl_context=authority.server("example.org", demands_client=True))
    local_hosts.add("example.org", {443: server.port})
    return server


@pytest.fixture
def certifi_trusts_us(authority, monkeypatch):
    """certifi's bundle is exchanged for our authority: what trusts certifi trusts the local servers."""
    monkeypatch.setattr(certifi, "where", lambda: str(authority.pem))
    monkeypatch.setattr("httpx._tls.default._default", None)


def test_it_is_an_ssl_context_with_the_documented_repr():
    assert isinstance(httpx.SSLContext(), ssl.SSLContext)
    assert repr(httpx.SSLContext()) == "SSLContext(verify=True)"
    assert repr(httpx.SSLContext(verify=True)) == "SSLContext(verify=True)"
    assert repr(httpx.SSLContext(verify=False)) == "SSLContext(verify=False)"


async def test_an_expired_certificate_is_refused_with_the_words_of_openssl(runtime, authority, expired):
    ssl_context = httpx.SSLContext(verify=authority.pem)
    async with runtime.client(ssl_context=ssl_context) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get("https://expired.badssl.com/")
    words = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:"
    assert str(caught.value).startswith(words)
    assert "expired.badssl.com" in str(caught.value)
    assert expired.requests == []


@pytest.mark.parametrize("given", [{}, {"ssl_context": httpx.SSLContext()}, {"verify": True}])
async def test_by_default_an_unknown_authority_is_refused(runtime, example, given):
    async with runtime.client(**given) as client:
        with pytest.raises(httpx.ConnectError, match="unable to get local issuer certificate") as caught:
            await client.get("https://www.example.com")
    assert "verify=" in str(caught.value)
    assert example.requests == []


def test_the_top_level_functions_verify_too(expired):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get("https://expired.badssl.com/")
    no_verify = httpx.SSLContext(verify=False)
    assert repr(httpx.get("https://expired.badssl.com/", ssl_context=no_verify)) == "<Response [200 OK]>"


async def test_verification_can_be_switched_off(runtime, expired):
    async with runtime.client(ssl_context=httpx.SSLContext(verify=False)) as client:
        assert (await client.get("https://expired.badssl.com/")).status_code == 200
    async with runtime.client(verify=False) as client:
        assert (await client.get("https://expired.badssl.com/")).status_code == 200


@pytest.mark.parametrize(
    "settings",
    [
        dict,
        lambda: {"ssl_context": httpx.SSLContext()},
        lambda: {"ssl_context": httpx.SSLContext(verify=True)},
        lambda: {"ssl_context": httpx.SSLContext(verify=certifi.where())},
        lambda: {"verify": certifi.where()},
    ],
)
@pytest.mark.usefixtures("certifi_trusts_us")
async def test_the_default_is_certifis_bundle_however_it_is_said(runtime, example, settings):
    async with runtime.client(**settings()) as client:
        assert repr(await client.get("https://www.example.com")) == "<Response [200 OK]>"


async def test_a_pem_file_or_a_directory_takes_the_place_of_the_bundle(runtime, authority, example):
    directory = authority.hashed_directory()
    for verify in (authority.pem, str(authority.pem), directory, str(directory)):
        async with runtime.client(ssl_context=httpx.SSLContext(verify=verify)) as client:
            assert (await client.get("https://www.example.com")).status_code == 200


async def test_contexts_are_loaded_further_like_any_other(runtime, authority, example):
    ssl_context = httpx.SSLContext()
    ssl_context.load_verify_locations(cafile=authority.pem)
    async with runtime.client(ssl_context=ssl_context) as client:
        assert (await client.get("https://www.example.com")).status_code == 200
    assert len(ssl_context.get_ca_certs()) > 50, "certifi's bundle is there as well"


def test_request_methods_of_a_client_take_no_tls_settings():
    with httpx.Client() as client:
        for settings in ({"ssl_context": httpx.SSLContext()}, {"verify": False}, {"cert": "x"}):
            with pytest.raises(TypeError):
                client.get("https://www.example.com", **settings)


async def test_two_clients_with_different_settings_are_isolated(runtime, authority, example):
    async with (
        runtime.client(ssl_context=httpx.SSLContext(verify=authority.pem)) as trusting,
        runtime.client() as distrusting,
    ):
        assert (await trusting.get("https://www.example.com")).status_code == 200
        with pytest.raises(httpx.ConnectError):
            await distrusting.get("https://www.example.com")
        assert (await trusting.get("https://www.example.com")).status_code == 200


@pytest.mark.parametrize("form", ["path", "pair", "triple"])
async def test_a_client_certificate_is_presented(runtime, authority, picky, form):
    client_files = authority.client()
    cert = {
        "path": str(client_files.combined),
        "pair": (str(client_files.certificate), str(client_files.key)),
        "triple": (str(client_files.certificate), str(client_files.encrypted_key), PASSWORD),
    }[form]
    async with runtime.client(ssl_context=httpx.SSLContext(verify=authority.pem, cert=cert)) as client:
        assert (await client.get("https://example.org")).status_code == 200
    async with runtime.client(verify=str(authority.pem), cert=cert) as client:
        assert (await client.get("https://example.org")).status_code == 200


async def test_a_server_that_demands_a_certificate_refuses_us_without_one(runtime, authority, picky):
    async with runtime.client(ssl_context=httpx.SSLContext(verify=authority.pem)) as client:
        with pytest.raises(httpx.ConnectError, match="client certificate"):
            await client.get("https://example.org")


async def test_contexts_of_the_standard_library_and_of_truststore_are_used_as_they_are(runtime, authority, example):
    for ssl_context in (ssl.create_default_context(), truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)):
        ssl_context.load_verify_locations(cafile=authority.pem)
        async with runtime.client(ssl_context=ssl_context) as client:
            assert (await client.get("https://www.example.com")).status_code == 200


async def test_a_context_that_was_passed_in_is_not_changed(runtime, authority, example):
    class Watched(ssl.SSLContext):
        calls: ClassVar[list[str]] = []

        def set_alpn_protocols(self, alpn_protocols):
            self.calls.append("set_alpn_protocols")

        def load_verify_locations(self, *args, **kwargs):
            self.calls.append("load_verify_locations")
            super().load_verify_locations(*args, **kwargs)

    ssl_context = Watched(ssl.PROTOCOL_TLS_CLIENT)
    ssl_context.load_verify_locations(cafile=authority.pem)
    before = everything_of(ssl_context)
    ssl_context.calls.clear()
    for http2 in (False, True):
        async with runtime.client(ssl_context=ssl_context, http2=http2) as client:
            await client.get("https://www.example.com")
            with pytest.raises(httpx.ConnectError):
                await client.get("https://other.example.com")
    assert ssl_context.calls == []
    assert everything_of(ssl_context) == before


def everything_of(context):
    """What can be read of a context, and which extensions it sends to a server."""
    settings = {name: getattr(context, name) for name in dir(ssl.SSLContext) if isinstance(getattr(ssl.SSLContext, name), property)}
    settings |= {name: getattr(context, name) for name, thing in vars(ssl.SSLContext.__base__).items() if isgetsetdescriptor(thing)}
    hello = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost").do_handshake()
    rest = (context.get_ciphers(), context.get_ca_certs(True), context.cert_store_stats(), vars(context))
    return settings, rest, _extensions(hello.read())


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_environment_variables_for_trust_have_an_effect_only_if_asked_for(authority, example, monkeypatch, variable):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setenv(variable, str(authority.pem if variable == "SSL_CERT_FILE" else authority.hashed_directory()))
    with pytest.raises(httpx.ConnectError):
        httpx.get("https://www.example.com")
    verify = os.environ.get("SSL_CERT_FILE", os.environ.get("SSL_CERT_DIR", True))
    ssl_context = httpx.SSLContext(verify=verify)
    assert httpx.get("https://www.example.com", ssl_context=ssl_context).status_code == 200


@pytest.mark.usefixtures("certifi_trusts_us")
def test_the_key_log_is_written_only_if_configured(example, monkeypatch, tmp_path):
    log = tmp_path / "test.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))

    with httpx.Client() as client:
        client.get("https://google.com")
    assert not log.exists()

    def create_client():
        ssl_context = httpx.SSLContext()
        keylog_filename = os.environ.get("SSLKEYLOGFILE")
        if keylog_filename:
            ssl_context.keylog_filename = keylog_filename
        return httpx.Client(ssl_context=ssl_context)

    with create_client() as client:
        client.get("https://google.com")
    assert "CLIENT_HANDSHAKE_TRAFFIC_SECRET" in log.read_text()


async def test_a_name_that_the_certificate_does_not_have_is_refused(runtime, authority, app_server):
    server = app_server(ssl_context=authority.server("other.test"))
    async with runtime.client(ssl_context=httpx.SSLContext(verify=authority.pem)) as client:
        with pytest.raises(httpx.ConnectError, match=r"Hostname mismatch|IP address mismatch"):
            await client.get(server.url.replace("127.0.0.1", "localhost"))


async def test_connecting_to_an_address_while_verifying_a_name(runtime, authority, app_server):
    server = app_server(ssl_context=authority.server("other.test"))
    async with runtime.client(ssl_context=httpx.SSLContext(verify=authority.pem)) as client:
        response = await client.get(server.url, extensions={"sni_hostname": "other.test"})
        assert response.status_code == 200
        with pytest.raises(httpx.ConnectError):
            await client.get(server.url)


@pytest.mark.parametrize("make", [lambda pem: httpx.SSLContext(verify=pem), lambda pem: ssl.create_default_context(cafile=pem)])
async def test_a_body_that_ends_with_a_cut_connection_is_an_error(runtime, authority, scripted, make):
    def cut(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of the truth")
        conn.close(close_notify=False)

    def end(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\nthe truth")

    def cut_within_a_record(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of the truth")
        plain = socket.socket(fileno=conn.socket.detach())
        plain.sendall(b"\x17\x03\x03\x00\x40" + bytes(10))
        plain.close()

    async with runtime.client(ssl_context=make(authority.pem)) as client:
        for script in (cut, cut_within_a_record):
            with pytest.raises(httpx.RemoteProtocolError, match="close_notify"):
                await client.get(scripted(script, ssl_context=authority.server()).url)
        assert (await client.get(scripted(end, ssl_context=authority.server()).url)).content == b"the truth"


def test_clients_share_one_default_context_made_by_the_first_handshake(example):
    script = (
        "import httpx, httpx._tls.default as d, certifi\n"
        "clients = [httpx.Client() for _ in range(100)]\n"
        "assert d._default is None\n"
        "assert d.default_context() is d.default_context()\n"
        "assert not d.default_context()._is_ready\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
