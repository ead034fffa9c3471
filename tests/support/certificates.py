"""Certificates for the tests, made on the spot: an authority of our own, servers good and bad, and clients."""

from __future__ import annotations

import datetime
import hashlib
import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_pem_private_key

PASSWORD = "correct horse"


class Authority:
    """A certificate authority with its files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ca = trustme.CA()
        self.pem = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.pem))

    def hashed_directory(self) -> Path:
        """A directory as OpenSSL looks certificates up in: named by the hash of their subject."""
        directory = self.folder / "certs"
        directory.mkdir(exist_ok=True)
        certificate = x509.load_pem_x509_certificate(self.pem.read_bytes())
        (directory / f"{_subject_hash(certificate.subject):08x}.0").write_bytes(self.pem.read_bytes())
        return directory

    def server(self, *names: str, expired: bool = False, not_yet_valid: bool = False, demands_client: bool = False) -> ssl.SSLContext:
        """The context of a server with a certificate for these names, `localhost` and `127.0.0.1` by default."""
        now = datetime.datetime.now(datetime.UTC)
        issued = self._ca.issue_cert(
            *(names or ("localhost", "127.0.0.1")),
            not_before=now + datetime.timedelta(days=1) if not_yet_valid else now - datetime.timedelta(days=30),
            not_after=now - datetime.timedelta(days=1) if expired else now + datetime.timedelta(days=30),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        if demands_client:
            context.verify_mode = ssl.CERT_REQUIRED
            self._ca.configure_trust(context)
        return context

    def client(self) -> Client:
        """A client certificate, in every form that `cert=` takes."""
        return Client(self.folder, self._ca.issue_cert("client@example.org", common_name="client"))


class Client:
    """A client certificate: `combined` holds certificate and key, the others one each."""

    def __init__(self, folder: Path, issued: trustme.LeafCert) -> None:
        self.combined = folder / "client-combined.pem"
        self.certificate = folder / "client.pem"
        self.key = folder / "client.key"
        self.encrypted_key = folder / "client-encrypted.key"
        issued.private_key_and_cert_chain_pem.write_to_path(str(self.combined))
        issued.cert_chain_pems[0].write_to_path(str(self.certificate))
        issued.private_key_pem.write_to_path(str(self.key))
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        encryption = BestAvailableEncryption(PASSWORD.encode())
        self.encrypted_key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


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
