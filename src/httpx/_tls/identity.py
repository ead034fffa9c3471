"""Who we are: a client certificate and its key, from files or from memory, read with errors that say what is wrong."""

from __future__ import annotations

import contextlib
import os
import ssl
import typing
from collections.abc import Callable, Hashable

from .memory import as_file
from .trust import anchored, is_pkcs12, like, read_source, shown

Path = str | os.PathLike[str]
Data = Path | bytes | bytearray
Password = str | bytes | bytearray | Callable[[], str | bytes | bytearray] | None
Cert = Data | tuple[Data, Data | None] | tuple[Data, Data | None, Password]


class Identity(typing.NamedTuple):
    """A certificate with its chain, its key (None: beside the certificate), and the key's password. Paths, or the content."""

    certificate: str | bytes
    key: str | bytes | None = None
    password: Password = None

    def describe(self) -> str:
        """The certificate as `cert=` in a `repr`: neither key nor password."""
        return shown(self.certificate)

    def paths(self) -> list[str]:
        """The files that it comes from."""
        return [source for source in (self.certificate, self.key) if isinstance(source, str)]

    def anchored(self) -> Identity:
        """The same, however the working directory of the process changes."""
        return self._replace(certificate=anchored(self.certificate), key=anchored(self.key))

    def read(self) -> Identity:
        """The same with the content of the files, as they are now. Raises an `OSError` that names the file."""
        key = None if self.key is None else read_source(self.key, "cert")
        return Identity(read_source(self.certificate, "cert"), key, self.password)


def name_identity(cert: Cert) -> Identity:
    """`cert` as what it stands for: certificate, key, password. Raises `TypeError`."""
    parts = _parts(cert)
    if not 1 <= len(parts) <= 3:
        raise TypeError("cert= is a path or bytes, a pair (certificate, key), or a triple (certificate, key, password).")
    certificate, key, password = typing.cast("tuple[Data, Data | None, Password]", (*parts, None, None)[:3])
    if not (password is None or isinstance(password, (str, bytes, bytearray)) or callable(password)):
        raise TypeError(f"The password in cert= is a str, bytes, or a function that returns one; not {type(password).__name__}.")
    return Identity(_name(certificate), None if key is None else _name(key), password)


def are_files(cert: Cert) -> bool:
    """Whether `cert` only says where certificate and key are: neither a key nor a password is in it."""
    return all(part is None or (isinstance(part, (str, os.PathLike)) and index < 2) for index, part in enumerate(_parts(cert)))


def _parts(cert: typing.Any) -> tuple[typing.Any, ...]:
    # A list is what JSON and TOML make of a pair; HTTPX 0.28.1 takes it too, and one of a single part.
    return tuple(cert) if isinstance(cert, (tuple, list)) else (cert,)


def _name(source: Data) -> str | bytes:
    if not isinstance(source, (str, bytes, bytearray, os.PathLike)):
        raise TypeError(f"A certificate or key in cert= is a path or bytes, not {type(source).__name__}.")
    return bytes(source) if isinstance(source, (bytes, bytearray)) else name_path(source)


def name_path(path: Path | bytes | os.PathLike[bytes]) -> str:
    """A path as str. Raises `ValueError` for the content of a file: an error would show it, and it may be a private key."""
    name = os.fsdecode(path)
    if "-----BEGIN" in name:
        raise ValueError("The certificate or key is given by its path, or with cert= by its content as bytes; this is the content as str.")
    return name


def load_identity(load_cert_chain: typing.Callable[..., None], identity: Identity) -> None:
    """Load a certificate chain and its key, by the method of a context that is given, and never ask on the terminal.

    Raises an `OSError` that names the file: `FileNotFoundError`, `IsADirectoryError`, `PermissionError`, or
    `ssl.SSLError` for a file that is not PEM, a key that does not match, a password that is wrong or missing. What a
    callable `password` raises passes through.
    """
    for path in identity.paths():
        read_source(path, "cert", 0)
    if identity.key is None and (archive := _archive(identity.certificate)) is not None:
        from .pkcs12 import unpack_pkcs12

        identity = unpack_pkcs12(archive, identity.password, identity.describe())
    asked = False

    def answer() -> str | bytes | bytearray:
        nonlocal asked
        asked = True
        given = identity.password() if callable(identity.password) else identity.password
        return b"" if given is None else given

    try:
        with contextlib.ExitStack() as stack:
            certificate = _path(stack, identity.certificate)
            key = certificate if identity.key is None and isinstance(identity.certificate, str) else None
            if key is None:
                key = _path(stack, identity.certificate if identity.key is None else identity.key)
            # Without a password of ours OpenSSL would ask for one on the terminal, and wait.
            load_cert_chain(certificate, key, answer)
    except ssl.SSLError as error:
        raise like(error, _explain(error, identity, asked)) from error
    except ValueError as error:  # longer than OpenSSL takes; or from the caller's own callable
        if not asked or callable(identity.password):
            raise
        raise like(error, _explain(error, identity, asked)) from error


def _path(stack: contextlib.ExitStack, source: str | bytes) -> str:
    return source if isinstance(source, str) else stack.enter_context(as_file(source))


def _archive(source: str | bytes) -> bytes | None:
    # The content, if it is PKCS #12.
    return read_source(source, "cert") if is_pkcs12(read_source(source, "cert", 32)) else None


def fingerprint_of_files(paths: typing.Iterable[str]) -> Hashable:
    """What tells one state of files from another, without reading them."""
    return tuple(map(_fingerprint, paths))


def _fingerprint(path: str) -> Hashable:
    try:
        status = os.stat(path)
    except OSError as error:
        return path, error.errno
    return path, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev


def _explain(error: Exception, identity: Identity, asked: bool) -> str:
    certificate, password = identity.certificate, identity.password
    key = certificate if identity.key is None else identity.key
    here, there = shown(certificate), shown(key)
    reason = getattr(error, "reason", None)
    detail = "" if reason is None else f" ({reason})"
    if reason in ("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL"):
        return f"A key in {here} is too small for OpenSSL{detail}: get a certificate with a larger one (RSA 2048 or P-256 at least)."
    if reason in ("EE_MD_TOO_WEAK", "CA_MD_TOO_WEAK"):
        return f"A certificate in {here} is signed with an algorithm that OpenSSL takes for unsafe{detail}: get one signed over SHA-256."
    if reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"):
        return f"The private key in {there} does not belong to the certificate in {here}: give the key that it was issued for."
    if asked and password is None:
        return f"The private key in {there} is encrypted: pass its password, cert=(certificate, key, password)."
    if asked:
        return f"The password does not open the private key in {there}{detail if isinstance(error, ssl.SSLError) else f' ({error})'}."
    for source in (certificate, key):
        if is_pkcs12(read_source(source, "cert", 32)):
            remedy = "pass it alone, cert=path or cert=(path, None, password)"
            return f"{shown(source)} is in PKCS #12 form, which holds certificate and key: {remedy}."
    has_certificate, has_key = _holds(certificate, b"-----BEGIN CERTIFICATE-----"), _holds(key, b"PRIVATE KEY-----")
    if not has_certificate and not has_key and _holds(certificate, b"PRIVATE KEY-----") and _holds(key, b"-----BEGIN CERTIFICATE-----"):
        return f"The two files are the wrong way round: {here} holds the key. Write cert=(certificate, key)."
    if identity.key is None and has_certificate and not has_key:
        return f"{here} holds no private key: give the key's file too, cert=(certificate, key)."
    if identity.key is None and has_key and not has_certificate:
        return f"{here} holds a private key, and no certificate: give the certificate's file too, cert=(certificate, key)."
    if not has_certificate:
        return f"{here} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----): {_converting(certificate, 'x509')}."
    if not has_key:
        return f"{there} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----): {_converting(key, 'pkey')}."
    if _holds(key, b"-----BEGIN OPENSSH PRIVATE KEY-----"):
        return f"The private key in {there} is in a form of OpenSSH's own: convert it, ssh-keygen -p -m PKCS8 -f FILE."
    return f"The certificate in {here} and the key in {there} could not be loaded; one of them is damaged{detail}."


def _holds(source: str | bytes, marker: bytes) -> bool:
    return marker in read_source(source, "cert", 1_048_576)


def _converting(source: str | bytes, command: str) -> str:
    is_der = read_source(source, "cert", 1)[:1] == b"\x30"
    return f"convert it, openssl {command} -inform der -in FILE -out FILE.pem" if is_der else "give another file"
