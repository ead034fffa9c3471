"""Which authorities are trusted: files, directories, certificates in memory; certifi's bundle by default."""

from __future__ import annotations

import base64
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


class Content(bytes):
    """What a file held when it was read: bytes that say where they come from, for errors that name the file."""

    path: str


_LIST = re.compile(rb"-----BEGIN X509 CRL-----[A-Za-z0-9+/=\s]+-----END X509 CRL-----")
_LOOKED_THROUGH = 4_194_304  # bytes of a bundle in which a certificate is looked for
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


def anchored(source: typing.Any) -> typing.Any:
    """A path that leads to the same place when the working directory of the process has changed; all else as it is."""
    return os.path.abspath(source) if source and isinstance(source, str) else source


def resolve_sources(sources: Iterable[Listed]) -> tuple[Source, ...]:
    """The sources with certifi's bundle by its path. Raises `FileNotFoundError` if there is none."""
    return tuple(default_bundle() if isinstance(source, bool) else source for source in sources)


def snapshot(source: Source) -> Source:
    """The content of a file as it is now; a directory stays one. Raises an `OSError` that names the file."""
    return source if isinstance(source, str) and os.path.isdir(source) else read_source(source, "verify")


def read_source(source: Source, argument: str, limit: int = -1) -> bytes:
    """The content of a file that `argument` of a context names. Raises an `OSError` with the path."""
    if isinstance(source, bytes):
        return source
    try:
        with open(source, "rb") as file:
            content = Content(file.read(limit))
    except OSError as error:
        problem = _PROBLEMS.get(error.errno or 0, f"names an unusable file ({error.strerror})")
        raise OSError(error.errno, f"{argument}= {problem}", source) from None
    content.path = source
    return content


def shown(source: Source) -> str:
    """A source in a message: its path, or how much of it there is."""
    if isinstance(source, Content):
        source = source.path
    return repr(source) if isinstance(source, str) else f"<{len(source)} bytes>"


_PROBLEMS = {
    errno.ENOENT: "names a file that does not exist",
    errno.EISDIR: "names a directory; give the path of a file",
    errno.EACCES: "names a file that this process may not read",
}


def describe_sources(sources: Sequence[Listed]) -> str:
    """The sources as `verify=` in a `repr`."""
    described = [repr(source) if isinstance(source, bool) else shown(source) for source in sources]
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
    is_pem = isinstance(data, Content) or b"-----BEGIN" in data  # of files DER is not taken, reloaded or not
    try:
        load_verify_locations(cadata=data.decode("ascii", "ignore") if is_pem else data)  # comments may be in any language
    except (ssl.SSLError, ValueError) as error:
        if isinstance(data, Content):
            raise _unusable(error, data) from error
        reason = getattr(error, "reason", None) or error
        words = f"verify= holds {len(data)} bytes without certificates in PEM or DER form ({reason}); a path is given as str."
        raise like(error, words) from error


def _load_path(load_verify_locations: typing.Callable[..., None], path: str) -> None:
    require_path(path, "verify= names neither a file nor a directory: give a PEM bundle, or a directory of hashed certificates")
    if os.path.isdir(path):
        require_path(os.path.join(path, os.curdir), "verify= names a directory that cannot be searched")
        # OpenSSL looks names up in it at each handshake, whatever the working directory is by then; nothing is read now.
        load_verify_locations(capath=os.path.abspath(path))
        return
    try:
        load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise _unusable(error, read_source(path, "verify")) from error
    except PermissionError as error:
        raise _forbidden(path) from error


def _unusable(error: ssl.SSLError | ValueError, data: bytes) -> ssl.SSLError:
    path = getattr(data, "path", "")
    return like(error, f"verify= names a file {_problem_of(data, path)}: {path!r}")


def _problem_of(data: bytes, path: str) -> str:
    if b"-----BEGIN CERTIFICATE-----" in data:
        return "in which a certificate is damaged"
    if is_pkcs12(data):
        return "in PKCS #12 form, which holds an identity (cert=) and no authorities"
    # A certificate in DER is a SEQUENCE of two length octets (X.690 section 8.1).
    remedy = f": convert it, openssl x509 -inform der -in {path} -out ca.pem" if data[:2] == b"\x30\x82" else ""
    return f"without certificates in PEM form (-----BEGIN CERTIFICATE-----){remedy}"


def is_pkcs12(data: bytes) -> bool:
    """Whether this begins like PKCS #12: a SEQUENCE that begins with the version, 3 (RFC 7292 section 4)."""
    return data[:1] == b"\x30" and b"\x02\x01\x03" in (data[2:5], data[3:6], data[4:7], data[5:8])


def name_revocations(crl: typing.Any) -> tuple[Source, ...]:
    """What `crl=` names, in a form that does not change. Raises `TypeError`."""
    sources = list(crl) if isinstance(crl, (list, tuple)) else [crl]
    if not sources:
        raise ValueError("crl= is an empty list, by which no certificate could be checked: name a revocation list, or leave it out.")
    for source in sources:
        if not isinstance(source, (str, os.PathLike, bytes, bytearray)):
            raise TypeError(f"crl= is a path, a revocation list as bytes, or a list of these; not {type(source).__name__}.")
    return tuple(bytes(source) if isinstance(source, (bytes, bytearray)) else os.fsdecode(source) for source in sources)


def load_revocations(load_verify_locations: typing.Callable[..., None], source: Source) -> None:
    """Know the revocation lists in a file or in memory, PEM or DER. Raises an `OSError` that names the file.

    Whatever else is in the file stays out: the method that OpenSSL has for this would trust the certificates.
    """
    data = read_source(source, "crl")
    lists = _LIST.findall(data) or ([_as_pem(data)] if data[:1] == b"\x30" else [])
    if not lists:
        raise ssl.SSLError(0, f"crl= holds no revocation list in PEM or DER form (-----BEGIN X509 CRL-----): {shown(source)}")
    try:
        with as_file(b"\n".join(lists)) as path:  # OpenSSL takes them from files only
            load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise like(error, f"crl= holds a revocation list that is damaged: {shown(source)}") from error


def _as_pem(data: bytes) -> bytes:
    return b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(data) + b"-----END X509 CRL-----"


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


def holds_certificate(source: Source, certificate: bytes) -> bool:
    """Whether a file, or what is in memory, has this certificate (DER) in it. In directories nobody looks."""
    try:
        data = read_source(source, "verify", _LOOKED_THROUGH)
    except OSError:
        return False
    return certificate in data or base64.b64encode(certificate) in data.translate(None, b"\r\n")
