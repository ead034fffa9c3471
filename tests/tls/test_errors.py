"""What is said of failed handshakes: OpenSSL's words first, then what they mean and what to do."""

from __future__ import annotations

import re
import ssl
import sys

import pytest

import httpx
from httpx._tls.errors import explain_handshake_failure, explain_tls_error
from tests.support.certificates import bare_server

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture
def trusting(authority):
    return httpx.SSLContext(verify=authority.pem)


def remedy(meeting, context=None):
    assert meeting.error is not None
    return explain_tls_error(meeting.error, context)


def test_the_message_is_openssls_followed_by_the_host_and_port(meet, authority, trusting):
    error = meet(authority.server(expired=True), trusting).error
    message, notes = explain_handshake_failure(error, "expired.test", 443, trusting)
    assert message == f"{error} (TLS handshake with expired.test:443)"
    assert re.match(r"\[SSL: CERTIFICATE_VERIFY_FAILED\] certificate verify failed: certificate has expired \(_ssl\.c:\d+\)", message)
    assert len(notes) == 1
    assert explain_handshake_failure(error, "expired.test", None, trusting)[0].endswith("(TLS handshake with expired.test)")


@pytest.mark.parametrize("through", ["socket", "bio"])
@pytest.mark.parametrize(
    ("server", "host", "words"),
    [
        (lambda good, bad: good.server(expired=True), "localhost", r"has expired.*clock \(it says 20"),
        (lambda good, bad: good.server(not_yet_valid=True), "localhost", "not valid yet"),
        (lambda good, bad: good.server("other.test"), "localhost", "for another host"),
        (lambda good, bad: good.server("other.test"), "127.0.0.1", "does not name this IP address"),
        (lambda good, bad: bad.server(), "localhost", "private authority"),
        (lambda good, bad: bad.server(sends_root=True), "localhost", "chain ends in a root certificate that is not trusted"),
        (lambda good, bad: good.intermediate().server(sends_chain=False), "localhost", "leaves out an intermediate certificate"),
        (lambda good, bad: bare_server("localhost"), "localhost", "self-signed"),
    ],
)
def test_a_certificate_that_is_refused_is_explained(meet, authority, stranger, trusting, server, host, words, through):
    meeting = meet(server(authority, stranger), trusting, host, through)
    assert not meeting.handshake_done
    assert re.search(words, remedy(meeting, trusting))


def test_the_common_name_stands_for_no_host(meet, tmp_path):
    server = bare_server(common_name="localhost", pem=tmp_path / "it.pem")
    context = httpx.SSLContext(verify=tmp_path / "it.pem")
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # it would refuse this certificate before it looks at names
    assert "for another host" in remedy(meet(server, context), context)


def test_a_failure_of_the_strict_rules_alone_is_told_as_such(meet, authority):
    server = bare_server("localhost", issuer=authority)
    context = httpx.SSLContext(verify=authority.pem)
    assert bool(context.verify_flags & ssl.VERIFY_X509_STRICT) == (sys.version_info >= (3, 13))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    assert "VERIFY_X509_STRICT" in remedy(meet(server, context), context)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    assert meet(server, context).error is None, "what the explanation advises helps"


def test_a_key_that_is_too_small_is_told_as_such(meet, tmp_path):
    server = bare_server("localhost", rsa_bits=1024, pem=tmp_path / "it.pem")
    context = httpx.SSLContext(verify=tmp_path / "it.pem")
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    assert "too small to be safe" in remedy(meet(server, context), context)


def test_the_explanation_says_what_was_trusted(meet, authority, stranger, trusting):
    error = meet(stranger.server(), trusting).error
    assert f"verify={str(authority.pem)!r}" in explain_tls_error(error, trusting)
    assert "certifi's bundle" in explain_tls_error(error, httpx.SSLContext())
    assert "ssl.SSLContext in use" in explain_tls_error(error, ssl.create_default_context())
    assert "verify=" in explain_tls_error(error)


def test_a_directory_in_which_nothing_is_found_is_named(meet, authority, tmp_path):
    (tmp_path / "ca.pem").write_bytes(authority.pem.read_bytes())
    context = httpx.SSLContext(verify=tmp_path)
    assert f"openssl rehash {tmp_path}" in remedy(meet(authority.server(), context), context)
    well_kept = httpx.SSLContext(verify=authority.hashed_directory())
    assert "rehash" not in explain_tls_error(meet(bare_server("localhost"), context).error, well_kept)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("cert", "words"),
    [
        (None, "wants a client certificate"),
        ("stranger", "does not trust the authority that issued our client certificate"),
        ("expired", "our client certificate has expired"),
    ],
)
def test_a_server_that_refuses_us_is_explained_whenever_it_does_so(meet, authority, stranger, trusting, version, cert, words):
    server = authority.server(demands_client=True)
    server.maximum_version = version
    if cert == "stranger":
        trusting.load_cert_chain(stranger.client().combined)
    elif cert == "expired":
        trusting.load_cert_chain(authority.client("expired", expired=True).combined)
    meeting = meet(server, trusting)
    assert meeting.handshake_done == (version == ssl.TLSVersion.TLSv1_3), "TLS 1.3 tells it with the first read"
    assert words in remedy(meeting, trusting)


def hello_then(reply):
    def serve(connection):
        connection.recv(65536)
        if reply:
            connection.sendall(reply)

    return serve


def alert(description):
    return hello_then(bytes([21, 3, 3, 0, 2, 2, description]))  # RFC 8446 section 6


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (hello_then(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "did not answer in TLS"),
        (hello_then(b"SSH-2.0-OpenSSH_9.9\r\n"), "did not answer in TLS"),
        (hello_then(b""), "hung up"),
        (hello_then(bytes([21, 3, 3, 0, 2, 1, 0])), "hung up"),  # close_notify
        (alert(40), "no cipher or signature in common"),
        (alert(42), "refused our client certificate"),
        (alert(43), "cannot use our client certificate"),
        (alert(44), "was revoked"),
        (alert(46), "does not accept our client certificate"),
        (alert(48), "does not trust the authority"),
        (alert(49), "does not let it in"),
        (alert(70), "TLS versions"),
        (alert(71), "stronger ciphers"),
        (alert(80), "failed by its own account"),
        (alert(112), "no site of this name"),
        (alert(116), "wants a client certificate"),
        (alert(120), "ALPN"),
    ],
)
def test_a_handshake_that_the_server_breaks_off_is_explained(meet, trusting, server, words):
    meeting = meet(server, trusting)
    assert not meeting.handshake_done
    assert words in remedy(meeting, trusting)


def test_versions_and_ciphers_without_anything_in_common_are_explained(meet, authority, trusting):
    old = authority.server()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    trusting.minimum_version = ssl.TLSVersion.TLSv1_3
    assert "TLS versions" in remedy(meet(old, trusting))
    other = authority.server()
    other.maximum_version = ssl.TLSVersion.TLSv1_2
    other.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    trusting = httpx.SSLContext(authority.pem)
    trusting.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    assert "no cipher" in remedy(meet(other, trusting))


def test_errors_that_python_code_raises_are_taken_as_they_come():
    # They lack the attributes that OpenSSL's have.
    context = httpx.SSLContext()
    assert explain_tls_error(ssl.SSLError("odd")) is None
    assert explain_tls_error(ssl.SSLCertVerificationError("the operating system says no")) is None
    assert explain_tls_error(ValueError("odd")) is None
    assert explain_handshake_failure(ssl.SSLError(1, "odd"), "host", 443, context) == ("odd (TLS handshake with host:443)", [])
    message, notes = explain_handshake_failure(ConnectionResetError(), "host", 443, context)
    assert message == "the server closed the connection (TLS handshake with host:443)"
    assert "hung up" in notes[0]
