"""A local badssl.com: every server is accepted or refused as OpenSSL itself does, on every runtime, and refusals are explained."""

from __future__ import annotations

import pickle
import re
import ssl

import pytest

import httpx
from tests.support.runtimes import RUNTIMES
from tests.support.servers import keep_alive, respond
from tests.tls.badssl.catalogue import BAD, GOOD, SITES, World, client_context, identity_file, trusted_by

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("badssl"))


@pytest.fixture
def visit(world, scripted, local_hosts):
    """`visit(site)`: the site runs; its URL, and a context that trusts the right root."""

    def start(site):
        server = site.make(world)
        if isinstance(server, ssl.SSLContext):
            running = scripted(keep_alive(lambda request: respond("ok")), ssl_context=server)
        else:
            running = scripted(lambda conn: server(conn.socket))
        local_hosts.add(site.host.rstrip("."), {443: running.port})
        context = client_context(site, world)
        if site.strict:
            context.verify_flags |= ssl.VERIFY_X509_STRICT
        url = f"https://{site.host}/" if site.host != "127.0.0.1" else f"https://127.0.0.1:{running.port}/"
        return url, context, running

    return start


@pytest.mark.parametrize("name", [site.name for site in GOOD])
async def test_a_good_server_is_accepted(runtime, visit, name):
    url, context, _ = visit(SITES[name])
    async with runtime.client(ssl_context=context) as client:
        assert (await client.get(url)).text == "ok"


@pytest.mark.parametrize("name", [site.name for site in BAD])
async def test_a_bad_server_is_refused_and_the_refusal_explained(runtime, visit, name):
    site = SITES[name]
    url, context, running = visit(site)
    async with runtime.client(ssl_context=context) as client:
        with pytest.raises(httpx.TLSError) as caught:
            await client.get(url)
    error = caught.value
    assert error.report is not None
    assert error.report.cause == site.cause
    assert error.report.host == site.host
    explanation = f"{error.report.meaning} {error.report.remedy}"
    assert explanation in str(error)
    assert re.search(site.words, explanation), explanation
    assert "{" not in explanation.replace("={'sni", "")
    assert "None" not in explanation
    assert isinstance(error, httpx.CertificateVerifyError) == (error.report.verify_code is not None)
    if isinstance(error, httpx.CertificateVerifyError):
        assert str(error).startswith("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: ")
        assert error.report.chain, "the presented chain is there"
        assert "The server presented:" in error.__notes__[0]
        assert running.requests == [], "nothing was sent"
    assert pickle.loads(pickle.dumps(error)).report == error.report


@pytest.mark.parametrize("name", [name for name, site in SITES.items() if not site.strict])
def test_the_verdict_is_that_of_openssl(world, meet, name):
    site = SITES[name]
    server = site.make(world)
    ours = client_context(site, world)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    theirs.load_verify_locations(cadata=trusted_by(site, world).decode())
    theirs.verify_flags = ours.verify_flags
    theirs.hostname_checks_common_name = False
    if site.cert is not None:
        theirs.load_cert_chain(identity_file(site, world))
    outcomes = [meet(server, context, site.host.rstrip(".")).error for context in (theirs, ours)]
    assert [error is None for error in outcomes] == [site.cause is None] * 2
    if site.cause != "hung-up":  # where a reset may overtake the end
        assert len({(type(error), getattr(error, "reason", None), getattr(error, "verify_code", None)) for error in outcomes}) == 1


ALIKE = (
    "expired",
    "wrong-host",
    "client-certificate-tls13",
    "expired-client-tls13",
    "hangs-up",
    "resets",
    "ssh",
    "tls11-only",
)


@pytest.mark.parametrize("name", ALIKE)
def test_the_words_are_the_same_on_every_runtime(visit, name):
    url, context, _ = visit(SITES[name])
    told = set()
    for runtime in RUNTIMES.values():

        async def ask(runtime=runtime):
            async with runtime.client(ssl_context=context) as client:
                await client.get(url)

        with pytest.raises(httpx.TLSError) as caught:
            runtime.run(ask)
        told.add(re.sub(r" \(_ssl\.c:\d+\)", "", str(caught.value)))
    assert len(told) == 1, told


def test_the_sites_are_as_many_as_promised():
    assert len(SITES) == len(GOOD) + len(BAD) >= 100
