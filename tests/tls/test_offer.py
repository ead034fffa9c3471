"""What one connection offers to the server (ALPN) is that connection's business: the context stays as it is."""

from __future__ import annotations

import ssl
import threading

import pytest
import truststore

import httpx
from httpx._tls.foreign import offers_protocols
from httpx._tls.offer import HTTP_1_1, HTTP_2, HTTP_2_OR_1_1, for_connection

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture
def both(authority):
    server = authority.server()
    server.set_alpn_protocols(["h2", "http/1.1"])
    return server


@pytest.mark.parametrize("through", ["socket", "bio"])
@pytest.mark.parametrize(("alpn", "chosen"), [(HTTP_1_1, "http/1.1"), (HTTP_2, "h2"), (HTTP_2_OR_1_1, "h2")])
def test_a_connection_offers_its_own_protocols_and_the_next_one_others(meet, authority, both, alpn, chosen, through):
    context = httpx.SSLContext(authority.pem)
    assert meet(both, for_connection(context, alpn), through=through).alpn == chosen
    assert meet(both, context, through=through).alpn == "http/1.1", "the context itself is as before"


def test_an_offer_that_the_owner_of_the_context_chose_stands(meet, authority, both):
    context = httpx.SSLContext(authority.pem)
    context.set_alpn_protocols(["http/1.1"])
    assert meet(both, for_connection(context, HTTP_2_OR_1_1)).alpn == "http/1.1"


FOREIGN = {"ssl": ssl.SSLContext, "truststore": truststore.SSLContext}


@pytest.mark.parametrize("through", ["socket", "bio"])
@pytest.mark.parametrize("kind", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_context_offers_http_2_for_one_connection(meet, authority, both, kind, through):
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.pem)
    assert meet(both, for_connection(context, HTTP_2_OR_1_1), through=through).alpn == "h2"
    assert meet(both, context, through=through).alpn is None, "the context itself is as before"


@pytest.mark.parametrize("kind", FOREIGN.values(), ids=FOREIGN)
def test_an_offer_that_the_owner_of_a_foreign_context_chose_stands(meet, authority, both, kind):
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.pem)
    context.set_alpn_protocols(["http/1.1"])
    assert meet(both, for_connection(context, HTTP_2_OR_1_1)).alpn == "http/1.1"
    assert meet(both, context).alpn == "http/1.1"


def test_what_a_context_offers_is_found_in_its_handshake():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context()
        context.maximum_version = version
        assert not offers_protocols(context)
        context.set_alpn_protocols(["xmpp-client"])
        assert offers_protocols(context)


def test_a_context_that_cannot_be_used_is_left_alone():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(ssl.SSLError):
        for_connection(context, HTTP_2).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")


def test_it_passes_for_the_context_that_it_stands_for():
    context = httpx.SSLContext(verify=False)
    stand_in = for_connection(context, HTTP_2, 443)
    assert isinstance(stand_in, ssl.SSLContext)
    assert isinstance(stand_in, httpx.SSLContext)
    assert stand_in.verify_mode is ssl.CERT_NONE


def test_subclasses_that_wrap_connections_themselves_are_asked(authority):
    wrapped = []

    class Watching(httpx.SSLContext):
        def wrap_bio(self, *args, **kwargs):
            wrapped.append(kwargs["server_hostname"])
            return super().wrap_bio(*args, **kwargs)

    for_connection(Watching(authority.pem), HTTP_2).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
    assert wrapped == ["localhost"]


@pytest.mark.parametrize("kind", [httpx.SSLContext, ssl.create_default_context])
def test_connections_made_at_the_same_time_do_not_mix_their_offers(kind):
    context = kind()
    wrong = []

    def offered(alpn):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = for_connection(context, alpn).wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        return outgoing.read()

    def work(alpn):
        for _ in range(50):
            hello = offered(alpn)
            if (b"\x02h2" in hello) != ("h2" in alpn):
                wrong.append(alpn)

    threads = [threading.Thread(target=work, args=(alpn,)) for alpn in (HTTP_1_1, HTTP_2, HTTP_2_OR_1_1, HTTP_1_1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
