"""TLS under HTTP/2: its facts, and its sessions."""

from __future__ import annotations

import ssl

import pytest

import httpx
from tests.support.http2 import HTTP2Peer, keep_alive_http2, rst_stream


@pytest.mark.parametrize("server", ["hypercorn_tls", "nginx_tls"])
async def test_the_facts_are_known_and_sessions_resumed(runtime, h2_client, identity, request, server):
    url = request.getfixturevalue(server)
    context = identity.trusting()
    seen = []
    for _ in range(2):
        async with h2_client(ssl_context=context, http1=True) as client:
            first, second = await client.get(url), await client.get(url)
            assert first.http_version == "HTTP/2"
            assert first.tls is second.tls
            seen.append(first.tls)
    assert [tls.alpn for tls in seen] == ["h2", "h2"]
    assert [tls.resumed for tls in seen] == [False, True]
    assert all(tls.verified and len(tls.chain) == 2 for tls in seen)


async def test_a_session_of_another_offer_is_not_resumed(runtime, h2_client, identity, nginx_tls):
    context = identity.trusting()
    async with h2_client(ssl_context=context, http1=True) as client:
        assert (await client.get(nginx_tls)).tls.alpn == "h2"
    async with runtime.client(ssl_context=context) as client:
        response = await client.get(nginx_tls)
    assert (response.tls.alpn, response.tls.resumed) == ("http/1.1", False)


async def test_ciphers_that_the_standard_advises_against_are_the_contexts_matter(runtime, h2_client, scripted, identity):
    # H41
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(identity.certificate, identity.key)
    server_context.maximum_version = ssl.TLSVersion.TLSv1_2
    server_context.set_ciphers("ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256")
    server_context.set_alpn_protocols(["h2"])
    server = scripted(keep_alive_http2(lambda fields, body: b"ok"), ssl_context=server_context)
    async with h2_client(ssl_context=identity.trusting()) as client:
        response = await client.get(server.url.replace("http:", "https:"))
    assert (response.http_version, response.content) == ("HTTP/2", b"ok")
    assert response.tls.cipher.endswith("SHA256")
    assert "GCM" not in response.tls.cipher


async def test_a_foreign_context_needs_no_preparation_and_is_not_changed(runtime, h2_client, identity, hypercorn_tls):
    context = ssl.create_default_context(cafile=identity.authority.pem)
    async with h2_client(ssl_context=context, http1=True) as client:
        response = await client.get(hypercorn_tls)
    assert (response.http_version, response.tls.alpn) == ("HTTP/2", "h2")
    async with runtime.client(ssl_context=context) as client:
        response = await client.get(hypercorn_tls)
    assert (response.http_version, response.tls.alpn) == ("HTTP/1.1", None)


async def test_what_a_foreign_context_offers_is_its_owners_choice(h2_client, identity, hypercorn_tls):
    context = ssl.create_default_context(cafile=identity.authority.pem)
    context.set_alpn_protocols(["http/1.1"])
    async with h2_client(ssl_context=context, http1=True) as client:
        assert (await client.get(hypercorn_tls)).http_version == "HTTP/1.1"
    async with h2_client(ssl_context=context) as client:
        with pytest.raises(httpx.ConnectError, match="set_alpn_protocols"):
            await client.get(hypercorn_tls)


HTTP_1_1_REQUIRED = 0xD


@pytest.fixture
def refusing_http2(scripted, identity):
    """A server that takes HTTP/2 and answers in HTTP/1.1 (as some do that want a client certificate)."""

    def script(conn):
        if conn.socket.selected_alpn_protocol() == "h2":
            peer = HTTP2Peer(conn)
            stream_id, _, _ = peer.read_request()
            peer.send(rst_stream(stream_id, HTTP_1_1_REQUIRED))
            conn.wait_closed()
        else:
            body = conn.read_request().body
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (3 + len(body)) + b"1.1" + body)
            conn.wait_closed()

    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(identity.certificate, identity.key)
    server_context.set_alpn_protocols(["h2", "http/1.1"])
    return scripted(script, ssl_context=server_context).url.replace("http:", "https:")


@pytest.mark.parametrize("content", [None, b"body"], ids=["GET", "POST"])
async def test_a_request_that_the_server_wants_in_http1_is_sent_in_http1(h2_client, identity, refusing_http2, content):
    """RFC 9113 section 7."""
    async with h2_client(ssl_context=identity.trusting(), http1=True) as client:
        response = await client.request("POST" if content else "GET", refusing_http2, content=content)
    assert (response.http_version, response.content) == ("HTTP/1.1", b"1.1" + (content or b""))
    assert response.extensions["attempts"] == 2


@pytest.mark.parametrize("options", [{"http1": False}, {"http1": True, "transport_options": {"resend": False}}], ids=["http2", "resend"])
async def test_where_that_is_not_wanted_the_error_says_what_the_server_wants(h2_client, identity, refusing_http2, options):
    async with h2_client(ssl_context=identity.trusting(), **options) as client:
        with pytest.raises(httpx.RemoteProtocolError, match=r"over HTTP/1.1 only \(HTTP_1_1_REQUIRED\)"):
            await client.get(refusing_http2)
