"""Servers, good and bad, with what a client must make of each. See test_badssl.py."""

from __future__ import annotations

import dataclasses
import functools
import socket
import ssl
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

import httpx
from tests.support.issuing import Identity, Issuer, _usage, self_signed

HOST = "www.badssl.test"
_DH_1024 = """\
-----BEGIN DH PARAMETERS-----
MIGHAoGBAMMfSq/Q0mqgz4xT1YLPXRWAore5GhVib+qKCUHHS6GtXktRIUnIZAry
/gAx1Af0utHCn0LLG8Sa/0c2OXGWMFQQwXLakLA7ygQihyPS9fqoPNN5YJTE/4Ho
+WpGLl46z87Le1mQLROWsmywPfSMClQbytdXcpIB72zwaDTFUwV/AgEC
-----END DH PARAMETERS-----
"""
Server = ssl.SSLContext | Callable[[socket.socket], None]


class World:
    """Authorities: `root` is trusted, `stranger` is not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @functools.cached_property
    def root(self) -> Issuer:
        return Issuer("Root")

    @functools.cached_property
    def rsa_root(self) -> Issuer:
        return Issuer("RSA Root", key="rsa2048")

    @functools.cached_property
    def stranger(self) -> Issuer:
        return Issuer("Stranger")

    @functools.cached_property
    def middle(self) -> Issuer:
        return Issuer("Intermediate", self.root, path_length=0)

    @functools.cached_property
    def weak_root(self) -> Issuer:
        return Issuer("Weak Root", key="rsa1024")

    @functools.cached_property
    def loner(self) -> Identity:
        return self_signed(HOST)

    @functools.cached_property
    def late_root(self) -> Issuer:
        return Issuer("Late Root", days=(-60, -3))

    @functools.cached_property
    def trusted(self) -> Path:
        path = self.folder / "roots.pem"
        path.write_bytes(self.root.pem + self.rsa_root.pem)
        return path

    @functools.cached_property
    def small_group(self) -> Path:
        path = self.folder / "dh1024.pem"
        path.write_text(_DH_1024)
        return path


@dataclasses.dataclass(frozen=True)
class Site:
    """A server; `cause` is why it must be refused (None: it must not). `strict`: only where RFC 5280 is held to strictly."""

    name: str
    make: Callable[[World], Server]
    cause: str | None = None
    host: str = HOST
    strict: bool | None = None
    words: str = ""  # that the explanation must hold, a regular expression
    trusted: Callable[[World], bytes] | None = None  # whom the client trusts, if not the usual roots
    cert: Callable[[World], Identity] | None = None  # the client certificate


def trusted_by(site: Site, world: World) -> bytes:
    """Whom a client of this site trusts, in PEM."""
    return site.trusted(world) if site.trusted else world.trusted.read_bytes()


def identity_file(site: Site, world: World) -> Path:
    """The client certificate that is shown to this site."""
    assert site.cert is not None
    identity = site.cert(world)
    path = world.folder / "client.pem"
    path.write_bytes(identity.pem + identity.key_pem)
    return path


def client_context(site: Site, world: World) -> httpx.SSLContext:
    """A client's context for this site."""
    return httpx.SSLContext(verify=trusted_by(site, world), cert=identity_file(site, world) if site.cert else None)


def identity(issue: Callable[[World], Identity], **settings: Any) -> Callable[[World], ssl.SSLContext]:
    """A server with this identity; `settings` are attributes of its context."""

    def make(world: World) -> ssl.SSLContext:
        context = issue(world).server_context()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of the old versions of TLS
            for name, value in settings.items():
                setattr(context, name, value)
        return context

    return make


def _cross_signed(world: World, in_vain: bool = False) -> ssl.SSLContext:
    # The intermediate exists twice, issued by a root that nobody knows, and by the one that is trusted. OpenSSL looks no
    # further than the first one sent.
    ours = Issuer("Cross", world.root)
    theirs = Issuer("Cross", world.stranger, key=ours.key)
    leaf = ours.issue(HOST)
    both = [ours.certificate, theirs.certificate]
    return leaf.server_context(reversed(both) if in_vain else both)


def _expired_cross_sign(world: World) -> ssl.SSLContext:
    # As in September 2021: the trusted root is also presented as signed by an old root that has expired.
    old = Issuer("Old Root", days=(-900, -1))
    crossed = Issuer("Root", old, key=world.root.key, days=(-800, -1))
    return world.middle.issue(HOST).server_context([world.middle.certificate, crossed.certificate])


def _in_disorder(world: World) -> ssl.SSLContext:
    lower = Issuer("Lower", Issuer("Upper", world.root))
    return lower.issue(HOST).server_context(reversed(lower.chain()))


def _with_a_stranger(world: World) -> ssl.SSLContext:
    return world.middle.issue(HOST).server_context([world.stranger.certificate, world.middle.certificate])


def _under_a_leaf(world: World) -> ssl.SSLContext:
    return Issuer("No Authority", world.root, is_authority=False).issue(HOST).server_context()


def _too_deep(world: World) -> ssl.SSLContext:
    return Issuer("Below", Issuer("Limited", world.root, path_length=0)).issue(HOST).server_context()


def _constrained(permitted: str | None = None, excluded: str | None = None) -> Callable[[World], ssl.SSLContext]:
    def make(world: World) -> ssl.SSLContext:
        constraints = x509.NameConstraints(permitted and [x509.DNSName(permitted)], excluded and [x509.DNSName(excluded)])
        return Issuer("Constrained", world.root, constraints=constraints).issue(HOST).server_context()

    return make


def _without_key_identifier(world: World) -> ssl.SSLContext:
    from tests.support.certificates import Authority, bare_server

    authority = Authority.__new__(Authority)
    authority.pem = world.folder / "root.pem"
    authority.pem.write_bytes(world.root.pem)
    authority.private_key = lambda: world.root.key  # type: ignore[method-assign]
    return bare_server(HOST, issuer=authority)


def _with_ciphers(ciphers: str, world: World) -> ssl.SSLContext:
    context = world.rsa_root.issue(HOST, key="rsa2048").server_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    return context


def _with_small_group(world: World) -> ssl.SSLContext:
    context = _with_ciphers("DHE-RSA-AES256-GCM-SHA384", world)
    context.load_dh_params(world.small_group)
    return context


def _demanding(version: ssl.TLSVersion) -> Callable[[World], ssl.SSLContext]:
    def make(world: World) -> ssl.SSLContext:
        context = world.root.issue(HOST).server_context()
        context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=world.root.pem.decode())
        return context

    return make


def says(reply: bytes) -> Callable[[World], Server]:
    """A server that reads the first message and answers it with `reply`, whatever that is, and hangs up."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(reply)

    return lambda world: serve


def alert(description: int) -> Callable[[World], Server]:
    """A server that refuses the first message (RFC 8446 section 6)."""
    return says(bytes([21, 3, 3, 0, 2, 2, description]))


def greets(banner: bytes) -> Callable[[World], Server]:
    """A server that speaks first, as those of mail and SSH do, and waits for an answer."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(banner)
        connection.recv(65536)

    return lambda world: serve


def _hangs_up_at_once(world: World) -> Server:
    return lambda connection: None


def _with_curve(curve: str, world: World) -> ssl.SSLContext:
    context = world.root.issue(HOST).server_context()
    context.set_ecdh_curve(curve)
    return context


def _refusing_name(description: int) -> Callable[[World], ssl.SSLContext]:
    def make(world: World) -> ssl.SSLContext:
        context = world.root.issue(HOST).server_context()
        context.sni_callback = lambda tls, name, context: description
        return context

    return make


def client(**settings: Any) -> Callable[[World], Identity]:
    """A client certificate of the trusted root."""
    return lambda world: world.root.issue(common_name="client", **{"purposes": [ExtendedKeyUsageOID.CLIENT_AUTH], **settings})


def _resets(world: World) -> Server:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return serve


UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
OLD = {"minimum_version": ssl.TLSVersion.TLSv1}

GOOD = [
    Site("plain", identity(lambda w: w.root.issue(HOST))),
    Site("one-of-many-names", identity(lambda w: w.root.issue("a.test", HOST, "b.test"))),
    Site("a-thousand-names", identity(lambda w: w.root.issue(*(f"n{i}.test" for i in range(1000)), HOST))),
    Site("ip-address", identity(lambda w: w.root.issue("127.0.0.1")), host="127.0.0.1"),
    Site("wildcard", identity(lambda w: w.root.issue("*.badssl.test"))),
    Site("intermediate", identity(lambda w: w.middle.issue(HOST))),
    Site("two-intermediates", identity(lambda w: Issuer("Lower", Issuer("Upper", w.root)).issue(HOST))),
    Site("chain-in-disorder", _in_disorder),
    Site("chain-with-a-stranger", _with_a_stranger),
    Site("root-sent-too", lambda w: w.middle.issue(HOST).server_context([w.middle.certificate, w.root.certificate])),
    Site("cross-signed", _cross_signed),
    Site("expired-cross-sign", _expired_cross_sign),
    Site("permitted-by-constraints", _constrained(permitted="badssl.test")),
    Site("not-excluded-by-constraints", _constrained(excluded="other.test")),
    Site("rsa2048", identity(lambda w: w.rsa_root.issue(HOST, key="rsa2048"))),
    Site("p384", identity(lambda w: w.root.issue(HOST, key="p384"))),
    Site("ed25519", identity(lambda w: w.root.issue(HOST, key="ed25519"))),
    Site("sha384", identity(lambda w: w.root.issue(HOST, algorithm=hashes.SHA384()))),
    Site("valid-for-a-century", identity(lambda w: w.root.issue(HOST, days=(-3650, 36500)))),
    Site("tls12-only", identity(lambda w: w.root.issue(HOST), maximum_version=TLS12)),
    Site("tls13-only", identity(lambda w: w.root.issue(HOST), minimum_version=TLS13)),
    Site("no-purpose-said", identity(lambda w: w.root.issue(HOST, purposes=()))),
    Site("p521", identity(lambda w: w.root.issue(HOST, key="p521"))),
    Site("ed448", identity(lambda w: w.root.issue(HOST, key="ed448"))),
    Site(
        "twelve-intermediates",
        lambda w: functools.reduce(lambda up, n: Issuer(f"D{n}", up), range(12), w.root).issue(HOST).server_context(),
    ),
    Site("must-staple", identity(lambda w: w.root.issue(HOST, extra=[(x509.TLSFeature([x509.TLSFeatureType.status_request]), False)]))),
    Site("host-with-a-dot-at-its-end", identity(lambda w: w.root.issue(HOST)), host=f"{HOST}."),
    Site("wildcard-for-an-international-name", identity(lambda w: w.root.issue("*.badssl.test")), host="xn--bcher-kva.badssl.test"),
    Site("trusted-itself", identity(lambda w: w.loner), trusted=lambda w: w.loner.pem),
    Site("trusted-intermediate", identity(lambda w: w.middle.issue(HOST)), trusted=lambda w: w.middle.pem + w.root.pem),
    Site("client-certificate-shown-tls12", _demanding(TLS12), cert=client()),
    Site("client-certificate-shown-tls13", _demanding(TLS13), cert=client()),
    Site("unknown-extension", identity(lambda w: w.root.issue(HOST, extra=[(UNKNOWN_EXTENSION, False)]))),
]

BAD = [
    Site("expired", identity(lambda w: w.root.issue(HOST, days=(-60, -3))), "certificate-expired", words=r"expired on \d{4}-.*3 days ago"),
    Site("not-yet-valid", identity(lambda w: w.root.issue(HOST, days=(3, 60))), "certificate-not-yet-valid", words=r"only from \d{4}-"),
    Site(
        "expired-intermediate",
        identity(lambda w: Issuer("Late", w.root, days=(-60, -3)).issue(HOST)),
        "authority-expired",
        words="expired on .*: CN=Late.*operator must send",
    ),
    Site(
        "expired-root",
        identity(lambda w: w.late_root.issue(HOST)),
        "authority-expired",
        trusted=lambda w: w.late_root.pem,
        words="that is trusted here .* has expired: CN=Late Root.*must be replaced",
    ),
    Site(
        "expired-root-sent-too",
        lambda w: w.late_root.issue(HOST).server_context([w.late_root.certificate]),
        "authority-expired",
        trusted=lambda w: w.late_root.pem,
        words="must be replaced .* in what is trusted here",
    ),
    Site(
        "intermediate-not-yet-valid",
        identity(lambda w: Issuer("Early", w.root, days=(3, 60)).issue(HOST)),
        "certificate-not-yet-valid",
        words=r"authority in the chain \(CN=Early.*only from",
    ),
    Site("wrong-host", identity(lambda w: w.root.issue("other.test")), "wrong-name", words=r"other\.test, and not www\.badssl\.test"),
    Site("without-www", identity(lambda w: w.root.issue("badssl.test")), "wrong-name", words=r"It does name badssl\.test"),
    Site("many-wrong-names", identity(lambda w: w.root.issue(*(f"n{i}.test" for i in range(1000)))), "wrong-name", words="and 995 more"),
    Site("wrong-address", identity(lambda w: w.root.issue("127.0.0.2")), "wrong-name", host="127.0.0.1"),
    Site("name-for-address", identity(lambda w: w.root.issue(HOST)), "wrong-name", host="127.0.0.1", words="sni_hostname"),
    Site(
        "address-as-a-name",
        identity(lambda w: w.root.issue(extra=[(x509.SubjectAlternativeName([x509.DNSName("127.0.0.1")]), True)])),
        "wrong-name",
        host="127.0.0.1",
        words=r"DNS:127\.0\.0\.1, and not 127\.0\.0\.1.*subjectAltName=IP:127\.0\.0\.1",
    ),
    Site("wildcard-too-deep", identity(lambda w: w.root.issue("*.test")), "wrong-name", words="star of .* exactly one label"),
    Site(
        "wrong-host-and-expired",
        identity(lambda w: w.root.issue("other.test", days=(-60, -3))),
        "wrong-name",
        words="and not www.badssl.test; and it expired on .*3 days ago",
    ),
    Site(
        "wildcard-of-one-label",
        identity(lambda w: w.root.issue("*.test")),
        "wrong-name",
        words="no star that a single label follows",
        host="badssl.test",
    ),
    Site("wildcard-and-no-label", identity(lambda w: w.root.issue(f"*.{HOST}")), "wrong-name", words="star of .* exactly one label"),
    Site("wildcard-in-the-middle", identity(lambda w: w.root.issue("www.*.test")), "wrong-name"),
    Site("wildcard-in-part", identity(lambda w: w.root.issue("w*.badssl.test")), "wrong-name"),
    Site("wildcard-for-everything", identity(lambda w: w.root.issue("*")), "wrong-name"),
    Site("common-name-only", identity(lambda w: w.root.issue(common_name=HOST)), "no-names"),
    Site(
        "mail-address-only",
        identity(lambda w: w.root.issue(extra=[(x509.SubjectAlternativeName([x509.RFC822Name("a@b")]), True)])),
        "no-names",
    ),
    Site("self-signed", identity(lambda w: self_signed(HOST)), "self-signed", words=r"SHA-256 [0-9a-f]{64}.*it\.pem'\)\.$"),
    Site("self-signed-and-expired", identity(lambda w: self_signed(HOST, days=(-60, -3))), "self-signed", words="will not do.*expired on"),
    Site("self-signed-for-another", identity(lambda w: self_signed("a.test")), "self-signed", words=r"is for a\.test, not for www\.badssl"),
    Site("self-signed-for-nobody", identity(lambda w: self_signed()), "self-signed", words="names no host"),
    Site("untrusted-and-early", identity(lambda w: w.stranger.issue(HOST, days=(3, 60))), "unknown-authority", words="valid only from"),
    Site(
        "untrusted-root", lambda w: w.stranger.issue(HOST).server_context([w.stranger.certificate]), "untrusted-root", words="CN=Stranger"
    ),
    Site("unknown-authority", identity(lambda w: w.stranger.issue(HOST)), "unknown-authority", words="CN=Stranger"),
    Site("cross-signed-in-vain", functools.partial(_cross_signed, in_vain=True), "unknown-authority"),
    Site(
        "missing-intermediate",
        lambda w: w.middle.issue(HOST, issuer_url="http://pki.test/middle.der").server_context([]),
        "missing-intermediate",
        words=r"CN=Intermediate.*it is at http://pki\.test/middle\.der",
    ),
    Site("intercepted", identity(lambda w: Issuer("Zscaler Root CA").issue(HOST)), "intercepted", words="Zscaler"),
    Site("not-permitted-by-constraints", _constrained(permitted="other.test"), "name-constraints"),
    Site("excluded-by-constraints", _constrained(excluded="badssl.test"), "name-constraints"),
    Site("path-too-long", _too_deep, "chain-too-long"),
    Site("issued-by-a-leaf", _under_a_leaf, "not-an-authority"),
    Site("for-clients-only", identity(lambda w: w.root.issue(HOST, purposes=[ExtendedKeyUsageOID.CLIENT_AUTH])), "wrong-purpose"),
    Site(
        "for-no-handshake",
        identity(lambda w: w.root.issue(HOST, usage=_usage(data_encipherment=True))),
        "wrong-purpose",
        words="digitalSignature",
    ),
    Site(
        "unknown-critical-extension",
        identity(lambda w: w.root.issue(HOST, extra=[(UNKNOWN_EXTENSION, True)])),
        "unknown-critical-extension",
    ),
    Site("rsa1024-intermediate", identity(lambda w: Issuer("Weak", w.root, key="rsa1024").issue(HOST)), "weak-key", words="of CN=Weak"),
    Site(
        "rsa1024-root",
        identity(lambda w: w.weak_root.issue(HOST)),
        "weak-key",
        trusted=lambda w: w.weak_root.pem,
        words="trusted here, CN=Weak Root",
    ),
    Site("too-many-certificates", lambda w: w.middle.issue(HOST).server_context([w.rsa_root.certificate] * 140), "chain-too-long"),
    Site("ten-thousand-names", identity(lambda w: w.root.issue(*(f"host-{i}.badssl.test" for i in range(10_000)))), "chain-too-long"),
    Site("rsa1024", identity(lambda w: w.root.issue(HOST, key="rsa1024")), "weak-key", words="RSA 1024"),
    Site("sha1", identity(lambda w: w.rsa_root.issue(HOST, algorithm=hashes.SHA1())), "weak-signature", words="SHA-1 with RSA"),
    Site("md5", identity(lambda w: w.rsa_root.issue(HOST, algorithm=hashes.MD5())), "weak-signature", words="MD5 with RSA"),
    Site("sha1-intermediate", identity(lambda w: Issuer("Old", w.rsa_root, algorithm=hashes.SHA1()).issue(HOST)), "weak-signature"),
    Site("breaks-strict-rules", _without_key_identifier, "strict-rules", strict=True, words="VERIFY_X509_STRICT"),
    Site("tls10-only", identity(lambda w: w.root.issue(HOST), **OLD, maximum_version=ssl.TLSVersion.TLSv1), "protocol-version"),
    Site(
        "tls11-only",
        identity(lambda w: w.root.issue(HOST), **OLD, maximum_version=ssl.TLSVersion.TLSv1_1),
        "protocol-version",
        words="TLS 1.2",
    ),
    Site("null-cipher", functools.partial(_with_ciphers, "eNULL"), "no-common-cipher", words=r"\d+ ciphers"),
    Site("cbc-sha1-cipher", functools.partial(_with_ciphers, "ECDHE-RSA-AES128-SHA"), "no-common-cipher"),
    Site("static-rsa", functools.partial(_with_ciphers, "AES128-GCM-SHA256"), "no-common-cipher"),
    Site("dh1024", _with_small_group, "weak-key-exchange"),
    Site("curve-that-nobody-uses", functools.partial(_with_curve, "secp256k1"), "no-common-cipher"),
    Site("key-on-a-curve-that-nobody-uses", identity(lambda w: w.root.issue(HOST, key="secp256k1")), "no-common-cipher"),
    Site("key-on-a-curve-that-is-too-small", identity(lambda w: w.root.issue(HOST, key="p192")), "no-common-cipher"),
    *(
        Site(f"{name}-tls{number}", _demanding(version), cause, cert=cert, words=words)
        for number, version in ((12, TLS12), (13, TLS13))
        for name, cert, cause, words in (
            ("client-certificate", None, "client-certificate-required", r"cert=\('client\.pem'"),
            ("expired-client", client(days=(-60, -3)), "client-certificate-refused", "has expired. Renew it"),
            ("unknown-client", lambda w: w.stranger.issue(common_name="me"), "client-certificate-refused", "does not trust the authority"),
            ("client-with-a-servers", lambda w: w.root.issue(HOST), "client-certificate-refused", "clientAuth"),
        )
    ),
    Site("plain-http", says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not-tls", words="http:// in the URL"),
    Site("ssh", greets(b"SSH-2.0-OpenSSH_9.9\r\n"), "not-tls", words="mail, SSH"),
    Site("smtp", greets(b"220 mail.badssl.test ESMTP\r\n"), "not-tls", words="mail, SSH"),
    Site("mysql", greets(b"\x4a\0\0\0\x0a8.4.0" + bytes(64)), "not-tls"),
    Site("redis", says(b"-ERR unknown command\r\n"), "not-tls"),
    Site("postgresql", says(b"E"), "hung-up"),
    Site("hangs-up", says(b""), "hung-up"),
    Site("hangs-up-at-once", _hangs_up_at_once, "hung-up"),
    Site("hangs-up-within-its-hello", says(b"\x16\3\3\0\x7a\2\0\0\x76\3\3" + bytes(20)), "hung-up"),
    Site("says-goodbye", says(bytes([21, 3, 3, 0, 2, 1, 0])), "hung-up"),
    Site("resets", _resets, "hung-up"),
    Site("unknown-name", _refusing_name(112), "unknown-name", words=HOST),
    Site("server-fails", _refusing_name(80), "server-error"),
    Site("no-protocol", alert(120), "no-common-protocol"),
    Site("access-denied", alert(49), "access-denied"),
    Site("revoked-us", alert(44), "client-certificate-refused", cert=client(), words="revoked. Get a new one"),
    Site("revoked-somebody", alert(44), "broken-off", words="alert: certificate revoked"),
    Site("misses-our-certificate", alert(42), "client-certificate-required"),
    Site("unexpected-message", alert(10), "broken-off", words="alert: unexpected message.*TLSv1_2"),
    Site("decode-error", alert(50), "broken-off", words="alert: decode error"),
    Site("bad-status-response", alert(113), "broken-off", words="alert: bad certificate status response"),
    Site("alert-that-nobody-knows", alert(199), "broken-off"),
    Site("data-in-place-of-a-hello", says(b"\x17\3\3\0\5abcde"), "against-the-rules"),
    Site(
        "cipher-that-was-not-offered",
        says(b"\x16\3\3\0\x2a\2\0\0\x26\3\3" + bytes(32) + b"\0\x13\1\0"),
        "against-the-rules",
    ),
    Site("wants-more-security", alert(71), "no-common-cipher"),
]

# Debian and Fedora build Python so that OpenSSL, or the system's policy, chooses the ciphers; there these two are served.
if any(cipher["name"] == "AES128-GCM-SHA256" for cipher in ssl.create_default_context().get_ciphers()):
    BAD = [site for site in BAD if site.name not in ("cbc-sha1-cipher", "static-rsa")]

SITES = {site.name: site for site in [*GOOD, *BAD]}
