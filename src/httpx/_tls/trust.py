"""Which authorities are trusted: files, directories, certificates in memory; certifi's bundle by default."""

from __future__ import annotations

import errno
import os
import re
import ssl
import sys
import typing
from collections.abc import Iterable, Sequence

from .memory import as_file

Source = str | bytes
"""A path, or certificates in PEM or DER."""

Listed = Source | bool
"""The same, or True for certifi's bundle, which is located when it is needed."""

Named = bool | str | os.PathLike[str] | bytes | bytearray
Trust = Named | Sequence[Named]

_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+\Z")  # what OpenSSL looks for in a directory (openssl-rehash(1))


def name_sources(verify: Trust) -> tuple[Listed, ...]:
    """What `verify=` names, in a form that does not change: True is certifi's bundle. Empty for False. Raises `TypeError`."""
    if verify is False:
        return ()
    if not isinstance(verify, (list, tuple)):
        return (_name_source(verify),)
    if not verify:
        raise ValueError("verify= is an empty list, which trusts nobody: name at least one source, such as True for certifi's bundle.")
    return tuple(map(_name_source, verify))


def _name_source(source: object) -> Listed:
    if source is True:
        return True
    if isinstance(source, (bytes, bytearray)):
        return bytes(source)
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    raise TypeError(
        f"verify= is True, False, a path, certificates as bytes, or a list of these without False; not {type(source).__name__}. "
        "An ssl.SSLContext goes to ssl_context=."
    )


def resolve_sources(sources: Iterable[Listed]) -> tuple[Source, ...]:
    """The sources with certifi's bundle by its path. Raises `FileNotFoundError` if there is none."""
    return tuple(default_bundle() if isinstance(source, bool) else source for source in sources)


def snapshot(source: Source) -> Source:
    """The content of a file as it is now; a directory stays one. Raises an `OSError` that names the file."""
    if isinstance(source, bytes) or os.path.isdir(source):
        return source
    with open(source, "rb") as file:
        return file.read()


def describe_sources(sources: Sequence[Listed]) -> str:
    """The sources as `verify=` in a `repr`."""
    described = [f"<{len(source)} bytes>" if isinstance(source, bytes) else repr(source) for source in sources]
    return described[0] if len(described) == 1 else f"[{', '.join(described)}]"


def is_deferred(source: Listed) -> bool:
    """Whether reading this source is left to the first handshake: certifi's bundle takes by far the longest."""
    return source is True or (isinstance(source, str) and is_default_bundle(source) and os.access(source, os.R_OK))


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


def load_source(load_verify_locations: typing.Callable[..., None], source: Source) -> None:
    """Trust the certificates in a PEM file, a directory, or in memory, by the method of a context that is given.

    Raises an `OSError` that names the path: `FileNotFoundError`, `PermissionError`, or `ssl.SSLError` for what holds no
    certificate. A directory is only looked into: certificates may be added to it later.
    """
    if isinstance(source, bytes):
        _load_bytes(load_verify_locations, source)
    elif "-----BEGIN" in source:
        raise ValueError("verify= is a path as str, and this is a certificate itself: pass it as bytes, verify=pem.encode().")
    else:
        _load_path(load_verify_locations, source)


def _load_bytes(load_verify_locations: typing.Callable[..., None], data: bytes) -> None:
    try:
        load_verify_locations(cadata=data.decode("ascii", "replace") if b"-----BEGIN" in data else data)
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise like(error, f"verify= holds {len(data)} bytes without certificates in PEM or DER form ({reason}).") from error


def _load_path(load_verify_locations: typing.Callable[..., None], path: str) -> None:
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


def load_revocations(load_verify_locations: typing.Callable[..., None], source: Source) -> None:
    """Know the revocation lists in a PEM file or in memory. Raises an `OSError` that names the file."""
    shown = f"{len(source)} bytes" if isinstance(source, bytes) else repr(source)
    try:
        if isinstance(source, bytes):
            with as_file(source) as path:  # OpenSSL takes revocation lists from files only
                load_verify_locations(cafile=path)
        else:
            require_path(source, "crl= names a file that does not exist")
            load_verify_locations(cafile=source)
    except ssl.SSLError as error:
        raise like(error, f"crl= holds no revocation list in PEM form (-----BEGIN X509 CRL-----): {shown} ({error.reason})") from error


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
