"""`response.tls`: the facts of the connection that a response came over."""

from __future__ import annotations

import logging
import pickle
import ssl

import pytest

import httpx
from tests.support.issuing import Issuer

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture(scope="module")
def root():
    return Issuer("Root")


@pytest.fixture(scope="module")
def server_context(root):
    return Issuer("Middle", root).issue("localhost", "127.0.0.1").server_context()


async def test_the_facts_of_a_verified_connection(runtime, app_server, root, server_context):
    server = app_server(ssl_context=server_context)
    async with runtime.client(ssl_context=httpx.SSLContext(verify=root.pem)) as client:
        tls = (await client.get(server.url)).tls
    assert (tls.version, tls.server_name, tls.verified, tls.resumed) == ("TLSv1.3", "127.0.0.1", True, False)
    assert tls.cipher.startswith("TLS_")
    assert tls.alpn is None, "the server takes no part in it"
    assert tls.peer_certificate.names == ("localhost", "127.0.0.1")
    assert [certificate.subject.partition(",")[0] for certificate in tls.chain] == ["", "CN=Middle", "CN=Root"]
    assert tls.as_dict()["chain"][2]["is_authority"]
    assert "TLSv1.3" in repr(tls)


async def test_they_are_known_when_the_connection_is_closed_or_serves_others(runtime, app_server, root, server_context):
    server = app_server(ssl_context=server_context)
    async with runtime.client(ssl_context=httpx.SSLContext(verify=root.pem)) as client:
        first = await client.get(server.url)
        second = await client.get(server.url)
        closing = await client.get(server.url + "/close")
    assert first.tls is second.tls is closing.tls
    assert len(first.tls.chain) == 3


async def test_what_the_server_chose_is_told(runtime, app_server, authority):
    context = authority.server()
    context.set_alpn_protocols(["http/1.1"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    server = app_server(ssl_context=context)
    async with runtime.client(ssl_context=httpx.SSLContext(verify=authority.pem)) as client:
        tls = (await client.get(server.url)).tls
    assert (tls.version, tls.alpn) == ("TLSv1.2", "http/1.1")


async def test_a_connection_that_is_not_verified_says_so(runtime, app_server, stranger, caplog):
    server = app_server(ssl_context=stranger.intermediate().server())
    caplog.set_level(logging.DEBUG, "httpx")
    async with runtime.client(ssl_context=httpx.SSLContext(verify=False)) as client:
        tls = (await client.get(server.url)).tls
    assert not tls.verified
    assert "not verified" in repr(tls)
    assert tls.peer_certificate is not None
    assert len(tls.chain) == 2, "what the server sent"
    assert any("not verified" in record.getMessage() for record in caplog.records)


async def test_contexts_of_the_standard_library_tell_the_same(runtime, app_server, root, server_context):
    context = ssl.create_default_context(cadata=root.pem.decode())
    server = app_server(ssl_context=server_context)
    async with runtime.client(ssl_context=context) as client:
        tls = (await client.get(server.url)).tls
    assert tls.verified
    assert len(tls.chain) == 3


async def test_plain_http_has_none(runtime, app):
    async with runtime.client() as client:
        response = await client.get(app.url)
    assert response.tls is None
    assert pickle.loads(pickle.dumps(getattr(response, "wrapped", response))).tls is None


def test_the_types_have_public_names():
    assert httpx.TLSInfo.__name__ == "TLSInfo"
    assert httpx.TLSReport.__name__ == "TLSReport"
    assert httpx.Certificate.__name__ == "Certificate"
    with pytest.raises(AttributeError, match="no attribute 'TLSNothing'"):
        httpx.TLSNothing  # noqa: B018


def test_a_response_without_a_connection_has_none():
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    with httpx.Client(transport=transport) as client:
        assert client.get("https://example.org/").tls is None
    assert httpx.Response(200).tls is None
