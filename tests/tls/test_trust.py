"""Which servers a context trusts, when it reads what it trusts, and what it says of paths that lead nowhere."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import certifi
import pytest

import httpx
from httpx._tls import engine

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture
def readings(monkeypatch):
    """The paths that were read for trust, in order."""
    read = []
    load_source = engine.load_source

    def watched(load, path):
        read.append(path)
        load_source(load, path)

    monkeypatch.setattr(engine, "load_source", watched)
    monkeypatch.setattr(engine, "_engines", weakref.WeakValueDictionary())
    return read


@pytest.mark.parametrize("through", ["socket", "bio"])
@pytest.mark.parametrize("form", ["file", "directory"])
def test_a_file_or_a_directory_is_trusted_and_nothing_else(meet, authority, stranger, form, through):
    context = httpx.SSLContext(authority.pem if form == "file" else authority.hashed_directory())
    assert meet(authority.server(), context, through=through).error is None
    assert meet(stranger.server(), context, through=through).error.verify_code == 20
    assert context.cert_store_stats()["x509_ca"] == 1, "certifi's bundle is not there beside it"


@pytest.mark.parametrize("through", ["socket", "bio"])
def test_without_verification_every_server_will_do(meet, stranger, through):
    context = httpx.SSLContext(verify=False)
    for server in (stranger.server(), stranger.server(expired=True), stranger.server("other.test")):
        assert meet(server, context, through=through).error is None
    assert context.cert_store_stats()["x509"] == 0


@pytest.mark.parametrize("through", ["socket", "bio"])
def test_the_first_handshake_reads_the_bundle_and_the_second_does_not(meet, authority, monkeypatch, readings, through):
    monkeypatch.setattr(certifi, "where", lambda: str(authority.pem))
    for make in (httpx.SSLContext, lambda: httpx.SSLContext(verify=certifi.where())):
        readings.clear()
        context = make()
        assert not context._is_ready
        assert meet(authority.server(), context, through=through).error is None
        assert context._is_ready
        assert meet(authority.server(), context, through=through).error is None
        assert readings == [str(authority.pem)]
        del context


def test_making_a_context_does_not_even_import_certifi():
    script = "import sys, httpx; httpx.SSLContext(); httpx.SSLContext(False); assert 'certifi' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_handshakes_at_the_same_time_read_the_bundle_once(readings):
    context = httpx.SSLContext()
    barrier = threading.Barrier(8)

    def first():
        barrier.wait()
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")

    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert readings == [certifi.where()]


def test_contexts_of_the_same_settings_read_the_bundle_once(meet, authority, readings):
    server = authority.server()
    contexts = [httpx.SSLContext(authority.pem) for _ in range(1000)]
    assert all(meet(server, context).error is None for context in contexts[::100])
    assert readings == [str(authority.pem)]
    assert [httpx.SSLContext(authority.pem.read_bytes()) for _ in range(10)]
    assert len(readings) == 2


def test_a_context_that_was_changed_shares_nothing_with_others(meet, authority, stranger):
    first, second = httpx.SSLContext(authority.pem), httpx.SSLContext(authority.pem)
    first.load_verify_locations(stranger.pem)
    first.minimum_version = ssl.TLSVersion.TLSv1_3
    first.verify_flags |= ssl.VERIFY_X509_STRICT
    first.set_ciphers("ECDHE+AESGCM")
    assert meet(stranger.server(), first).error is None
    assert meet(stranger.server(), second).error.verify_code == 20
    old = authority.server()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert meet(old, first).error is not None
    assert meet(old, second).error is None
    third = httpx.SSLContext(authority.pem)
    assert third.get_ciphers() == second.get_ciphers() != first.get_ciphers()


def test_a_bundle_that_was_replaced_is_read_by_new_contexts(meet, authority, stranger, tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(authority.pem.read_bytes())
    before = httpx.SSLContext(bundle)
    (tmp_path / "new.pem").write_bytes(stranger.pem.read_bytes())
    (tmp_path / "new.pem").replace(bundle)
    after = httpx.SSLContext(bundle)
    assert meet(authority.server(), before).error is None
    assert meet(stranger.server(), after).error is None
    assert meet(authority.server(), after).error.verify_code == 20


@pytest.mark.parametrize("form", ["PEM", "DER", "several PEM"])
def test_certificates_in_memory_are_trusted(meet, authority, stranger, form):
    pem = authority.pem.read_bytes()
    data = {"PEM": pem, "DER": ssl.PEM_cert_to_DER_cert(pem.decode()), "several PEM": b"# both\n" + stranger.pem.read_bytes() + pem}[form]
    context = httpx.SSLContext(verify=data)
    assert meet(authority.server(), context).error is None
    assert (meet(stranger.server(), context).error is None) == (form == "several PEM")
    assert repr(context) == f"SSLContext(verify=<{len(data)} bytes>)"


def test_a_list_of_sources_adds_to_the_bundle(meet, authority, stranger, tmp_path):
    context = httpx.SSLContext(verify=[True, authority.pem, stranger.pem.read_bytes()])
    assert not context._is_ready
    assert meet(authority.server(), context).error is None
    assert meet(stranger.server(), context).error is None
    assert context.cert_store_stats()["x509_ca"] > 50
    assert repr(context) == f"SSLContext(verify=[True, {str(authority.pem)!r}, <{len(stranger.pem.read_bytes())} bytes>])"
    with pytest.raises(FileNotFoundError):
        httpx.SSLContext(verify=[True, tmp_path / "missing.pem"])


def test_what_cannot_be_trusted_is_told(authority):
    for verify in ([False], [True, False], [None], [ssl.create_default_context()]):
        with pytest.raises(TypeError, match="verify="):
            httpx.SSLContext(verify=verify)
    with pytest.raises(ValueError, match="trusts nobody"):
        httpx.SSLContext(verify=[])
    with pytest.raises(ValueError, match="pass it as bytes"):
        httpx.SSLContext(verify=authority.pem.read_text())
    for data in (b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(ssl.SSLError, match="verify= holds"):
            httpx.SSLContext(verify=data)


def test_whoever_looks_sees_the_bundle_as_if_it_had_been_read_at_once():
    eager = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    eager.load_verify_locations(certifi.where())
    assert httpx.SSLContext().cert_store_stats() == eager.cert_store_stats()
    assert sorted(httpx.SSLContext().get_ca_certs(binary_form=True)) == sorted(eager.get_ca_certs(binary_form=True))
    assert len(httpx.SSLContext().get_ca_certs()) == len(eager.get_ca_certs())


def test_what_is_loaded_before_the_bundle_is_read_counts_as_well(meet, authority, stranger):
    context = httpx.SSLContext()
    context.load_verify_locations(cafile=authority.pem)
    context.load_verify_locations(cadata=stranger.pem.read_text())
    assert not context._is_ready
    assert meet(authority.server(), context).error is None
    assert meet(stranger.server(), context).error is None
    assert context.cert_store_stats()["x509_ca"] > 50


def test_a_bundle_that_is_gone_by_the_time_of_the_handshake_is_named(tmp_path, monkeypatch):
    bundle = tmp_path / "cacert.pem"
    shutil.copy(certifi.where(), bundle)
    monkeypatch.setattr(certifi, "where", lambda: str(bundle))
    contexts = httpx.SSLContext(), httpx.SSLContext(verify=str(bundle))
    content = bundle.read_bytes()
    bundle.unlink()
    for context in contexts:
        with pytest.raises(FileNotFoundError, match="verify=") as caught:
            context.get_ca_certs()
        assert caught.value.filename == str(bundle)
    bundle.write_bytes(content)
    assert all(context.get_ca_certs() for context in contexts), "and read when it is back"


@pytest.mark.parametrize("name", ["missing.pem", "", "missing/ca.pem"])
def test_a_path_to_nothing_is_reported_at_once(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for path in (name, Path(name)) if name else (name,):
        with pytest.raises(FileNotFoundError, match="verify= names neither a file nor a directory") as caught:
            httpx.SSLContext(verify=path)
        assert caught.value.filename == name


@pytest.mark.parametrize("kind", ["file", "directory", "file in a directory"])
def test_a_path_that_may_not_be_read_is_reported_at_once(open_folder, as_nobody, authority, kind):
    path = open_folder / "trust"
    if kind == "file":
        path.write_bytes(authority.pem.read_bytes())
    else:
        path.mkdir()
    path.chmod(0)
    with as_nobody(), pytest.raises(PermissionError, match=r"verify= .* may not read"):
        httpx.SSLContext(verify=path / "ca.pem" if kind == "file in a directory" else path)
    path.chmod(0o700)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "without certificates in PEM form"),
        (b"nothing", "without certificates in PEM form"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "in which a certificate is damaged"),
        (b"\x30\x82\x01\x00\x02\x01\x03\x30", "PKCS #12"),
    ],
)
def test_a_file_without_a_certificate_is_reported_at_once(tmp_path, content, words):
    path = tmp_path / "bundle.pem"
    path.write_bytes(content)
    with pytest.raises(ssl.SSLError, match=words) as caught:
        httpx.SSLContext(verify=path)
    assert str(path) in str(caught.value)
    assert isinstance(caught.value.__cause__, ssl.SSLError)


def test_bundles_may_have_marks_and_comments_of_any_kind(meet, authority, tmp_path):
    pem = authority.pem.read_bytes()
    for number, content in enumerate((b"\xef\xbb\xbf" + pem, "# Autorité\n".encode() + pem, pem.replace(b"\n", b"\r\n"))):
        path = tmp_path / f"{number}.pem"
        path.write_bytes(content)
        for verify in (path, content):
            assert meet(authority.server(), httpx.SSLContext(verify=verify)).error is None


def test_for_a_certificate_in_der_the_way_to_convert_it_is_told(tmp_path, authority):
    path = tmp_path / "ca.der"
    path.write_bytes(ssl.PEM_cert_to_DER_cert(authority.pem.read_text()))
    with pytest.raises(ssl.SSLError, match="openssl x509 -inform der"):
        httpx.SSLContext(verify=path)


def test_certificates_may_be_added_to_a_directory_later(meet, authority, tmp_path):
    context = httpx.SSLContext(verify=tmp_path)
    assert meet(authority.server(), context).error.verify_code == 20
    for file in authority.hashed_directory().iterdir():
        shutil.copy(file, tmp_path)
    assert meet(authority.server(), context).error is None


def test_an_intermediate_is_trusted_through_its_root_if_the_server_sends_it(meet, authority):
    context = httpx.SSLContext(verify=authority.pem)
    assert meet(authority.intermediate().server(), context).error is None
    assert meet(authority.intermediate().server(sends_chain=False), context).error.verify_code == 20


@pytest.mark.parametrize("order", ["inject, then import", "import, then inject"])
def test_contexts_work_beside_an_injected_truststore(authority, order):
    steps = ["truststore.inject_into_ssl()", "import httpx"]
    if order.startswith("import"):
        steps.reverse()
    script = "\n".join(
        [
            "import ssl, truststore",
            *steps,
            f"path = {str(authority.pem)!r}",
            "context = httpx.SSLContext(path)",
            "context.minimum_version = ssl.TLSVersion.TLSv1_3",
            "assert context.minimum_version == ssl.TLSVersion.TLSv1_3",
            "assert context.cert_store_stats()['x509_ca'] == 1",
            "httpx.SSLContext(verify=False)",
            "assert len(httpx.SSLContext().get_ca_certs()) > 50",
            "for given in (context, truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.create_default_context()):",
            "    httpx.Client(ssl_context=given).close()",
        ]
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_directory_is_looked_into_wherever_the_process_has_gone(meet, authority, monkeypatch):
    directory = authority.hashed_directory()
    monkeypatch.chdir(directory.parent)
    context = httpx.SSLContext(directory.name)
    assert repr(context) == f"SSLContext(verify={directory.name!r})"
    monkeypatch.chdir("/")
    assert meet(authority.server(), context).error is None
