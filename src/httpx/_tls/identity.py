"""Who we are: a client certificate and its key, read with errors that name the file and the remedy."""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import Callable

Path = str | os.PathLike[str]
Password = str | bytes | bytearray | Callable[[], str | bytes | bytearray] | None
Cert = Path | tuple[Path, Path | None] | tuple[Path, Path | None, Password]


def split_cert(cert: Cert) -> tuple[str, str | None, Password]:
    """`cert` as the three things that it stands for: certificate file, key file, password. Raises `TypeError`."""
    if isinstance(cert, (str, os.PathLike)):
        return os.fspath(cert), None, None
    if not isinstance(cert, tuple) or len(cert) not in (2, 3):
        raise TypeError("cert= is a path, a pair (certificate, key), or a triple (certificate, key, password).")
    certfile, keyfile = cert[0], cert[1]
    password = cert[2] if len(cert) == 3 else None
    return os.fspath(certfile), None if keyfile is None else os.fspath(keyfile), password


def load_identity(context: ssl.SSLContext, certfile: str, keyfile: str | None, password: Password) -> None:
    """Load a certificate chain and its key, as `ssl.SSLContext.load_cert_chain`, but never ask on the terminal.

    Raises an `OSError` that names the file: `FileNotFoundError`, `PermissionError`, or `ssl.SSLError` for a file that
    is not PEM, a key that does not match, a password that is wrong or missing.
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
        ssl.SSLContext.load_cert_chain(context, certfile, keyfile, answer)
    except (ssl.SSLError, ValueError) as error:
        if isinstance(error, ValueError) and not isinstance(error, ssl.SSLError) and not asked:
            raise
        raise ssl.SSLError(getattr(error, "errno", None) or 0, _explain(error, certfile, keyfile, password, asked)) from error


def _require_readable(path: str) -> None:
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, "cert= names a file that does not exist", path)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "cert= names a directory; give the path of a PEM file", path)
    if not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, "cert= names a file that this process may not read", path)


def _explain(error: Exception, certfile: str, keyfile: str | None, password: Password, asked: bool) -> str:
    key = keyfile or certfile
    reason = getattr(error, "reason", None) or str(error)
    if asked and password is None:
        return f"The private key in {key!r} is encrypted: pass its password, cert=(certificate, key, password)."
    if asked:
        return f"The password does not open the private key in {key!r} ({reason})."
    if reason == "KEY_VALUES_MISMATCH":
        return f"The private key in {key!r} does not belong to the certificate in {certfile!r}: give the key that it was issued for."
    if keyfile is None and not _holds(certfile, b"PRIVATE KEY-----"):
        return f"{certfile!r} holds no private key: give the key's file too, cert=(certificate, key)."
    if not _holds(certfile, b"-----BEGIN CERTIFICATE-----"):
        return f"{certfile!r} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----): convert it, or give another file."
    if not _holds(key, b"PRIVATE KEY-----"):
        return f"{key!r} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----): convert it, or give another file."
    return f"The certificate in {certfile!r} and the key in {key!r} could not be loaded: {reason}."


def _holds(path: str, marker: bytes) -> bool:
    with open(path, "rb") as file:
        return marker in file.read(1_048_576)
