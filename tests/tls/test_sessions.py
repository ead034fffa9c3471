"""Resumption: connections to the same server continue what was verified before, and nothing else ever."""

from __future__ import annotations

import ssl

import pytest

import httpx
from httpx._tls import sessions as sessions_module
from httpx._tls.offer import HTTP_1_1, HTTP_2_OR_1_1
from httpx._tls.sessions import Key, Session, Sessions
from tests.support.issuing import Issuer
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(params=VERSIONS, ids=["TLS 1.2", "TLS 1.3"])
def server_context(request, authority):
    context = authority.server("localhost", "127.0.0.1", "a.test", "b.test")
    context.maximum_version = request.param
    return context


@pytest.fixture
def server(scripted, server_context):
    """Each connection serves one request."""
    return scripted(lambda conn: conn.send(respond(conn.read_request().path)), ssl_context=server_context)


async def resumed(runtime, server, context, *, name="127.0.0.1", port=None):
    """Whether a request by a new client resumes, as client and server see it."""
    async with runtime.client(ssl_context=context) as client:
        response = await client.get(f"https://127.0.0.1:{port or server.port}/", extensions={"sni_hostname": name})
    server.wait_for(lambda server: all(conn.finished.is_set() for conn in server.connections))
    return response.tls.resumed


async def test_the_second_connection_resumes_and_the_third(runtime, authority, server):
    context = httpx.SSLContext(authority.pem)
    assert [await resumed(runtime, server, context) for _ in range(3)] == [False, True, True]


async def test_a_resumed_connection_tells_what_was_verified(runtime, authority, server):
    context = httpx.SSLContext(authority.pem)
    chains = []
    for _ in range(3):
        async with runtime.client(ssl_context=context) as client:
            tls = (await client.get(server.url)).tls
            chains.append(tls.chain)
            assert tls.verified
            assert tls.peer_certificate == tls.chain[0]
    assert tls.resumed
    assert chains[0] == chains[1] == chains[2]
    assert len(chains[0]) == 2


@pytest.mark.parametrize("version", VERSIONS, ids=["TLS 1.2", "TLS 1.3"])
async def test_a_certificate_that_makes_a_session_too_large_to_be_kept_is_no_obstacle(runtime, scripted, version):
    root = Issuer("Root")
    server_context = root.issue("127.0.0.1", *(f"host-{number}.example.org" for number in range(2900))).server_context()
    server_context.maximum_version = version
    server = scripted(keep_alive(lambda request: respond("ok")), ssl_context=server_context)
    context = httpx.SSLContext(root.pem)
    for _ in range(2):
        async with runtime.client(ssl_context=context) as client:
            for _ in range(3):
                response = await client.get(server.url)
                assert response.text == "ok"
                assert len(response.tls.peer_certificate.names) == 2901
                assert not response.tls.resumed
    assert httpx.inspect_tls("127.0.0.1", server.port, ssl_context=context).resumable is False


async def test_the_default_context_resumes(runtime, authority, server, monkeypatch):
    import certifi

    monkeypatch.setattr(certifi, "where", lambda: str(authority.pem))
    monkeypatch.setattr("httpx._tls.default._default", None)
    for expected in (False, True):
        async with runtime.client() as client:
            assert (await client.get(server.url)).tls.resumed == expected


async def test_connections_that_are_open_at_the_same_time_resume_too(runtime, authority, app_server, server_context):
    server = app_server(ssl_context=server_context)
    async with runtime.client(ssl_context=httpx.SSLContext(authority.pem)) as client:
        async with client.stream("GET", server.url + "/bytes/3000000") as first:
            second = await client.get(server.url)
        assert (first.tls.resumed, second.tls.resumed) == (False, True)


async def test_nothing_is_resumed_across_contexts_or_when_told_not_to(runtime, authority, server):
    for make in (httpx.SSLContext, lambda verify: httpx.SSLContext(verify, resume=False), lambda verify: httpx.SSLContext(False)):
        assert not await resumed(runtime, server, make(authority.pem))
    silent = httpx.SSLContext(authority.pem, resume=False)
    assert [await resumed(runtime, server, silent) for _ in range(2)] == [False, False]


async def test_contexts_of_the_user_never_resume(runtime, authority, server):
    context = ssl.create_default_context(cafile=authority.pem)
    assert [await resumed(runtime, server, context) for _ in range(2)] == [False, False]


async def test_nothing_is_resumed_for_another_name(runtime, authority, server):
    context = httpx.SSLContext(authority.pem)
    assert not await resumed(runtime, server, context, name="a.test")
    assert not await resumed(runtime, server, context, name="b.test")
    assert await resumed(runtime, server, context, name="a.test")


async def test_nothing_is_resumed_at_another_port(runtime, authority, server, scripted, server_context):
    context = httpx.SSLContext(authority.pem)
    neighbour = scripted(keep_alive(lambda request: respond("ok")), ssl_context=server_context)
    assert not await resumed(runtime, server, context)
    assert not await resumed(runtime, neighbour, context)


CHANGES = {
    "trust": lambda context, files, authority: context.load_verify_locations(cafile=authority.pem),
    "system trust": lambda context, files, authority: context.load_default_certs(),
    "client certificate": lambda context, files, authority: context.load_cert_chain(files.combined),
    "ciphers": lambda context, files, authority: context.set_ciphers("ECDHE+AESGCM"),
    "flags": lambda context, files, authority: setattr(context, "verify_flags", context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN),
    "least version": lambda context, files, authority: setattr(context, "minimum_version", ssl.TLSVersion.TLSv1_2),
    "options": lambda context, files, authority: setattr(context, "options", context.options | ssl.OP_NO_COMPRESSION),
    "names": lambda context, files, authority: setattr(context, "check_hostname", True),
    "offer": lambda context, files, authority: context.set_alpn_protocols(["http/1.1"]),
}


@pytest.mark.parametrize("change", list(CHANGES))
async def test_a_context_that_was_changed_verifies_anew(runtime, authority, server, change):
    context = httpx.SSLContext(authority.pem)
    assert [await resumed(runtime, server, context) for _ in range(2)] == [False, True]
    CHANGES[change](context, authority.client(), authority)
    assert [await resumed(runtime, server, context) for _ in range(2)] == [False, True]


async def test_what_was_not_verified_is_not_resumed_once_it_must_be(runtime, stranger, scripted):
    server = scripted(lambda conn: conn.send(respond(conn.read_request().path)), ssl_context=stranger.server())
    context = httpx.SSLContext(verify=False)
    assert [await resumed(runtime, server, context) for _ in range(2)] == [False, True]
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    with pytest.raises(httpx.CertificateVerifyError):
        await resumed(runtime, server, context)


async def test_a_connection_made_before_a_change_leaves_no_session_for_after_it(runtime, authority, app_server, server_context):
    server = app_server(ssl_context=server_context)
    context = httpx.SSLContext(authority.pem)
    async with runtime.client(ssl_context=context) as client:
        async with client.stream("GET", server.url + "/stream/3") as response:
            context.load_verify_locations(cafile=authority.pem)
            await response.aread()
        async with client.stream("GET", server.url + "/bytes/3000000"):
            assert not (await client.get(server.url)).tls.resumed


async def test_a_server_that_refuses_to_resume_is_verified_anew(runtime, authority, scripted, server_context):
    def serve(conn):
        conn.send(respond(conn.read_request().path))

    context = httpx.SSLContext(authority.pem)
    first = scripted(serve, ssl_context=server_context)
    assert not await resumed(runtime, first, context)
    key = next(iter(context._sessions._by_key))
    other = scripted(serve, ssl_context=authority.server())
    other_key = key._replace(port=other.port)
    refused = context._sessions.take(key)
    context._sessions.put(other_key, refused)
    assert not await resumed(runtime, other, context)
    assert refused not in context._sessions._by_key[other_key].sessions, "it is not offered again"


def test_a_session_is_for_one_offer_only(authority, server_context):
    assert Key("a", 443, HTTP_1_1) != Key("a", 443, HTTP_2_OR_1_1)


def _session(*, began=0.0, received=0.0, is_ticket=True):
    """One that is so many seconds old."""
    now = sessions_module.time.monotonic()
    return Session(object(), (), now - began, now - received, is_ticket)


def test_sessions_are_bounded():
    kept = Sessions()
    for number in range(sessions_module.MAX_SERVERS + 10):
        for _ in range(sessions_module.MAX_EACH + 3):
            kept.put(Key(f"host-{number}", 443, HTTP_1_1), _session())
    assert len(kept._by_key) == sessions_module.MAX_SERVERS
    assert all(len(each.sessions) == sessions_module.MAX_EACH for each in kept._by_key.values())
    assert kept.take(Key("host-0", 443, HTTP_1_1)) is None


NEW, OLD = 0, sessions_module.REUSE + 1
KEY = Key("a", 443, HTTP_1_1)


def test_a_ticket_of_tls_13_is_used_again_for_some_seconds_and_once_after_that():
    kept = Sessions()
    new, old = _session(received=NEW), _session(received=OLD)
    kept.put(KEY, old)
    assert [kept.take(KEY), kept.take(KEY)] == [old, None]
    kept.put(KEY, new)
    assert [kept.take(KEY), kept.take(KEY)] == [new, new]


def test_a_session_of_tls_12_is_used_again_for_a_day():
    kept = Sessions()
    session, outdated = _session(received=OLD, is_ticket=False), _session(began=sessions_module.MAX_AGE + 1, is_ticket=False)
    kept.put(KEY, session)
    kept.put(KEY, outdated)
    assert [kept.take(KEY), kept.take(KEY)] == [session, session]


def test_a_server_that_takes_each_ticket_once_gets_each_once():
    kept = Sessions()
    kept.put(KEY, _session())
    for _ in range(sessions_module.MAX_EACH):
        kept.put(KEY, _session())
    assert kept.has_enough(KEY)
    kept.refuse(KEY, kept.take(KEY))
    last = _session()
    kept.put(KEY, last)
    assert not kept.has_enough(KEY)
    assert kept.take(KEY) is last
    assert kept.take(KEY) is not last


@pytest.mark.parametrize(("received", "is_enough"), [(NEW, True), (OLD, False)])
def test_there_are_enough_sessions_when_there_are_several_and_the_last_is_new(received, is_enough):
    kept = Sessions()
    for _ in range(sessions_module.MAX_EACH):
        assert not kept.has_enough(KEY)
        kept.put(KEY, _session(received=received))
    assert kept.has_enough(KEY) == is_enough


async def test_connections_that_follow_each_other_closely_resume_although_not_each_session_is_read(runtime, authority, server):
    context = httpx.SSLContext(authority.pem)
    assert [await resumed(runtime, server, context) for _ in range(sessions_module.MAX_EACH + 3)][1:] == [True] * (
        sessions_module.MAX_EACH + 2
    )
    (kept,) = context._sessions._by_key.values()
    assert len(kept.sessions) == sessions_module.MAX_EACH
