"""Which authorities are trusted: a file or a directory of certificates, certifi's bundle by default."""

from __future__ import annotations

import errno
import os
import re
import ssl
import sys
import typing

Trust = typing.Union[bool, str, "os.PathLike[str]"]

_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+\Z")  # what OpenSSL looks for in a directory (openssl-rehash(1))


def default_bundle() -> str:
    """The path of certifi's bundle. Raises `FileNotFoundError` if the installation lost it."""
    import certifi  # some 20 milliseconds, with what it imports: only when a handshake needs it

    bundle = certifi.where()
    require_path(bundle, "certifi's CA bundle is missing: reinstall the certifi package, or pass verify= with the path of another bundle")
    return bundle


def is_default_bundle(path: str) -> bool:
    """Whether `path` is what `certifi.where()` says. Only someone who imported certifi can have asked it."""
    certifi = sys.modules.get("certifi")
    return certifi is not None and path == certifi.where()


def require_path(path: str, remedy: str) -> None:
    """Raise `FileNotFoundError` with the remedy, or `PermissionError`, unless `path` leads to something."""
    try:
        os.stat(path)
    except PermissionError:
        raise _forbidden(path) from None
    except OSError as error:
        raise OSError(error.errno, remedy, path) from None


def _forbidden(path: str) -> PermissionError:
    return PermissionError(errno.EACCES, "verify= names a file or directory that this process may not read", path)


def load_trust(load_verify_locations: typing.Callable[..., None], path: str) -> None:
    """Trust the certificates in the PEM file or the directory `path`, by the method of a context that is given.

    Raises an `OSError` that names the path: `FileNotFoundError`, `PermissionError`, or `ssl.SSLError` for a file that
    holds no certificate. A directory is only looked into: certificates may be added to it later.
    """
    require_path(path, "verify= names neither a file nor a directory: give a PEM bundle, or a directory of hashed certificates")
    if os.path.isdir(path):
        require_path(os.path.join(path, os.curdir), "verify= names a directory that cannot be searched")
        # OpenSSL looks names up in it at each handshake; nothing is read now.
        load_verify_locations(capath=path)
        return
    start = b""
    try:
        with open(path, "rb") as file:
            start = file.read(2)
        load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        # A certificate in DER is a SEQUENCE of two length octets (X.690 section 8.1).
        remedy = f": convert it, openssl x509 -inform der -in {path} -out ca.pem" if start == b"\x30\x82" else ""
        words = f"verify= names a file without certificates in PEM form (-----BEGIN CERTIFICATE-----){remedy}: {path!r} ({error.reason})"
        raise like(error, words) from error
    except PermissionError as error:
        raise _forbidden(path) from error


def like(error: ssl.SSLError | ValueError, words: str) -> ssl.SSLError:
    """An `ssl.SSLError` with other words, and what else OpenSSL said in the same attributes."""
    told = ssl.SSLError(getattr(error, "errno", None) or 0, words)
    told.library, told.reason = getattr(error, "library", ""), getattr(error, "reason", "")
    return told


def holds_hashed_names(directory: str) -> bool:
    """Whether OpenSSL can find any certificate in this directory: by the hash of its subject, `5ed36f99.0`."""
    try:
        with os.scandir(directory) as entries:
            return any(_HASHED_NAME.match(entry.name) for entry in entries)
    except OSError:
        return False
