"""What the operating system trusts: asked only to explain why a certificate was refused, never to accept one."""

from __future__ import annotations

import functools
import os
import re
import ssl
import sys

from .certificate import Certificate, parse_certificate

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem")
_MAX_SIZE = 4_194_304


def system_trusts_issuer_of(certificate: Certificate) -> bool:
    """Whether the operating system's store holds the issuer of `certificate` (or itself, if it is a root)."""
    return any(certificate.may_be_issued_by(authority) for authority in _authorities().get(certificate.issuer_name, ()))


@functools.cache
def _authorities() -> dict[bytes, list[Certificate]]:
    found: dict[bytes, list[Certificate]] = {}
    for data in _system_certificates():
        try:
            certificate = parse_certificate(data)
        except ValueError:
            continue
        found.setdefault(certificate.subject_name, []).append(certificate)
    return found


def _system_certificates() -> list[bytes]:
    if sys.platform == "win32":
        return [data for store in ("ROOT", "CA") for data, encoding, _ in ssl.enum_certificates(store) if encoding == "x509_asn"]
    bundle = next(filter(os.path.isfile, (ssl.get_default_verify_paths().openssl_cafile, *_BUNDLES)), None)
    if bundle is None:
        return []
    try:
        with open(bundle, encoding="latin-1") as file:
            text = file.read(_MAX_SIZE)
    except OSError:
        return []
    return [ssl.PEM_cert_to_DER_cert(pem) for pem in _PEM.findall(text)]
