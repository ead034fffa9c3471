"""Certificates for the tests, made on the spot: an authority of our own, servers good and bad, and clients."""

from __future__ import annotations

import datetime
import hashlib
import ssl
import tempfile
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

PASSWORD = "correct horse"


class Authority:
    """A certificate authority with its files in a folder: a root, or with `ca` another one's intermediate."""

    def __init__(self, folder: Path, ca: trustme.CA | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._ca = ca or trustme.CA()
        self.pem = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.pem))

    def intermediate(self) -> Authority:
        """An authority that this one vouches for."""
        return Authority(self.folder / "intermediate", self._ca.create_child_ca())

    def private_key(self) -> ec.EllipticCurvePrivateKey:
        """The key that it signs with."""
        key = load_pem_private_key(self._ca.private_key_pem.bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def hashed_directory(self) -> Path:
        """A directory as OpenSSL looks certificates up in: named by the hash of their subject."""
        directory = self.folder / "certs"
        directory.mkdir(exist_ok=True)
        certificate = x509.load_pem_x509_certificate(self.pem.read_bytes())
        (directory / f"{_subject_hash(certificate.subject):08x}.0").write_bytes(self.pem.read_bytes())
        return directory

    def server(
        self,
        *names: str,
        expired: bool = False,
        not_yet_valid: bool = False,
        demands_client: bool = False,
        sends_root: bool = False,
        sends_chain: bool = True,
    ) -> ssl.SSLContext:
        """The context of a server with a certificate for these names, `localhost` and `127.0.0.1` by default.

        It sends the chain as it should: the intermediates if there are any, without the root.
        """
        issued = self._ca.issue_cert(*(names or ("localhost", "127.0.0.1")), **_validity(expired, not_yet_valid))
        certificates = [blob.bytes() for blob in issued.cert_chain_pems]
        if sends_root:
            certificates.append(self.pem.read_bytes())
        elif not sends_chain:
            del certificates[1:]
        context = _server_context(issued.private_key_pem.bytes() + b"".join(certificates))
        if demands_client:
            context.verify_mode = ssl.CERT_REQUIRED
            self._ca.configure_trust(context)
        return context

    def client(self, name: str = "client", *, expired: bool = False) -> Client:
        """A client certificate, in every form that `cert=` takes, in files that begin with `name`."""
        issued = self._ca.issue_cert(f"{name}@example.org", common_name=name, **_validity(expired, False))
        return Client(self.folder, issued, name)


class Client:
    """A client certificate: `combined` holds certificate and key, the others one each."""

    def __init__(self, folder: Path, issued: trustme.LeafCert, name: str = "client") -> None:
        self.combined = folder / f"{name}-combined.pem"
        self.certificate = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        self.encrypted_key = folder / f"{name}-encrypted.key"
        issued.private_key_and_cert_chain_pem.write_to_path(str(self.combined))
        issued.cert_chain_pems[0].write_to_path(str(self.certificate))
        issued.private_key_pem.write_to_path(str(self.key))
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        encryption = BestAvailableEncryption(PASSWORD.encode())
        self.encrypted_key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


def bare_server(
    *names: str,
    issuer: Authority | None = None,
    common_name: str = "bare",
    rsa_bits: int | None = None,
    pem: Path | None = None,
) -> ssl.SSLContext:
    """The context of a server whose certificate has no extension but its names: without `names`, not even that.

    It is self-signed, unless there is an `issuer`, and is written to `pem`.
    """
    key = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signer = subject if issuer is None else x509.load_pem_x509_certificate(issuer.pem.read_bytes()).subject
    dates = _validity(False, False)
    builder = x509.CertificateBuilder(signer, subject, key.public_key(), 1, dates["not_before"], dates["not_after"])
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    certificate = builder.sign(key if issuer is None else issuer.private_key(), hashes.SHA256())
    if pem is not None:
        pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return _server_context(private + certificate.public_bytes(Encoding.PEM))


def _validity(expired: bool, not_yet_valid: bool) -> dict[str, datetime.datetime]:
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    return {"not_before": now + day if not_yet_valid else now - 30 * day, "not_after": now - day if expired else now + 30 * day}


def _server_context(pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # a bad server has weak keys, too
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.pem")
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return context


def _subject_hash(name: x509.Name) -> int:
    # OpenSSL's X509_NAME_hash: SHA-1 over the name with its values folded to lower case, as UTF8String (RFC 5280 has no say).
    canonical = b""
    for rdn in name.rdns:
        attributes = b""
        for attribute in rdn:
            oid = _der(0x06, _oid(attribute.oid.dotted_string))
            value = _der(0x0C, " ".join(str(attribute.value).lower().split()).encode())
            attributes += _der(0x30, oid + value)
        canonical += _der(0x31, attributes)
    return int.from_bytes(hashlib.sha1(canonical).digest()[:4], "little")


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else bytes([0x82, size >> 8, size & 255])
    return bytes([tag]) + length + content


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    encoded = bytes([first * 40 + second])
    for arc in rest:
        septets = [arc & 127]
        while arc := arc >> 7:
            septets.append(arc & 127 | 128)
        encoded += bytes(reversed(septets))
    return encoded
