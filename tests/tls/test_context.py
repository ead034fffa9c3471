"""What `httpx.SSLContext` refuses when it is made, in words that name the file and the remedy; and how clients take it."""

from __future__ import annotations

import ssl

import pytest
import truststore

import httpx
from tests.support.certificates import PASSWORD


def test_a_missing_path_is_reported_at_once(tmp_path):
    with pytest.raises(FileNotFoundError, match="verify=") as caught:
        httpx.SSLContext(verify=tmp_path / "missing.pem")
    assert caught.value.filename == str(tmp_path / "missing.pem")


def test_a_file_without_certificates_is_reported_at_once(tmp_path):
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(ssl.SSLError, match=r"empty\.pem"):
        httpx.SSLContext(verify=tmp_path / "empty.pem")


@pytest.mark.parametrize("verify", [None, 1, 0, ssl.create_default_context()])
def test_verify_is_a_bool_or_a_path(verify):
    with pytest.raises(TypeError, match="verify="):
        httpx.SSLContext(verify=verify)


def test_unusable_client_certificates_are_reported_with_the_file_and_the_remedy(authority, tmp_path, monkeypatch):
    files = authority.client()
    other = authority.client()
    certificate, key, encrypted = str(files.certificate), str(files.key), str(files.encrypted_key)
    foreign = tmp_path / "foreign.key"
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    foreign.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("nothing")
    cases = [
        ("missing.pem", FileNotFoundError, "does not exist"),
        (str(tmp_path), IsADirectoryError, "directory"),
        (certificate, ssl.SSLError, "no private key"),
        (str(garbage), ssl.SSLError, "no private key|no certificate"),
        ((certificate, str(foreign)), ssl.SSLError, "does not belong"),
        ((certificate, str(garbage)), ssl.SSLError, "garbage.pem"),
        ((certificate, encrypted), ssl.SSLError, "encrypted: pass its password"),
        ((certificate, encrypted, "wrong"), ssl.SSLError, "password does not open"),
    ]
    for cert, error, words in cases:
        with pytest.raises(error, match=words) as caught:
            httpx.SSLContext(cert=cert)
        assert "wrong" not in str(caught.value)
    assert other.key.exists()
    assert httpx.SSLContext(cert=(certificate, key, None)).verify_mode == ssl.CERT_REQUIRED
    assert httpx.SSLContext(cert=(certificate, encrypted, lambda: PASSWORD))


@pytest.mark.parametrize("cert", [("a",), ("a", "b", "c", "d"), ["a", "b"], 3])
def test_cert_has_one_to_three_parts(cert):
    with pytest.raises(TypeError):
        httpx.SSLContext(cert=cert)


def test_a_password_is_never_shown(authority):
    files = authority.client()
    context = httpx.SSLContext(cert=(str(files.certificate), str(files.encrypted_key), PASSWORD))
    assert PASSWORD not in repr(context)
    assert "client.pem" in repr(context)


def test_attributes_of_ssl_contexts_work():
    context = httpx.SSLContext()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_ciphers("ECDHE+AESGCM")
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    assert context.cert_store_stats()["x509_ca"] > 50


def test_the_defaults_are_at_least_those_of_the_standard_library():
    ours, standard = httpx.SSLContext(), ssl.create_default_context()
    assert ours.verify_mode == standard.verify_mode
    assert ours.check_hostname
    assert not ours.hostname_checks_common_name
    assert ours.verify_flags & standard.verify_flags == standard.verify_flags
    assert ours.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("make", [httpx.Client, httpx.AsyncClient, httpx.HTTPTransport, httpx.AsyncHTTPTransport])
def test_a_context_beside_other_settings_is_an_error_that_says_what_to_write(make):
    context = ssl.create_default_context()
    for others in ({"verify": False}, {"cert": "client.pem"}, {"verify": "ca.pem"}):
        with pytest.raises(TypeError, match=r"ssl_context=httpx\.SSLContext"):
            make(ssl_context=context, **others)


def test_verify_takes_a_context_as_it_always_has(authority, app_server):
    server = app_server(ssl_context=authority.server())
    for context in (ssl.create_default_context(), truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT), httpx.SSLContext()):
        context.load_verify_locations(cafile=authority.pem)
        assert httpx.get(server.url, verify=context).status_code == 200


def test_create_ssl_context_makes_one_from_the_same_settings(authority):
    assert repr(httpx.create_ssl_context()) == "SSLContext(verify=True)"
    assert isinstance(httpx.create_ssl_context(verify=str(authority.pem)), httpx.SSLContext)
