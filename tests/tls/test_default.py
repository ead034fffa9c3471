"""What a client's `verify`, `cert` and `ssl_context` amount to, and the contexts that a process shares."""

from __future__ import annotations

import ssl
import threading
import warnings
from pathlib import Path

import pytest
import truststore

import httpx
from httpx._tls.default import create_ssl_context, default_context, resolve_ssl_context

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch):
    monkeypatch.setattr("httpx._tls.default._default", None)


def test_there_is_one_default_context():
    assert default_context() is default_context()


def test_threads_that_ask_at_the_same_time_get_the_same_context():
    barrier, got = threading.Barrier(8), []

    def ask():
        barrier.wait()
        got.append(default_context())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, got))) == 1


def test_nothing_said_means_the_default():
    assert resolve_ssl_context() is None
    assert resolve_ssl_context(True, None, None) is None
    assert resolve_ssl_context(None) is None
    assert httpx.create_ssl_context(None).verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    "make",
    [ssl.create_default_context, lambda: truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT), httpx.SSLContext, lambda: httpx.SSLContext(False)],
)
def test_a_context_passes_through_as_it_is(make):
    context = make()
    assert resolve_ssl_context(ssl_context=context) is context
    assert resolve_ssl_context(verify=context) is context
    assert create_ssl_context(context) is context


def test_paths_and_bools_make_a_context_each(authority):
    assert repr(resolve_ssl_context(verify=False)) == "SSLContext(verify=False)"
    assert resolve_ssl_context(verify=False) is not resolve_ssl_context(verify=False)
    for verify in (str(authority.pem), Path(authority.pem)):
        assert repr(resolve_ssl_context(verify=verify)) == f"SSLContext(verify={str(authority.pem)!r})"


def test_the_newer_forms_go_through_the_older_arguments_too(meet, authority):
    pem = authority.pem.read_bytes()
    for verify in (pem, [True, authority.pem], [pem]):
        assert meet(authority.server(), resolve_ssl_context(verify)).error is None
    assert meet(authority.server(demands_client=True), resolve_ssl_context(pem, authority.client().combined.read_bytes())).client_subject


def test_a_client_certificate_goes_with_every_way_to_verify(meet, authority):
    files = authority.client()
    server = authority.server(demands_client=True)
    for verify in (str(authority.pem), False):
        assert meet(server, resolve_ssl_context(verify, str(files.combined))).client_subject
    context = resolve_ssl_context(True, str(files.combined))
    context.load_verify_locations(authority.pem)
    assert meet(server, context).client_subject


@pytest.mark.parametrize(
    "others", [{"verify": False}, {"verify": "ca.pem"}, {"cert": "client.pem"}, {"verify": ssl.create_default_context()}]
)
def test_a_context_beside_what_it_would_hide_is_an_error(others):
    with pytest.raises(TypeError, match=r"ssl_context=httpx\.SSLContext\(verify=\.\.\., cert=\.\.\.\)"):
        resolve_ssl_context(ssl_context=httpx.SSLContext(), **others)


def test_a_certificate_is_never_loaded_into_a_context_of_the_user(authority):
    with pytest.raises(TypeError, match=r"\.load_cert_chain\(\)"):
        resolve_ssl_context(verify=ssl.create_default_context(), cert=str(authority.client().combined))


@pytest.mark.parametrize("thing", ["ca.pem", True, object()])
def test_what_is_no_context_is_refused(thing):
    with pytest.raises(TypeError, match=r"ssl_context= is an ssl\.SSLContext"):
        resolve_ssl_context(ssl_context=thing)


def test_the_environment_counts_for_nothing_and_nothing_is_deprecated(authority, monkeypatch):
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.setenv(variable, str(authority.folder / "nothing"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for trust_env in (True, False):
            for verify in (True, False, str(authority.pem)):
                assert create_ssl_context(verify, trust_env=trust_env).keylog_filename is None
                assert isinstance(create_ssl_context(verify, trust_env=trust_env), httpx.SSLContext)
    assert not (authority.folder / "nothing").exists()
