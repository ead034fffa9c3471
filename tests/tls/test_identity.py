"""Client certificates: every form is presented to servers that ask, and nothing unusable gets past the constructor."""

from __future__ import annotations

import os
import pickle
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

import httpx
from httpx._tls.memory import as_file
from tests.support.certificates import PASSWORD
from tests.support.issuing import Issuer

pytestmark = pytest.mark.usefixtures("no_leaks")

SUBJECT = ("commonName", "client")


@pytest.fixture(scope="module")
def files(authority):
    return authority.client()


@pytest.fixture(scope="module")
def others(authority):
    return authority.client("other")


@pytest.mark.parametrize("through", ["socket", "bio"])
@pytest.mark.parametrize("form", ["path", "pair", "pair without a key", "triple", "bytes", "callable", "later"])
def test_the_certificate_is_presented(meet, authority, files, form, through):
    cert = {
        "path": files.combined,
        "pair": (str(files.certificate), files.key),
        "pair without a key": (files.combined, None),
        "triple": (files.certificate, files.encrypted_key, PASSWORD),
        "bytes": (files.certificate, files.encrypted_key, PASSWORD.encode()),
        "callable": (files.certificate, files.encrypted_key, lambda: PASSWORD),
        "later": None,
    }[form]
    context = httpx.SSLContext(authority.pem, cert)
    if form == "later":
        context.load_cert_chain(files.certificate, files.encrypted_key, PASSWORD)
    meeting = meet(authority.server(demands_client=True), context, through=through)
    assert meeting.error is None
    assert SUBJECT in [pair for part in meeting.client_subject for pair in part]


@pytest.mark.parametrize("form", ["combined", "pair", "mixed", "encrypted", "PKCS #12", "PKCS #12 file"])
def test_the_certificate_may_be_in_memory(meet, authority, files, form, tmp_path, monkeypatch):
    certificate, key = files.certificate.read_bytes(), files.key.read_bytes()
    archive = _pkcs12(certificate, key)
    (tmp_path / "client.p12").write_bytes(archive)
    cert = {
        "combined": files.combined.read_bytes(),
        "pair": (certificate, key),
        "mixed": (files.certificate, bytearray(key)),
        "encrypted": (certificate, files.encrypted_key.read_bytes(), lambda: PASSWORD),
        "PKCS #12": (archive, None, PASSWORD),
        "PKCS #12 file": (tmp_path / "client.p12", None, lambda: PASSWORD.encode()),
    }[form]
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "disk"))
    monkeypatch.setattr(tempfile, "mkstemp", lambda *args, **kwargs: pytest.fail("a key was written to a disk"))
    context = httpx.SSLContext(authority.pem, cert)
    meeting = meet(authority.server(demands_client=True), context)
    assert meeting.error is None
    assert SUBJECT in [pair for part in meeting.client_subject for pair in part]
    assert b"PRIVATE" not in repr(context).encode()
    assert list((tmp_path / "disk").iterdir()) == []


def _pkcs12(certificate, key, password=PASSWORD):
    return pkcs12.serialize_key_and_certificates(
        b"client",
        serialization.load_pem_private_key(key, None),
        x509.load_pem_x509_certificate(certificate),
        None,
        serialization.NoEncryption() if password is None else serialization.BestAvailableEncryption(password.encode()),
    )


def test_what_is_wrong_with_data_in_memory_is_told_without_showing_it(files, others):
    certificate, key, encrypted = (path.read_bytes() for path in (files.certificate, files.key, files.encrypted_key))
    archive = _pkcs12(certificate, key)
    cases = [
        (certificate, f"<{len(certificate)} bytes> holds no private key"),
        ((certificate, others.key.read_bytes()), "does not belong to the certificate"),
        ((certificate, encrypted), "is encrypted: pass its password"),
        ((key, certificate), "wrong way round"),
        (b"nothing", "holds no certificate in PEM form"),
        (archive, r"could not be opened as PKCS #12: pass its password"),
        ((archive, None, "wrong"), "the password is wrong"),
    ]
    for cert, words in cases:
        with pytest.raises(ssl.SSLError, match=words) as caught:
            httpx.SSLContext(cert=cert)
        assert "PRIVATE KEY-----\n" not in str(caught.value)
        assert "wrong" not in str(caught.value).replace("the password is wrong", "").replace("wrong way round", "")


def test_without_the_cryptography_package_pkcs12_says_what_to_install(files, monkeypatch):
    archive = _pkcs12(files.certificate.read_bytes(), files.key.read_bytes())
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.serialization.pkcs12", None)
    with pytest.raises(ImportError, match=r"pip install httpx\[pkcs12\]"):
        httpx.SSLContext(cert=(archive, None, PASSWORD))


@pytest.mark.parametrize("size", [10, 300_000])
@pytest.mark.parametrize("way", ["memory", "pipe", "disk"])
def test_data_becomes_a_file_for_as_long_as_it_is_needed(monkeypatch, way, size):
    if way != "memory":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    if way == "disk":
        monkeypatch.setattr(os.path, "isdir", lambda path: False)
    data = os.urandom(size)
    with as_file(data) as path:
        assert Path(path).read_bytes() == data
        if way == "disk":
            assert os.stat(path).st_mode & 0o077 == 0
    assert not os.path.exists(path)


def test_what_is_wrong_with_a_key_is_told_apart(files, others):
    cases = [
        ((files.certificate, others.key), "does not belong to the certificate"),
        ((files.certificate, others.encrypted_key, PASSWORD), "does not belong to the certificate"),
        ((files.certificate, files.encrypted_key), "is encrypted: pass its password"),
        ((files.certificate, files.encrypted_key, "wrong"), "password does not open"),
        ((files.certificate, files.encrypted_key, ""), "password does not open"),
        ((files.certificate, files.encrypted_key, "x" * 5000), "password does not open"),
        ((files.key, files.certificate), "wrong way round"),
        (files.certificate, "holds no private key: give the key's file too"),
        (files.key, "holds a private key, and no certificate"),
        ((files.certificate, files.certificate), "holds no private key in PEM form"),
    ]
    for cert, words in cases:
        with pytest.raises(ssl.SSLError, match=words) as caught:
            httpx.SSLContext(cert=cert)
        assert str(files.certificate.parent) in str(caught.value), "the file is named"
        with pytest.raises(ssl.SSLError, match=words):
            httpx.SSLContext().load_cert_chain(*(cert if isinstance(cert, tuple) else (cert,)))


def test_what_openssl_said_stays_with_the_error(files, others):
    with pytest.raises(ssl.SSLError) as caught:
        httpx.SSLContext(cert=(files.certificate, others.key))
    assert caught.value.reason == caught.value.__cause__.reason == "KEY_VALUES_MISMATCH"
    assert caught.value.library == "X509"


def test_a_key_that_is_taken_for_a_path_is_not_shown(files):
    certificate, key = files.certificate.read_text(), files.key.read_text()
    attempts = [
        lambda: httpx.SSLContext(cert=key + certificate),
        lambda: httpx.SSLContext(cert=(certificate, key)),
        lambda: httpx.SSLContext(cert=(files.certificate, key)),
        lambda: httpx.SSLContext().load_cert_chain(files.certificate, key),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match="the content as str") as caught:
            attempt()
        assert "PRIVATE" not in str(caught.value)


def test_a_list_is_taken_as_a_tuple_is(meet, authority, files):
    for cert in (
        [str(files.certificate), str(files.key)],
        [files.certificate, files.encrypted_key, PASSWORD],
        [files.combined],
        (files.combined,),
    ):
        meeting = meet(authority.server(demands_client=True), httpx.SSLContext(authority.pem, cert))
        assert meeting.error is None
        assert SUBJECT in [pair for part in meeting.client_subject for pair in part]
    assert pickle.loads(pickle.dumps(httpx.SSLContext(authority.pem, [str(files.certificate), str(files.key)])))
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(httpx.SSLContext(authority.pem, [files.certificate, files.encrypted_key, PASSWORD]))


@pytest.mark.parametrize(
    ("cert", "words"), [((), "a pair"), (["a"] * 4, "a pair"), (5, "not int"), ({"cert": "a"}, "not dict"), ([["a"]], "not list")]
)
def test_what_is_no_certificate_is_told_apart(cert, words):
    with pytest.raises(TypeError, match=words):
        httpx.SSLContext(cert=cert)


def test_the_password_of_an_archive_is_asked_for_when_it_is_needed(files):
    asked = []

    def password():
        asked.append(1)
        return PASSWORD

    certificate, key = files.certificate.read_bytes(), files.key.read_bytes()
    httpx.SSLContext(cert=(_pkcs12(certificate, key, None), None, password))
    assert asked == []
    httpx.SSLContext(cert=(_pkcs12(certificate, key), None, password))
    assert asked == [1]


@pytest.mark.parametrize("is_in_memory", [False, True])
def test_an_archive_beside_another_file_is_told_to_be_passed_alone(tmp_path, files, is_in_memory):
    archive = _pkcs12(files.certificate.read_bytes(), files.key.read_bytes())
    (tmp_path / "it.p12").write_bytes(archive)
    given = archive if is_in_memory else tmp_path / "it.p12"
    for cert in ((given, files.key), (files.certificate, given), (given, files.key, PASSWORD)):
        with pytest.raises(ssl.SSLError, match="PKCS #12 form, which holds certificate and key: pass it alone") as caught:
            httpx.SSLContext(cert=cert)
        assert (f"<{len(archive)} bytes>" if is_in_memory else "it.p12") in str(caught.value)


def test_a_password_is_text_or_a_function(files):
    with pytest.raises(TypeError, match="password in cert="):
        httpx.SSLContext(cert=(files.certificate, files.encrypted_key, 5))


def test_keys_of_other_kinds_are_told_as_such(tmp_path, files):
    (tmp_path / "id").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n")
    weak, unsafe = Issuer("Root").issue("a", key="rsa1024"), Issuer("Old", key="rsa2048").issue("a", algorithm=hashes.MD5())
    for cert, words in [
        ((files.certificate, tmp_path / "id"), "ssh-keygen"),
        (weak.pem + weak.key_pem, "too small for OpenSSL"),
        (unsafe.pem + unsafe.key_pem, "takes for unsafe"),
    ]:
        with pytest.raises(ssl.SSLError, match=words):
            httpx.SSLContext(cert=cert)


def test_damaged_and_foreign_files_are_told_apart_from_good_ones(tmp_path, files):
    (tmp_path / "cut.key").write_bytes(files.key.read_bytes()[:90])
    (tmp_path / "client.der").write_bytes(ssl.PEM_cert_to_DER_cert(files.certificate.read_text()))
    with pytest.raises(ssl.SSLError, match=r"cut\.key.*damaged"):
        httpx.SSLContext(cert=(files.certificate, tmp_path / "cut.key"))
    with pytest.raises(ssl.SSLError, match=r"client\.der.*convert it"):
        httpx.SSLContext(cert=(tmp_path / "client.der", files.key))


def test_files_that_cannot_be_read_are_reported(open_folder, as_nobody, files):
    key = open_folder / "client.key"
    with pytest.raises(FileNotFoundError, match="cert= names a file that does not exist") as caught:
        httpx.SSLContext(cert=(files.certificate, key))
    assert caught.value.filename == str(key)
    with pytest.raises(IsADirectoryError, match="cert= names a directory"):
        httpx.SSLContext(cert=(files.certificate, open_folder))
    (open_folder / "client.pem").write_bytes(files.certificate.read_bytes())
    key.write_bytes(files.key.read_bytes())
    key.chmod(0)
    with as_nobody(), pytest.raises(PermissionError, match="cert= names a file that this process may not read") as caught:
        httpx.SSLContext(cert=(open_folder / "client.pem", key))
    assert caught.value.filename == str(key)


def test_what_a_password_callable_raises_passes_through(files):
    class Vault(Exception):
        pass

    def sealed():
        raise Vault

    def empty():
        raise ValueError("no such secret")

    with pytest.raises(Vault):
        httpx.SSLContext(cert=(files.certificate, files.encrypted_key, sealed))
    with pytest.raises(ValueError, match="no such secret"):
        httpx.SSLContext(cert=(files.certificate, files.encrypted_key, empty))


def test_the_password_is_asked_for_only_if_the_key_is_encrypted(files):
    httpx.SSLContext(cert=(files.certificate, files.key, lambda: pytest.fail("asked")))


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
@pytest.mark.parametrize("make", ["httpx.SSLContext(cert=cert)", "httpx.SSLContext().load_cert_chain(*cert)", "httpx.Client(cert=cert)"])
def test_nobody_is_ever_asked_on_the_terminal(files, make):
    script = f"import httpx\ncert = {(str(files.certificate), str(files.encrypted_key))!r}\ntry: {make}\nexcept OSError: print('refused')"
    controller, terminal = os.openpty()
    try:
        ran = subprocess.run(
            [sys.executable, "-c", script], stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, start_new_session=True, timeout=60
        )
        os.set_blocking(controller, False)
        with pytest.raises(BlockingIOError):
            os.read(controller, 1000)  # no question was asked
    finally:
        os.close(controller)
        os.close(terminal)
    assert ran.stdout == b"refused\n"


def test_neither_the_password_nor_the_key_stays_with_the_context(files):
    context = httpx.SSLContext(cert=(files.certificate, files.encrypted_key, PASSWORD))
    assert repr(context) == f"SSLContext(verify=True, cert={str(files.certificate)!r})"
    assert PASSWORD not in str(vars(context))
    assert str(files.encrypted_key) not in str(vars(context))
