"""Certificates of any kind, the bad ones too: for servers that a client must refuse, and for those that it must not.

root = Issuer("Root")
middle = Issuer("Middle", root, path_length=0)
identity = middle.issue("example.org", days=(-30, -1))
context = identity.server_context()
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

KEYS = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "p192": lambda: ec.generate_private_key(ec.SECP192R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ed448": ed448.Ed448PrivateKey.generate,
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
}


class Identity:
    """A certificate with its key, and the certificates that a server should send with it."""

    def __init__(self, certificate: x509.Certificate, key: Any, chain: Sequence[x509.Certificate] = ()) -> None:
        self.certificate = certificate
        self.key = key
        self.chain = list(chain)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def server_context(self, chain: Iterable[x509.Certificate] | None = None) -> ssl.SSLContext:
        """The context of a server that has this identity, and sends `chain` (by default what it should)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # a bad server has weak keys, too
        sent = self.chain if chain is None else chain
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "server.pem")
            path.write_bytes(self.key_pem + self.pem + b"".join(one.public_bytes(Encoding.PEM) for one in sent))
            context.load_cert_chain(path)
        return context


class Issuer:
    """An authority: a root, or below `parent`. `days` is its validity, counted from today."""

    def __init__(
        self,
        name: str,
        parent: Issuer | None = None,
        *,
        key: Any = "p256",
        days: tuple[int, int] = (-30, 30),
        path_length: int | None = None,
        is_authority: bool = True,
        algorithm: hashes.HashAlgorithm | None = None,
        constraints: x509.NameConstraints | None = None,
    ) -> None:
        self.parent = parent
        self.key = KEYS[key]() if isinstance(key, str) else key
        self.subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = _usage(key_cert_sign=is_authority, crl_sign=is_authority, digital_signature=True)
        extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(is_authority, path_length), True), (usage, True)]
        if constraints is not None:
            extensions.append((constraints, True))
        self.certificate = (parent or self)._sign(self.subject, self.key.public_key(), days, extensions, algorithm)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def _sign(
        self,
        subject: x509.Name,
        key: Any,
        days: tuple[int, int],
        extensions: list[tuple[x509.ExtensionType, bool]],
        algorithm: hashes.HashAlgorithm | None = None,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        start, end = (now + datetime.timedelta(days=count) for count in days)
        builder = x509.CertificateBuilder(self.subject, subject, key, x509.random_serial_number(), start, end)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        if isinstance(algorithm, hashes.MD5 | hashes.SHA1):
            return _sign_again(builder.sign(self.key, hashes.SHA256()), self.key, algorithm)
        is_edwards = isinstance(self.key, ed25519.Ed25519PrivateKey)
        return builder.sign(self.key, None if is_edwards else algorithm or hashes.SHA256())

    def issue(
        self,
        *names: str,
        key: str = "p256",
        days: tuple[int, int] = (-30, 30),
        common_name: str | None = None,
        purposes: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.SERVER_AUTH,),
        algorithm: hashes.HashAlgorithm | None = None,
        issuer_url: str | None = None,
        extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
        usage: x509.KeyUsage | None = None,
    ) -> Identity:
        """A server's certificate for these names: those that are IP addresses are issued as such."""
        own = KEYS[key]()
        attributes = [] if common_name is None else [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
        extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(False, None), True), *extra]
        extensions.append((usage or _usage(digital_signature=True, key_encipherment=True), True))
        if names:
            extensions.append((x509.SubjectAlternativeName(list(map(_general_name, names))), not attributes))
        if purposes:
            extensions.append((x509.ExtendedKeyUsage(purposes), False))
        if issuer_url is not None:
            url = x509.UniformResourceIdentifier(issuer_url)
            access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, url)
            extensions.append((x509.AuthorityInformationAccess([access]), False))
        certificate = self._sign(x509.Name(attributes), own.public_key(), days, extensions, algorithm)
        return Identity(certificate, own, self.chain())

    def chain(self) -> list[x509.Certificate]:
        """The intermediates from this authority upwards, without the root."""
        return [] if self.parent is None else [self.certificate, *self.parent.chain()]

    def crl(self, *revoked: Identity, days: tuple[int, int] = (-1, 30)) -> bytes:
        """A revocation list in PEM that names these certificates."""
        now = datetime.datetime.now(datetime.UTC)
        start, end = (now + datetime.timedelta(days=count) for count in days)
        builder = x509.CertificateRevocationListBuilder(self.subject, start, end)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        builder = builder.add_extension(x509.CRLNumber(1), False)
        for identity in revoked:
            entry = x509.RevokedCertificateBuilder(identity.certificate.serial_number, start)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def self_signed(self, *names: str, days: tuple[int, int] = (-30, 30)) -> Identity:
        """This authority's own certificate reissued as a server's."""
        identity = self.issue(*names, days=days)
        identity.chain.append(self.certificate)
        return identity


def _sign_again(certificate: x509.Certificate, key: rsa.RSAPrivateKey, algorithm: hashes.HashAlgorithm) -> x509.Certificate:
    # The library no longer signs certificates like this. The object identifiers differ in their last octet only.
    prefix = bytes.fromhex("06092a864886f70d0101")
    weak = prefix + (b"\x04" if isinstance(algorithm, hashes.MD5) else b"\x05")
    tbs = certificate.tbs_certificate_bytes.replace(prefix + b"\x0b", weak)
    signature = key.sign(tbs, padding.PKCS1v15(), algorithm)
    algorithm_identifier = _der(0x30, weak + b"\x05\x00")
    return x509.load_der_x509_certificate(_der(0x30, tbs + algorithm_identifier + _der(0x03, b"\x00" + signature)))


def _der(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content if len(content) > 127 else bytes([tag, len(content)]) + content


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(**on: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: on.get(name, False) for name in names})


def self_signed(*names: str, key: str = "p256", days: tuple[int, int] = (-30, 30)) -> Identity:
    """A server's certificate that its own key signed."""
    own = KEYS[key]()
    lone = Issuer.__new__(Issuer)
    lone.key, lone.parent = own, None
    lone.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self")])
    extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(False, None), True)]
    if names:
        extensions.append((x509.SubjectAlternativeName(list(map(_general_name, names))), False))
    return Identity(lone._sign(lone.subject, own.public_key(), days, extensions), own)
