"""Pins and revocation lists: a certificate may be valid and still be refused."""

from __future__ import annotations

import base64
import hashlib
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import httpx
from tests.support.issuing import Identity, Issuer

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture(scope="module")
def root():
    return Issuer("Root")


@pytest.fixture(scope="module")
def middle(root):
    return Issuer("Middle", root)


@pytest.fixture(scope="module")
def identity(middle):
    return middle.issue("localhost", "127.0.0.1")


def pin_of(key):
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "sha256/" + base64.b64encode(hashlib.sha256(spki).digest()).decode()


OTHER = "sha256/" + base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize("which", ["leaf", "intermediate", "root"])
async def test_a_pinned_key_anywhere_in_the_verified_chain_will_do(runtime, app_server, root, middle, identity, which):
    key = {"leaf": identity.key, "intermediate": middle.key, "root": root.key}[which]
    server = app_server(ssl_context=identity.server_context())
    context = httpx.SSLContext(root.pem, pins={"127.0.0.1": [OTHER, pin_of(key)]})
    for _ in range(2):  # the second connection resumes
        async with runtime.client(ssl_context=context) as client:
            response = await client.get(server.url)
            assert response.tls.peer_certificate.key_pin == pin_of(identity.key)
    assert response.tls.resumed


async def test_another_key_is_refused_before_anything_is_sent(runtime, app_server, root, identity):
    server = app_server(ssl_context=identity.server_context())
    context = httpx.SSLContext(root.pem, pins={"127.0.0.1": [OTHER]})
    async with runtime.client(ssl_context=context) as client:
        for _ in range(2):
            with pytest.raises(httpx.CertificateVerifyError, match="is one of its pins") as caught:
                await client.get(server.url)
    report = caught.value.report
    assert report.cause == "pin-mismatch"
    assert pin_of(identity.key) in report.meaning
    assert len(report.chain) == 3
    assert server.requests == []


async def test_hosts_without_pins_are_not_concerned(runtime, app_server, root, identity):
    server = app_server(ssl_context=identity.server_context())
    context = httpx.SSLContext(root.pem, pins={"LOCALHOST.": [OTHER]})
    async with runtime.client(ssl_context=context) as client:
        assert (await client.get(server.url)).status_code == 200
        with pytest.raises(httpx.CertificateVerifyError):
            await client.get(server.url.replace("127.0.0.1", "localhost"))


def test_pins_are_checked_when_they_are_given():
    for pins, error, words in [
        ({"a": OTHER}, TypeError, "list of pins"),
        ([OTHER], TypeError, "maps hosts"),
        # They would never be looked at.
        ({"https://a": [OTHER]}, ValueError, "which is no host"),
        ({"a:443": [OTHER]}, ValueError, "which is no host"),
        ({"*.a": [OTHER]}, ValueError, "which is no host"),
        ({"a/": [OTHER]}, ValueError, "which is no host"),
        ({"": [OTHER]}, ValueError, "which is no host"),
        ({"a": []}, ValueError, "names no pin"),
        ({"a": ["sha1/AAAA"]}, ValueError, "A pin is"),
        ({"a": ["sha256/AAAA"]}, ValueError, "A pin is"),
        ({"a": ["sha256/?"]}, ValueError, "A pin is"),
        ({"a": [b"x"]}, ValueError, "A pin is"),
    ]:
        with pytest.raises(error, match=words):
            httpx.SSLContext(pins=pins)
    with pytest.raises(ValueError, match="verify=False"):
        httpx.SSLContext(verify=False, pins={"a": [OTHER]})


def test_pins_that_could_not_be_checked_are_refused(root, meet, identity):

    context = httpx.SSLContext(root.pem, pins={"localhost": [OTHER]})
    assert "pins" in str(meet(identity.server_context(), context).error)
    context.sslsocket_class = ssl.SSLSocket
    with pytest.raises(ValueError, match="do not exchange them"):
        meet(identity.server_context(), context)


def test_hosts_may_be_written_as_in_urls(meet, root, local_hosts):
    for pinned, host in [("BÜCHER.test.", "xn--bcher-kva.test"), ("[::1]", "::1"), ("::1", "::1"), ("127.0.0.1", "127.0.0.1")]:
        context = httpx.SSLContext(root.pem, pins={pinned: [OTHER]})
        assert "pins" in str(meet(root.issue(host).server_context(), context, host).error)


@pytest.mark.parametrize("form", ["path", "bytes", "list", "DER"])
async def test_a_revoked_certificate_is_refused(runtime, app_server, root, middle, form, tmp_path):
    revoked, good = middle.issue("127.0.0.1"), middle.issue("127.0.0.1")
    crl = middle.crl(revoked)
    (tmp_path / "list.pem").write_bytes(crl)
    given = {"path": tmp_path / "list.pem", "bytes": crl, "list": [root.crl(), crl]}.get(
        form, x509.load_pem_x509_crl(crl).public_bytes(Encoding.DER)
    )
    context = httpx.SSLContext(root.pem, crl=given)
    async with runtime.client(ssl_context=context) as client:
        assert (await client.get(app_server(ssl_context=good.server_context()).url)).status_code == 200
        with pytest.raises(httpx.CertificateVerifyError, match="certificate revoked") as caught:
            await client.get(app_server(ssl_context=revoked.server_context()).url)
    assert caught.value.report.cause == "revoked"


async def test_without_a_current_list_of_the_authority_nothing_is_accepted(runtime, app_server, root, middle):
    server = app_server(ssl_context=middle.issue("127.0.0.1").server_context())
    for crl in (root.crl(), middle.crl(days=(-30, -1))):
        async with runtime.client(ssl_context=httpx.SSLContext(root.pem, crl=crl)) as client:
            with pytest.raises(httpx.CertificateVerifyError) as caught:
                await client.get(server.url)
        assert caught.value.report.cause == "no-revocation-list"
        assert "CN=" in caught.value.report.meaning


async def test_revocation_is_off_unless_a_list_is_given(runtime, app_server, root, middle):
    server = app_server(ssl_context=middle.issue("127.0.0.1").server_context())
    async with runtime.client(ssl_context=httpx.SSLContext(root.pem)) as client:
        assert (await client.get(server.url)).status_code == 200


def test_a_list_that_is_none_is_reported(root, tmp_path):
    with pytest.raises(FileNotFoundError, match="crl="):
        httpx.SSLContext(crl=tmp_path / "missing.pem")
    with pytest.raises(IsADirectoryError, match="crl= names a directory"):
        httpx.SSLContext(crl=tmp_path)
    for crl, error, words in [
        (b"nothing", OSError, "crl= holds no revocation list"),
        (b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", OSError, "crl= holds a revocation list that is damaged"),
        ([], ValueError, "crl= is an empty list"),
        (True, TypeError, "crl= is a path"),
    ]:
        with pytest.raises(error, match=words):
            httpx.SSLContext(crl=crl)
    with pytest.raises(ValueError, match="verify=False"):
        httpx.SSLContext(verify=False, crl=b"x")


def test_what_else_is_in_a_file_of_revocation_lists_is_not_trusted(meet, root, middle):
    stranger = Issuer("Stranger")
    context = httpx.SSLContext(root.pem, crl=stranger.pem + middle.crl())
    assert len(context.get_ca_certs()) == 1
    assert meet(stranger.issue("localhost").server_context(), context).error.verify_code in (3, 20)
    with pytest.raises(OSError, match="holds no revocation list"):
        httpx.SSLContext(root.pem, crl=stranger.pem)


def test_intermediate_certificates_are_checked_if_the_context_says_so(meet, root, middle):
    # Then there must be a list of every authority in the chain.
    server = middle.issue("localhost").server_context()
    lists = [middle.crl(), root.crl(Identity(middle.certificate, None))]
    context = httpx.SSLContext(root.pem, crl=lists)
    assert meet(server, context).error is None
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    assert meet(server, context).error.verify_code == 23
