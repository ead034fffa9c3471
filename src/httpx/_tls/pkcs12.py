"""PKCS #12 (RFC 7292), the form of `.p12` and `.pfx` files: taken apart by the cryptography package, the extra `pkcs12`."""

from __future__ import annotations

import ssl

from .identity import Identity, Password


def unpack_pkcs12(archive: bytes, password: Password, shown: str) -> Identity:
    """The certificate, its chain and its key, in PEM and in memory. Raises `ImportError` or `ssl.SSLError`."""
    try:
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
        from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates
    except ImportError:
        raise ImportError(
            f"{shown} is in PKCS #12 form: to read it, install the cryptography package, pip install httpx[pkcs12]."
        ) from None
    try:
        try:
            key, certificate, others = load_key_and_certificates(archive, None if callable(password) else _secret(password))
        except ValueError:
            if not callable(password):
                raise
            key, certificate, others = load_key_and_certificates(archive, _secret(password()))  # it is asked for only if needed
    except ValueError as error:
        remedy = "pass its password, cert=(path, None, password)" if password is None else "the password is wrong, or it is damaged"
        raise ssl.SSLError(0, f"{shown} could not be opened as PKCS #12: {remedy} ({error}).") from error
    if key is None or certificate is None:
        raise ssl.SSLError(0, f"{shown} holds no {'private key' if key is None else 'certificate'}.")
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, *others))
    return Identity(chain, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _secret(password: str | bytes | bytearray | None) -> bytes | None:
    return password.encode() if isinstance(password, str) else None if password is None else bytes(password)
