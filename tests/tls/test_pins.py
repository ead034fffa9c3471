"""Pins and revocation lists: a certificate may be valid and still be refused."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import httpx
from tests.support.issuing import Issuer

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
    import ssl

    context = httpx.SSLContext(root.pem, pins={"localhost": [OTHER]})
    assert "pins" in str(meet(identity.server_context(), context).error)
    context.sslsocket_class = ssl.SSLSocket
    with pytest.raises(ValueError, match="do not exchange them"):
        meet(identity.server_context(), context)


@pytest.mark.parametrize("form", ["path", "bytes", "list"])
async def test_a_revoked_certificate_is_refused(runtime, app_server, root, middle, form, tmp_path):
    revoked, good = middle.issue("127.0.0.1"), middle.issue("127.0.0.1")
    crl = middle.crl(revoked)
    (tmp_path / "list.pem").write_bytes(crl)
    given = {"path": tmp_path / "list.pem", "bytes": crl, "list": [root.crl(), crl]}[form]
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
    with pytest.raises(OSError, match="crl="):
        httpx.SSLContext(crl=b"nothing")
