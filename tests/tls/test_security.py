"""What goes wrong with TLS elsewhere, tried here: connections that mix up configurations, servers that play for time."""

from __future__ import annotations

import contextlib
import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

import httpx
from tests.hostile.attack import SECRETS, assert_nothing_is_busy, assert_presentable
from tests.support.issuing import Identity, Issuer
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

PATIENCE = 10.0


@pytest.fixture(scope="module")
def root():
    return Issuer("Root")


async def test_an_address_is_not_proven_by_a_name_that_looks_like_it(runtime, app_server, root):
    looks_like_it = x509.SubjectAlternativeName([x509.DNSName("127.0.0.1")])
    server = app_server(ssl_context=root.issue(extra=[(looks_like_it, True)]).server_context())
    async with runtime.client(ssl_context=httpx.SSLContext(root.pem)) as client:
        with pytest.raises(httpx.CertificateVerifyError, match="IP address mismatch"):
            await client.get(server.url)
    assert server.requests == []


async def test_an_ipv6_address_is_proven_by_itself_only(runtime, app_server, root):
    try:
        server = app_server(host="::1", ssl_context=root.issue("::1").server_context())
    except OSError:
        pytest.skip("there is no IPv6 here")
    other = app_server(host="::1", ssl_context=root.issue("::2", "127.0.0.1", "localhost").server_context())
    assert ipaddress.ip_address(server.host).version == 6
    async with runtime.client(ssl_context=httpx.SSLContext(root.pem)) as client:
        assert (await client.get(server.url)).status_code == 200
        with pytest.raises(httpx.CertificateVerifyError, match="IP address mismatch"):
            await client.get(other.url)


async def test_transports_of_one_client_share_no_connections(runtime, app_server, root):
    server = app_server(ssl_context=root.issue("127.0.0.1", "localhost").server_context())
    trusting = runtime.transport(ssl_context=httpx.SSLContext(root.pem))
    careless = runtime.transport(ssl_context=httpx.SSLContext(verify=False))
    mounts = {"https://127.0.0.1": trusting, "https://localhost": careless}
    async with runtime.client(mounts=mounts) as client:
        assert (await client.get(server.url)).tls.verified
        assert not (await client.get(server.url.replace("127.0.0.1", "localhost"))).tls.verified
        assert (await client.get(server.url)).tls.verified
    assert len(server.connections) == 2


async def test_a_client_that_verifies_uses_no_connection_of_one_that_does_not(runtime, app_server, root):
    server = app_server(ssl_context=Issuer("Stranger").issue("127.0.0.1").server_context())
    async with runtime.client(verify=False) as careless, runtime.client(ssl_context=httpx.SSLContext(root.pem)) as careful:
        for _ in range(2):
            assert (await careless.get(server.url)).status_code == 200
            with pytest.raises(httpx.CertificateVerifyError):
                await careful.get(server.url)


async def test_authorities_that_are_named_take_the_place_of_the_bundle(runtime, app_server, root, monkeypatch, tmp_path):
    import certifi

    (tmp_path / "bundle.pem").write_bytes(root.pem)
    monkeypatch.setattr(certifi, "where", lambda: str(tmp_path / "bundle.pem"))
    monkeypatch.setattr("httpx._tls.default._default", None)
    server = app_server(ssl_context=root.issue("127.0.0.1").server_context())
    async with runtime.client() as client:
        assert (await client.get(server.url)).status_code == 200
    async with runtime.client(ssl_context=httpx.SSLContext(Issuer("Own").pem)) as client:
        with pytest.raises(httpx.CertificateVerifyError):
            await client.get(server.url)


async def test_plain_http_to_a_tls_port_says_so(runtime, app_server, root):
    server = app_server(ssl_context=root.issue("127.0.0.1").server_context())
    async with runtime.client() as client:
        with pytest.raises(httpx.TransportError) as caught:
            await client.get(server.url.replace("https:", "http:"))
    assert "https://" in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert server.requests == []


async def test_a_wrong_key_log_is_no_reason_to_write_elsewhere(runtime, app_server, root, monkeypatch, tmp_path):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    server = app_server(ssl_context=root.issue("127.0.0.1").server_context())
    for trust_env in (True, False):
        async with runtime.client(ssl_context=httpx.SSLContext(root.pem), trust_env=trust_env) as client:
            assert (await client.get(server.url)).status_code == 200
    assert not (tmp_path / "keys.log").exists()


@contextlib.contextmanager
def renegotiating_server(identity: Identity, folder):
    """The port of an `openssl s_server` that answers a request by starting another handshake."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("the openssl program is not installed")
    (folder / "server.pem").write_bytes(identity.key_pem + identity.pem)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(folder / "server.pem"), "-tls1_2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:

        def type_on_request():
            for line in process.stdout:
                if line.startswith(b"GET / HTTP/1.1"):
                    process.stdin.write(b"R\n")
                    process.stdin.flush()

        try:
            while b"ACCEPT" not in process.stdout.readline():
                assert process.poll() is None, "openssl s_server does not run"
            typist = threading.Thread(target=type_on_request)
            typist.start()
            yield port
        finally:
            process.kill()
            typist.join()


async def test_a_server_cannot_renegotiate(runtime, root, tmp_path):
    with renegotiating_server(root.issue("127.0.0.1"), tmp_path) as port:
        async with runtime.client(ssl_context=httpx.SSLContext(root.pem), timeout=PATIENCE) as client:
            with pytest.raises(httpx.TLSError) as caught:
                await client.get(f"https://127.0.0.1:{port}/")
    assert caught.value.report.cause == "renegotiation-refused"


def test_renegotiation_is_switched_off():
    assert httpx.SSLContext().options & ssl.OP_NO_RENEGOTIATION


def key_updates(keys, *, requested):
    """KeyUpdate messages (RFC 8446 section 4.6.3) of a server that has sent nothing yet, encrypted by hand: `ssl` sends none."""
    secret = next(bytes.fromhex(line.split()[2]) for line in keys.read_text().splitlines() if line.startswith("SERVER_TRAFFIC_SECRET_0 "))

    def expand(label, length):
        info = length.to_bytes(2) + bytes([6 + len(label)]) + b"tls13 " + label + b"\0"
        return HKDFExpand(hashes.SHA384(), length, info).derive(secret)

    while True:
        header = b"\x17\x03\x03" + (6 + 16).to_bytes(2)
        yield header + AESGCM(expand(b"key", 32)).encrypt(expand(b"iv", 12), b"\x18\0\0\1" + bytes([requested]) + b"\x16", header)
        secret = expand(b"traffic upd", 48)


@pytest.mark.parametrize("make", [httpx.SSLContext, lambda pem: ssl.create_default_context(cadata=pem.decode())])
@pytest.mark.parametrize("requested", [False, True])
async def test_key_updates_without_end_are_bounded_by_the_time_out(runtime, scripted, root, tmp_path, requested, make):
    identity = root.issue("127.0.0.1").server_context()
    identity.keylog_filename = tmp_path / "keys.log"
    identity.num_tickets = 0
    sent = []

    def floods(conn):
        conn.read_request()
        assert conn.tls.cipher()[0] == "TLS_AES_256_GCM_SHA384"
        plain = socket.socket(fileno=conn.socket.detach())
        with plain, contextlib.suppress(ConnectionError, TimeoutError):
            plain.settimeout(PATIENCE)
            for message in key_updates(tmp_path / "keys.log", requested=requested):
                plain.sendall(message)
                sent.append(message)

    server = scripted(floods, ssl_context=identity)
    async with runtime.client(ssl_context=make(root.pem), timeout=httpx.Timeout(PATIENCE, read=0.3)) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(server.url)
    server.wait_for_no_connections()
    assert len(sent) > 50


async def test_names_are_checked_without_regard_to_case(runtime, app_server, root, local_hosts):
    server = app_server(ssl_context=root.issue("WWW.Example.ORG").server_context())
    local_hosts.add("www.example.org", {443: server.port})
    async with runtime.client(ssl_context=httpx.SSLContext(root.pem)) as client:
        assert (await client.get("https://www.EXAMPLE.org/")).text == "Hello, world!"


CLOSE_NOTIFY = b"\x15\x03\x03\0\2\1\0"
USER_CANCELED = b"\x15\x03\x03\0\2\1\x5a"


def half_a_server_hello(conn):
    # A handshake record that says it is longer than what comes of it.
    conn.send(b"\x16\x03\x03\0\x20\2\0\0\x50\x03\x03" + b"a" * 26)


@pytest.mark.parametrize("make", [httpx.SSLContext, lambda pem: ssl.create_default_context(cadata=pem.decode())], ids=["ours", "foreign"])
@pytest.mark.parametrize("before", [None, half_a_server_hello], ids=["at once", "within a message"])
@pytest.mark.parametrize("alerts", [CLOSE_NOTIFY, USER_CANCELED + CLOSE_NOTIFY, CLOSE_NOTIFY * 1_000, USER_CANCELED * 1_000], ids=len)
@pytest.mark.parametrize("leaves", [True, False])
async def test_a_server_that_takes_its_leave_in_the_middle_of_the_handshake(runtime, scripted, root, make, before, alerts, leaves):
    # T18: an error at once, whether or not the connection ends behind the alert.
    def script(conn):
        if conn.number > 0:
            conn.upgrade_to_tls(identity)
            keep_alive(lambda request: respond(b"own answer"))(conn)
        conn.read_exactly(5)
        if before is not None:
            before(conn)
        conn.send(alerts)
        if not leaves:
            conn.wait_closed()

    identity = root.issue("127.0.0.1").server_context()
    server = scripted(script)
    url = server.url.replace("http:", "https:")
    async with runtime.client(ssl_context=make(root.pem), timeout=PATIENCE, headers=SECRETS) as client:
        with pytest.raises(httpx.TLSError) as caught:
            await client.get(url)
        assert_presentable(caught.value)
        assert_nothing_is_busy(client)
        assert (await client.get(url)).content == b"own answer"
    server.wait_for_no_connections()
