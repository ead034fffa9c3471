"""Which authorities are trusted: a file or a directory of certificates, certifi's bundle by default."""

from __future__ import annotations

import errno
import os
import ssl
import typing

Trust = typing.Union[bool, str, "os.PathLike[str]"]


def default_bundle() -> str:
    """The path of certifi's bundle. Raises `FileNotFoundError` if the installation lost it."""
    import certifi

    bundle = certifi.where()
    require_path(bundle, "certifi's CA bundle is missing: reinstall the certifi package, or pass verify= with the path of another bundle")
    return bundle


def require_path(path: str, remedy: str) -> None:
    """Raise `FileNotFoundError` with the remedy unless `path` exists."""
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, remedy, path)


def load_trust(context: ssl.SSLContext, path: str) -> None:
    """Trust the certificates in the PEM file or the directory `path`.

    Raises an `OSError` that names the path: `FileNotFoundError`, `PermissionError`, or `ssl.SSLError` for a file that
    holds no certificate.
    """
    require_path(path, "verify= names neither a file nor a directory: give a PEM bundle, or a directory of hashed certificates")
    if os.path.isdir(path):
        if not os.access(path, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "verify= names a directory that this process may not read", path)
        # OpenSSL looks names up in it at each handshake; nothing is read now.
        ssl.SSLContext.load_verify_locations(context, capath=path)
        return
    try:
        with open(path, "rb"):
            pass
        ssl.SSLContext.load_verify_locations(context, cafile=path)
    except ssl.SSLError as error:
        words = f"verify= names a file without certificates in PEM form (-----BEGIN CERTIFICATE-----): {path!r} ({error.reason})"
        raise ssl.SSLError(error.errno or 0, words) from error
    except PermissionError as error:
        raise PermissionError(errno.EACCES, "verify= names a file that this process may not read", path) from error
