"""Who we are: a client certificate and its key, read with errors that name the file and the remedy."""

from __future__ import annotations

import errno
import os
import ssl
import typing
from collections.abc import Callable

from .trust import like

Path = str | os.PathLike[str]
Password = str | bytes | bytearray | Callable[[], str | bytes | bytearray] | None
Cert = Path | tuple[Path, Path | None] | tuple[Path, Path | None, Password]

_PROBLEMS = {
    errno.ENOENT: "cert= names a file that does not exist",
    errno.EISDIR: "cert= names a directory; give the path of a PEM file",
    errno.EACCES: "cert= names a file that this process may not read",
}
_CONVERT = "convert it (openssl pkcs12 for .p12 and .pfx files, openssl x509 or pkey with -inform der for DER), or give another file"


def split_cert(cert: Cert) -> tuple[str, str | None, Password]:
    """`cert` as the three things that it stands for: certificate file, key file, password. Raises `TypeError`."""
    if isinstance(cert, (str, os.PathLike)):
        return os.fsdecode(cert), None, None
    if not isinstance(cert, tuple) or len(cert) not in (2, 3):
        raise TypeError("cert= is a path, a pair (certificate, key), or a triple (certificate, key, password).")
    certfile, keyfile = cert[0], cert[1]
    password = cert[2] if len(cert) == 3 else None
    return os.fsdecode(certfile), None if keyfile is None else os.fsdecode(keyfile), password


def load_identity(load_cert_chain: typing.Callable[..., None], certfile: str, keyfile: str | None, password: Password) -> None:
    """Load a certificate chain and its key, by the method of a context that is given, and never ask on the terminal.

    Raises an `OSError` that names the file: `FileNotFoundError`, `IsADirectoryError`, `PermissionError`, or
    `ssl.SSLError` for a file that is not PEM, a key that does not match, a password that is wrong or missing. What a
    callable `password` raises passes through.
    """
    for path in (certfile, keyfile):
        if path is not None:
            _require_readable(path)
    asked = False

    def answer() -> str | bytes | bytearray:
        nonlocal asked
        asked = True
        given = password() if callable(password) else password
        return b"" if given is None else given

    try:
        # Without a password of ours OpenSSL would ask for one on the terminal, and wait.
        load_cert_chain(certfile, keyfile, answer)
    except ssl.SSLError as error:
        raise like(error, _explain(error, certfile, keyfile, password, asked)) from error
    except ValueError as error:  # longer than OpenSSL takes; or from the caller's own callable
        if not asked or callable(password):
            raise
        raise like(error, _explain(error, certfile, keyfile, password, asked)) from error


def _require_readable(path: str) -> None:
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise OSError(error.errno, _PROBLEMS.get(error.errno or 0, f"cert= names an unusable file ({error.strerror})"), path) from None


def _explain(error: Exception, certfile: str, keyfile: str | None, password: Password, asked: bool) -> str:
    key = keyfile or certfile
    reason = getattr(error, "reason", None) or str(error)
    if reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"):
        return f"The private key in {key!r} does not belong to the certificate in {certfile!r}: give the key that it was issued for."
    if asked and password is None:
        return f"The private key in {key!r} is encrypted: pass its password, cert=(certificate, key, password)."
    if asked:
        return f"The password does not open the private key in {key!r} ({reason})."
    has_certificate, has_key = _holds(certfile, b"-----BEGIN CERTIFICATE-----"), _holds(key, b"PRIVATE KEY-----")
    if not has_certificate and not has_key and _holds(certfile, b"PRIVATE KEY-----") and _holds(key, b"-----BEGIN CERTIFICATE-----"):
        return f"The two files are the wrong way round: {certfile!r} holds the key. Write cert=(certificate, key)."
    if keyfile is None and has_certificate and not has_key:
        return f"{certfile!r} holds no private key: give the key's file too, cert=(certificate, key)."
    if not has_certificate:
        return f"{certfile!r} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----): {_CONVERT}."
    if not has_key:
        return f"{key!r} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----): {_CONVERT}."
    return f"The certificate in {certfile!r} and the key in {key!r} could not be loaded; one of them is damaged: {reason}."


def _holds(path: str, marker: bytes) -> bool:
    with open(path, "rb") as file:
        return marker in file.read(1_048_576)
