"""`httpx.SSLContext`: how the host is verified that HTTPX talks to, and how HTTPX identifies itself."""

from __future__ import annotations

import os
import ssl
import sys
import threading
import typing

from .identity import Cert, Password, load_identity, split_cert
from .trust import Trust, default_bundle, load_trust


class SSLContext(ssl.SSLContext):
    """A TLS configuration: an `ssl.SSLContext` for clients, made from two plain settings.

    * `verify`: True (the default) verifies servers against certifi's bundle; a path, against the PEM file or the
      directory of certificates that it names, and nothing else; False does not verify at all, which lets anyone on the
      way read and change what is sent.
    * `cert`: a client certificate: the path of a PEM file with certificate and key, or `(certificate, key)`, or
      `(certificate, key, password)`.

    Everything that `ssl.SSLContext` offers works on it. Names are checked against the certificate's subject alternative
    names only (RFC 9110 section 4.3.4), TLS 1.2 is the least. On Python 3.13 and later certificates are held to RFC 5280
    strictly, as by `ssl.create_default_context()` there. No environment variable is read.

    Raises an `OSError` for files that are missing, unreadable or unusable: it names the file and what to do. certifi's
    bundle takes the longest to read, by far: that is left to the first handshake.
    """

    _verify: Trust
    _cert: Cert | None
    _bundle: str | None
    _lock: threading.Lock

    def __new__(cls, verify: Trust = True, cert: Cert | None = None) -> SSLContext:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, verify: Trust = True, cert: Cert | None = None) -> None:
        self._lock = threading.Lock()
        self._verify = verify
        self._cert = cert
        self._bundle = None
        _harden(self)
        self._set_trust(verify)
        if cert is not None:
            load_identity(self, *split_cert(cert))

    def _set_trust(self, verify: Trust) -> None:
        if verify is False:
            self.check_hostname = False
            self.verify_mode = ssl.CERT_NONE
        elif verify is True:
            self._bundle = default_bundle()
        elif isinstance(verify, (str, os.PathLike)):
            path = os.fspath(verify)
            if path == default_bundle():
                self._bundle = path
            else:
                load_trust(self, path)
        else:
            raise TypeError(f"verify= is True, False or a path, not {type(verify).__name__}. An ssl.SSLContext goes to ssl_context=.")

    @property
    def _trust_is_loaded(self) -> bool:
        return self._bundle is None

    def _load_trust(self) -> None:
        # Blocks for some milliseconds: event loops do this on a thread, before they start the handshake.
        with self._lock:
            if self._bundle is not None:
                load_trust(self, self._bundle)
                self._bundle = None

    def wrap_socket(self, *args: typing.Any, **kwargs: typing.Any) -> ssl.SSLSocket:
        """As `ssl.SSLContext.wrap_socket`."""
        self._load_trust()
        return super().wrap_socket(*args, **kwargs)

    def wrap_bio(self, *args: typing.Any, **kwargs: typing.Any) -> ssl.SSLObject:
        """As `ssl.SSLContext.wrap_bio`."""
        self._load_trust()
        return super().wrap_bio(*args, **kwargs)

    def get_ca_certs(self, binary_form: bool = False) -> typing.Any:
        """As `ssl.SSLContext.get_ca_certs`."""
        self._load_trust()
        return super().get_ca_certs(binary_form)

    def cert_store_stats(self) -> dict[str, int]:
        """As `ssl.SSLContext.cert_store_stats`."""
        self._load_trust()
        return super().cert_store_stats()

    def load_cert_chain(
        self,
        certfile: str | bytes | os.PathLike[str] | os.PathLike[bytes],
        keyfile: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
        password: Password = None,
    ) -> None:
        """As `ssl.SSLContext.load_cert_chain`, but an encrypted key without a password is an error and never a prompt."""
        load_identity(self, os.fsdecode(certfile), None if keyfile is None else os.fsdecode(keyfile), password)

    def __repr__(self) -> str:
        shown = [f"verify={_shown(self._verify)}"]
        if self._cert is not None:
            shown.append(f"cert={split_cert(self._cert)[0]!r}")
        return f"SSLContext({', '.join(shown)})"


def _harden(context: ssl.SSLContext) -> None:
    context.hostname_checks_common_name = False
    # CPython hides a connection that was cut behind an orderly end; we tell the two apart (RFC 8446 section 6.1).
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.set_alpn_protocols(["http/1.1"])
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT


def _shown(verify: Trust) -> str:
    return repr(verify) if isinstance(verify, bool) else repr(os.fspath(verify))
