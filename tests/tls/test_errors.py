"""What is said of TLS failures: OpenSSL's words first, then what they mean and what to do. The causes are in badssl/."""

from __future__ import annotations

import re
import ssl
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import httpx
from httpx._network.failures import handshake_error, read_error
from httpx._tls import system
from httpx._tls.causes import BY_REASON, BY_VERIFY_CODE, CAUSES
from httpx._tls.diagnosis import diagnose
from tests.support.certificates import bare_server
from tests.support.issuing import Issuer

pytestmark = pytest.mark.usefixtures("no_leaks")

PAGE = Path(__file__).parents[2] / "docs" / "tls-errors.md"


@pytest.fixture
def trusting(authority):
    return httpx.SSLContext(verify=authority.pem)


def explain(meeting, context=None):
    assert meeting.error is not None
    report = diagnose(meeting.error, "localhost", 443, context)
    return f"{report.meaning} {report.remedy}"


def test_the_message_is_openssls_then_the_host_and_port_then_the_explanation(meet, authority, trusting):
    error = meet(authority.server(expired=True), trusting, through="bio").error
    told = handshake_error(error, "expired.test:443", trusting)
    assert type(told) is httpx.CertificateVerifyError
    assert str(told).startswith(f"{error} (TLS handshake with expired.test:443). The server's certificate expired on 20")
    assert str(told).endswith(" (Documentation: TLS errors, certificate-expired.)")
    assert re.match(r"\[SSL: CERTIFICATE_VERIFY_FAILED\] certificate verify failed: certificate has expired \(_ssl\.c:\d+\)", str(told))
    assert [note.partition("\n")[0] for note in told.__notes__] == [
        "The server presented:",
        f"Trusted here: verify={str(authority.pem)!r}.",
    ]


def test_the_report_names_the_host_that_was_to_be_verified_and_the_presented_chain(meet, authority, trusting):
    error = meet(authority.intermediate().server("other.test"), trusting, through="bio").error
    report = handshake_error(error, "192.0.2.7:8443", trusting).report
    assert (report.host, report.port, report.cause, report.verify_code) == ("localhost", 8443, "wrong-name", 62)
    leaf, above = report.chain
    assert leaf.names == ("other.test",)
    assert leaf.may_be_issued_by(above)
    assert above.is_authority
    assert (leaf.is_authority, leaf.key) == (False, "P-256")
    assert report.as_dict()["chain"][0]["names"] == ["other.test"]


def test_every_cause_has_its_section_in_the_documentation():
    assert set(re.findall(r"^### (\S+)$", PAGE.read_text(), re.MULTILINE)) == set(CAUSES)


def test_every_code_and_reason_leads_to_a_cause():
    assert {*BY_VERIFY_CODE.values(), *(cause for _, cause in BY_REASON)} <= set(CAUSES)


def test_a_failure_of_the_strict_rules_alone_is_told_with_advice_that_helps(meet, authority):
    server = bare_server("localhost", issuer=authority)
    context = httpx.SSLContext(verify=authority.pem)
    assert bool(context.verify_flags & ssl.VERIFY_X509_STRICT) == (sys.version_info >= (3, 13))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    assert "context.verify_flags &= ~ssl.VERIFY_X509_STRICT" in explain(meet(server, context), context)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    assert meet(server, context).error is None


def test_the_explanation_says_what_was_trusted(meet, authority, stranger, trusting):
    meeting = meet(stranger.server(), trusting)
    assert f"verify={str(authority.pem)!r}" in explain(meeting, trusting)
    assert "certifi's bundle" in explain(meeting, httpx.SSLContext())
    assert "ssl.SSLContext in use" in explain(meeting, ssl.create_default_context())


def test_the_advice_keeps_what_is_trusted_already(meet, authority, stranger):
    error = meet(stranger.server(), httpx.SSLContext(authority.pem), through="bio").error
    assert f"verify=[{str(authority.pem)!r}, 'path/to/it.pem']" in diagnose(error, "a", 1, httpx.SSLContext(authority.pem)).remedy
    assert "verify=[True, 'path/to/it.pem']" in diagnose(error, "a", 1, httpx.SSLContext()).remedy
    assert "verify=[True, ..., 'path/to/it.pem']" in diagnose(error, "a", 1, httpx.SSLContext([True, authority.pem.read_bytes()])).remedy
    assert "context.load_verify_locations('path/to/it.pem')" in diagnose(error, "a", 1, ssl.create_default_context()).remedy


@pytest.mark.parametrize("trusted", ["intermediate", "server's own", "server's own in DER", "server's own in a file", "among others"])
@pytest.mark.parametrize("is_sent", [True, False])
def test_trusting_something_below_the_root_is_told_with_advice_that_helps(meet, stranger, tmp_path, trusted, is_sent):
    middle = Issuer("Middle", Issuer("Root"))
    server = middle.issue("localhost")
    (tmp_path / "it.pem").write_bytes(b"# the server's\r\n" + server.pem.replace(b"\n", b"\r\n"))
    verify = {
        "intermediate": middle.pem,
        "server's own": server.pem,
        "server's own in DER": ssl.PEM_cert_to_DER_cert(server.pem.decode()),
        "server's own in a file": tmp_path / "it.pem",
        "among others": [stranger.pem, tmp_path / "it.pem"],
    }[trusted]
    server_context = server.server_context(None if is_sent else [])
    context = httpx.SSLContext(verify)
    context.verify_flags &= ~ssl.VERIFY_X509_PARTIAL_CHAIN  # as before Python 3.13
    meeting = meet(server_context, context, through="bio")
    assert diagnose(meeting.error, "localhost", 443, context).cause == "not-a-root"
    assert "context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN" in explain(meeting, context)
    assert "Add the root certificate" in explain(meeting, context)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    assert meet(server_context, context).error is None


def _versions(least, most):
    def change(context):
        context.maximum_version, context.minimum_version = ssl.TLSVersion[most], ssl.TLSVersion[least]

    return change


def _forbid(*options):
    def change(context):
        for option in options:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.options |= option

    return change


def _without_ciphers(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        context.set_ciphers("misspelt")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_versions("TLSv1_3", "TLSv1_2"), "allows no version of TLS"),
        (_forbid(ssl.OP_NO_TLSv1_2, ssl.OP_NO_TLSv1_3), "allows no version of TLS"),
        (_without_ciphers, r"no cipher that goes with what it allows \(TLS 1\.2\)"),
    ],
)
@pytest.mark.parametrize("make", [httpx.SSLContext, lambda verify: ssl.create_default_context(cafile=verify)])
def test_a_context_that_has_nothing_to_offer_is_not_the_servers_fault(meet, authority, make, change, words):
    context = make(authority.pem)
    change(context)
    error = meet(authority.server(), context, through="bio").error
    assert diagnose(error, "localhost", 443, context).cause == "nothing-to-offer"
    assert re.search(words, diagnose(error, "localhost", 443, context).meaning)


@pytest.mark.parametrize(
    ("version", "change", "words"),
    [
        ("TLSv1_2", _versions("TLSv1_3", "TLSv1_3"), r"\(TLS 1\.3\).*context\.minimum_version = ssl\.TLSVersion\.TLSv1_2"),
        ("TLSv1_3", _versions("TLSv1_2", "TLSv1_2"), r"\(TLS 1\.2\).*context\.maximum_version = ssl\.TLSVersion\.TLSv1_3"),
        ("TLSv1_2", _forbid(ssl.OP_NO_TLSv1_2), r"\(TLS 1\.3\).*context\.options &= ~ssl\.OP_NO_TLSv1_2"),
        ("TLSv1_3", _forbid(ssl.OP_NO_TLSv1_3), r"\(TLS 1\.2\).*context\.options &= ~ssl\.OP_NO_TLSv1_3"),
    ],
)
def test_a_version_that_the_context_forbids_is_told_with_advice_that_helps(meet, authority, trusting, version, change, words):
    server = authority.server()
    server.minimum_version = server.maximum_version = ssl.TLSVersion[version]
    change(trusting)
    meeting = meet(server, trusting)
    assert re.search(words, explain(meeting, trusting))
    exec(re.search(r"context\.\w+ &?= \S+\w", explain(meeting, trusting))[0], {"context": trusting, "ssl": ssl})
    assert meet(server, trusting).error is None


def test_a_directory_in_which_nothing_is_found_is_named(meet, authority, tmp_path):
    (tmp_path / "ca.pem").write_bytes(authority.pem.read_bytes())
    context = httpx.SSLContext(verify=tmp_path)
    assert f"openssl rehash {tmp_path}" in explain(meet(authority.server(), context), context)
    well_kept = httpx.SSLContext(verify=authority.hashed_directory())
    assert "rehash" not in explain(meet(bare_server("localhost"), context), well_kept)


def test_an_authority_that_only_the_operating_system_trusts_is_told_as_such(meet, stranger, trusting, monkeypatch):
    der = ssl.PEM_cert_to_DER_cert(stranger.pem.read_text())
    monkeypatch.setattr(system, "_system_certificates", lambda: [der, b"nonsense"])
    system._authorities.cache_clear()
    try:
        for server in (stranger.server(), stranger.intermediate().server(), stranger.server(sends_root=True)):
            assert "This operating system trusts the authority" in explain(meet(server, trusting, through="bio"), trusting)
    finally:
        system._authorities.cache_clear()


@pytest.mark.parametrize("make", [httpx.SSLContext, lambda verify: ssl.create_default_context(cafile=verify)])
async def test_the_presented_chain_is_known_with_every_kind_of_context(runtime, authority, stranger, app_server, make):
    server = app_server(ssl_context=stranger.intermediate().server())
    async with runtime.client(ssl_context=make(verify=authority.pem)) as client:
        with pytest.raises(httpx.CertificateVerifyError) as caught:
            await client.get(server.url)
    assert len(caught.value.report.chain) == 2


def test_ten_thousand_names_are_cut(meet, trusting):
    # OpenSSL refuses a certificate of that size by itself; what it says is told.
    huge = Issuer("Root").issue(*(f"host-{number}.example.org" for number in range(10_000)))
    told = handshake_error(meet(huge.server_context(), trusting, through="bio").error, "localhost:443", trusting)
    assert len(str(told)) < 1_500
    many = Issuer("Root").issue(*(f"host-{number}.example.org" for number in range(2_000)))
    told = handshake_error(meet(many.server_context(), trusting, through="bio").error, "localhost:443", trusting)
    assert len(told.report.chain[0].names) == 2_000
    assert len("\n".join([str(told), *told.__notes__])) < 3_000


def test_names_cannot_drive_the_terminal(meet, trusting):
    hostile = Issuer("Root\x1b[2J\x9b31m\u202e").issue("localhost", common_name="a\nb\x07")
    told = handshake_error(meet(hostile.server_context(), trusting, through="bio").error, "localhost:443", trusting)
    text = "\n".join([str(told), *told.__notes__])
    assert text.replace("\n", "").isprintable()
    assert r"Root\x1b[2J\x9b31m\u202e" in text


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("cert", "words"),
    [
        (None, "wants a client certificate"),
        ("stranger", "does not trust the authority that issued it"),
        ("expired", "it says that it has expired"),
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
    told = (
        read_error(meeting.error, "localhost:443") if meeting.handshake_done else handshake_error(meeting.error, "localhost:443", trusting)
    )
    assert isinstance(told, httpx.TLSError)
    assert words in str(told)


def test_errors_that_python_code_raises_are_taken_as_they_come():
    # They lack the attributes that OpenSSL's have.
    context = httpx.SSLContext()
    cases = [
        (ssl.SSLError("odd"), "handshake-failed"),
        (ssl.SSLCertVerificationError("the operating system says no"), "not-verified"),
        (ValueError("odd"), "handshake-failed"),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol (_ssl.c:2580)"), "hung-up"),
        (ConnectionResetError(), "hung-up"),
    ]
    for error, cause in cases:
        told = handshake_error(error, "[::1]:443", context)
        assert told.report.cause == cause
        assert told.report.host == "::1"
        assert told.report.chain == ()
    assert str(told).startswith(
        "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (TLS handshake with [::1]:443). "
    )


def test_what_explains_failures_is_imported_by_failures_only():
    script = "import sys, httpx; assert not [name for name in sys.modules if name.startswith('httpx._tls.') and 'diagnosis' in name]"
    subprocess.run([sys.executable, "-c", script], check=True)
