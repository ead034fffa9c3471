"""`httpx.inspect_tls()`: one connection, and all that is to be known of it; nothing that is wrong with TLS is raised."""

from __future__ import annotations

import json
import socket
import ssl

import pytest

import httpx
from tests.support.servers import keep_alive, respond
from tests.tls.badssl.catalogue import BAD, SITES, World, client_context

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("inspect"))


@pytest.fixture
def inspect(runtime, scripted, world):
    """`await inspect(name_of_site)`: its report, by the function that belongs to the runtime."""

    async def run(name, **settings):
        site = SITES[name]
        server = site.make(world)
        if isinstance(server, ssl.SSLContext):
            running = scripted(keep_alive(lambda request: respond("ok")), ssl_context=server)
        else:
            running = scripted(lambda conn: server(conn.socket))
        settings = {"ssl_context": client_context(site, world), "server_name": site.host, **settings}
        if not runtime.is_async:
            return httpx.inspect_tls("127.0.0.1", running.port, **settings)
        return await httpx.ainspect_tls("127.0.0.1", running.port, **settings)

    return run


async def test_a_good_server(inspect):
    report = await inspect("two-intermediates")
    assert report.is_ok
    assert (report.cause, report.remedy) == (None, None)
    assert report.host == "www.badssl.test"
    assert [certificate.subject.partition(",")[0] for certificate in report.chain] == ["", "CN=Lower", "CN=Upper", "CN=Root"]
    assert report.days_left in (29, 30)
    assert report.tls.version == "TLSv1.3"
    assert [check.name for check in report.checks] == ["handshake", "dates", "chain", "name", "protocol", "session"]
    assert all(check.is_right for check in report.checks)


@pytest.mark.parametrize("name", [site.name for site in BAD if not site.strict])
def test_what_is_wrong_is_in_the_report(name, scripted, world):
    site = SITES[name]
    server = site.make(world)
    script = (lambda conn: server(conn.socket)) if not isinstance(server, ssl.SSLContext) else lambda conn: conn.wait_closed()
    running = scripted(script, **({"ssl_context": server} if isinstance(server, ssl.SSLContext) else {}))
    context = client_context(site, world)
    report = httpx.inspect_tls("127.0.0.1", running.port, ssl_context=context, server_name=site.host)
    assert report.cause == site.cause
    assert not report.is_ok
    assert any(check.is_right is False for check in report.checks)
    assert report.meaning in report.render()
    assert report.remedy in report.render()
    assert json.loads(json.dumps(report.as_dict()))["cause"] == site.cause


async def test_the_checks_of_a_bad_server_tell_which_one_failed(inspect):
    def failed(report):
        return [check.name for check in report.checks if check.is_right is False]

    assert failed(await inspect("expired")) == ["dates", "chain"]
    assert failed(await inspect("wrong-host")) == ["name"]
    assert failed(await inspect("unknown-authority")) == ["chain"]
    assert failed(await inspect("plain-http")) == ["handshake"]
    expired = await inspect("expired")
    assert expired.days_left < 0
    assert "expired 3 days ago" in expired.render()
    assert "3 days ago" in expired.meaning


async def test_it_can_be_read_in_any_terminal(inspect):
    report = await inspect("expired")
    text = report.render()
    assert text.startswith("www.badssl.test:")
    assert "✗ dates" in text
    assert "└─ issued by CN=Root, O=Tests" in text
    plain = report.render(plain=True)
    assert plain.isascii()
    assert "FAILED dates" in plain
    assert "`- issued by CN=Root" in plain
    good = (await inspect("plain")).render()
    assert "nothing is wrong" in good
    assert "✓ handshake  TLSv1.3, TLS_" in good


async def test_a_server_that_is_not_verified_is_reported_as_such(inspect):
    report = await inspect("expired", ssl_context=httpx.SSLContext(verify=False))
    assert "not verified" in report.render()
    assert {check.name: check.is_right for check in report.checks} == {
        "handshake": True,
        "dates": False,
        "chain": None,
        "name": None,
        "protocol": True,
        "session": True,
    }


@pytest.mark.parametrize("name", ["client-certificate-tls13", "expired-client-tls13"])
async def test_a_refusal_that_comes_after_the_handshake_is_waited_for(inspect, name):
    assert (await inspect(name)).cause == SITES[name].cause


async def test_a_server_that_sends_no_tickets_is_not_waited_for_long(inspect, world, runtime, scripted):
    context = world.root.issue("127.0.0.1").server_context()
    context.num_tickets = 0
    running = scripted(lambda conn: conn.wait_closed(), ssl_context=context)
    settings = {"ssl_context": httpx.SSLContext(verify=world.root.pem)}
    report = (
        await httpx.ainspect_tls("127.0.0.1", running.port, **settings)
        if runtime.is_async
        else httpx.inspect_tls("127.0.0.1", running.port, **settings)
    )
    assert report.is_ok
    assert report.resumable is False
    assert "· session    no resumption" in report.render()


@pytest.mark.parametrize(
    ("version", "options", "expected"), [("TLSv1_2", 0, True), ("TLSv1_2", ssl.OP_NO_TICKET, True), ("TLSv1_3", 0, True)]
)
def test_whether_sessions_can_be_resumed_is_told(scripted, world, version, options, expected):
    context = world.root.issue("127.0.0.1").server_context()
    context.maximum_version = ssl.TLSVersion[version]
    context.options |= options
    running = scripted(keep_alive(lambda request: respond("ok")), ssl_context=context)
    report = httpx.inspect_tls("127.0.0.1", running.port, ssl_context=httpx.SSLContext(verify=world.root.pem))
    assert report.resumable is expected
    assert report.as_dict()["resumable"] is expected
    assert "✓ session    resumption offered" in report.render()


async def test_the_default_is_certifis_bundle(inspect):
    report = await inspect("plain", ssl_context=None)
    assert report.cause == "unknown-authority"
    assert report.trusted == "certifi's bundle, verify=True"


async def test_without_a_connection_there_is_no_report(runtime):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(httpx.ConnectError, match="refused"):
        await httpx.ainspect_tls("127.0.0.1", port) if runtime.is_async else httpx.inspect_tls("127.0.0.1", port)
