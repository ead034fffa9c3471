"""What `httpx.SSLContext` refuses when it is made, in words that name the file and the remedy; and how clients take it."""

from __future__ import annotations

import contextlib
import inspect
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


@pytest.mark.parametrize("cert", [(), ("a", "b", "c", "d"), ["a", "b", "c", "d"], {"a": "b"}, 3])
def test_cert_has_one_to_three_parts(cert):
    with pytest.raises(TypeError):
        httpx.SSLContext(cert=cert)


def test_a_password_is_never_shown(authority):
    files = authority.client()
    context = httpx.SSLContext(cert=(str(files.certificate), str(files.encrypted_key), PASSWORD))
    assert PASSWORD not in repr(context)
    assert "client.pem" in repr(context)


@pytest.mark.parametrize("make", [httpx.SSLContext, lambda: httpx.SSLContext(verify=False)])
def test_attributes_of_ssl_contexts_work(make):
    context = make()
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_TICKET
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    context.set_ciphers("ECDHE+AESGCM")
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    assert (context.minimum_version, context.maximum_version) == (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)
    assert isinstance(context.minimum_version, ssl.TLSVersion)
    assert context.options & ssl.OP_NO_TICKET
    assert isinstance(context.options, ssl.Options)
    assert context.verify_flags & ssl.VERIFY_CRL_CHECK_LEAF
    assert context.verify_mode is ssl.CERT_NONE
    context.check_hostname = True
    with pytest.raises(ValueError, match="check_hostname"):
        context.verify_mode = ssl.CERT_NONE


def test_verification_can_be_relaxed_afterwards(meet, stranger):
    context = httpx.SSLContext()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    assert meet(stranger.server("other.test"), context).error is None


def test_a_context_is_safe_by_default():
    for context in (httpx.SSLContext(), httpx.SSLContext(verify=False)):
        assert context.protocol is ssl.PROTOCOL_TLS_CLIENT
        assert context.options & ssl.OP_NO_COMPRESSION
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert context.keylog_filename is None
    assert (context.check_hostname, context.verify_mode) == (False, ssl.CERT_NONE)


def test_a_stream_that_was_cut_is_told_from_one_that_ended(authority):
    server = authority.server()
    context = httpx.SSLContext(authority.pem)
    assert not context.options & ssl.OP_IGNORE_UNEXPECTED_EOF
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls, peer = context.wrap_bio(incoming, outgoing, server_hostname="localhost"), server.wrap_bio(outgoing, incoming, server_side=True)
    for side in (tls, peer, tls, peer):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    incoming.write_eof()
    with pytest.raises(ssl.SSLEOFError):
        tls.read(1)


def test_the_key_log_works(meet, authority, tmp_path):
    context = httpx.SSLContext(authority.pem)
    context.keylog_filename = str(tmp_path / "keys.log")
    assert meet(authority.server(), context).error is None
    assert "CLIENT_HANDSHAKE_TRAFFIC_SECRET" in (tmp_path / "keys.log").read_text()


def test_subclasses_take_arguments_of_their_own(meet, authority):
    class Corporate(httpx.SSLContext):
        def __init__(self, root, *, strict):
            super().__init__(verify=root)
            self.strict = strict

    context = Corporate(root=authority.pem, strict=True)
    assert context.strict
    assert meet(authority.server(), context).error is None


def test_the_signature_is_the_documented_one(authority):
    parameters = inspect.signature(httpx.SSLContext).parameters.values()
    assert [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD] == ["verify", "cert"]
    files = authority.client()
    assert repr(httpx.SSLContext(str(authority.pem), str(files.combined))) == (
        f"SSLContext(verify={str(authority.pem)!r}, cert={str(files.combined)!r})"
    )
    with pytest.raises(TypeError):
        httpx.SSLContext(protocol=ssl.PROTOCOL_TLS_CLIENT)


@pytest.mark.parametrize("through", ["socket", "bio"])
def test_the_classes_of_tls_connections_can_be_exchanged(meet, authority, through):
    handshakes = []

    class Socket(ssl.SSLSocket):
        def do_handshake(self, block=False):
            handshakes.append("socket")
            super().do_handshake(block)

    class Object(ssl.SSLObject):
        def do_handshake(self):
            handshakes.append("bio")
            super().do_handshake()

    context = httpx.SSLContext(authority.pem)
    context.sslsocket_class, context.sslobject_class = Socket, Object
    assert meet(authority.server(), context, through=through).error is None
    assert set(handshakes) == {through}


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
