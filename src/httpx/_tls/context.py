"""`httpx.SSLContext`: how the host is verified that HTTPX talks to, and how HTTPX identifies itself."""

from __future__ import annotations

import functools
import os
import socket
import ssl
import sys
import threading
import typing
from collections.abc import Callable, Iterable

from .identity import Cert, Password, load_identity, split_cert
from .offer import HTTP_1_1, current_purpose
from .trust import Trust, default_bundle, is_default_bundle, load_trust

if typing.TYPE_CHECKING:
    _Inherited = ssl.SSLContext
else:
    # truststore.inject_into_ssl() puts a class at ssl.SSLContext that is a façade of another context: nothing that we
    # set on such a base would arrive. gevent's, on the other hand, is the one to build on where it is in place.
    _Inherited = next(kind for kind in ssl.SSLContext.__mro__ if not kind.__module__.startswith("truststore"))

_NATIVE: type = _Inherited.__mro__[-2]  # the class below all others, written in C


class _Context(_Inherited):
    """Made with PROTOCOL_TLS_CLIENT, whatever arguments its subclasses take."""

    def __new__(cls, *args: typing.Any, **kwargs: typing.Any) -> typing.Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)


def _reach_through(name: str) -> property:
    # The setters of `ssl.SSLContext` find the attribute to set by the global name of their class, and recurse for ever
    # once that name leads elsewhere (truststore.inject_into_ssl() after `import httpx`).
    native = vars(_NATIVE)[name]
    return property(getattr(_Inherited, name).fget, lambda self, value: native.__set__(self, value))


for _name in ("maximum_version", "minimum_version", "options", "verify_flags", "verify_mode"):
    setattr(_Context, _name, _reach_through(_name))


class SSLContext(_Context):
    """A TLS configuration: an `ssl.SSLContext` for clients, made from two plain settings.

    * `verify`: True (the default) verifies servers against certifi's bundle; a path, against the PEM file or the
      directory of certificates that it names, and nothing else; False does not verify at all, which lets anyone on the
      way read and change what is sent.
    * `cert`: a client certificate: the path of a PEM file with certificate and key, or `(certificate, key)`, or
      `(certificate, key, password)`. The password may be a callable that returns it.

    Everything that `ssl.SSLContext` offers works on it. Names are checked against the certificate's subject alternative
    names only (RFC 9110 section 4.3.4), TLS 1.2 is the least. On Python 3.13 and later certificates are held to RFC 5280
    strictly, as by `ssl.create_default_context()` there. No environment variable is read.

    Raises an `OSError` for files that are missing, unreadable or unusable: it names the file and what to do. certifi's
    bundle takes the longest to read, by far: that is left to the first handshake.
    """

    _verify: Trust
    _certificate: str | None  # only the path, for `repr`: keys and passwords are not kept
    _unread: str | bool  # the bundle that the first handshake reads; True is certifi's, False is none
    _lock: threading.Lock
    _alpn: tuple[str, ...] = HTTP_1_1
    _has_chosen_alpn = False
    _takes_purpose = True

    def __init__(self, verify: Trust = True, cert: Cert | None = None) -> None:
        self._lock = threading.Lock()
        self._verify = verify
        self._certificate = None
        self._unread = False
        _harden(self)
        super().set_alpn_protocols(HTTP_1_1)
        self._set_trust(verify)
        if cert is not None:
            certfile, keyfile, password = split_cert(cert)
            load_identity(super().load_cert_chain, certfile, keyfile, password)
            self._certificate = certfile

    def _set_trust(self, verify: Trust) -> None:
        if verify is False:
            self.check_hostname = False
            self.verify_mode = ssl.CERT_NONE
        elif verify is True:
            self._unread = True
        elif isinstance(verify, (str, os.PathLike)):
            path = os.fsdecode(verify)
            if is_default_bundle(path) and os.access(path, os.R_OK):
                self._unread = path
            else:
                load_trust(super().load_verify_locations, path)
        else:
            raise TypeError(f"verify= is True, False or a path, not {type(verify).__name__}. An ssl.SSLContext goes to ssl_context=.")

    @property
    def _is_ready(self) -> bool:
        return self._unread is False

    def _make_ready(self) -> None:
        # Blocks for some milliseconds: event loops do this on a thread, before they start the handshake.
        if self._is_ready:
            return
        with self._lock:
            if self._unread is not False:
                load_trust(super().load_verify_locations, default_bundle() if self._unread is True else self._unread)
                self._unread = False

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """As `ssl.SSLContext.set_alpn_protocols`. Without it, connections of HTTPX offer the HTTP versions that they speak."""
        chosen = tuple(alpn_protocols)
        with self._lock:
            super().set_alpn_protocols(chosen)
            self._alpn, self._has_chosen_alpn = chosen, True

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """As `ssl.SSLContext.wrap_socket`."""
        make = functools.partial(super().wrap_socket, sock, server_side, False, suppress_ragged_eofs, server_hostname, session)
        tls: ssl.SSLSocket = self._wrap(make)
        tls.do_handshake_on_connect = do_handshake_on_connect  # type: ignore[attr-defined]
        if do_handshake_on_connect and tls._connected:  # type: ignore[attr-defined]
            try:
                if tls.gettimeout() == 0:
                    raise ValueError("do_handshake_on_connect should not be specified for non-blocking sockets")
                tls.do_handshake()
            except (OSError, ValueError):
                tls.close()
                raise
        return tls

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As `ssl.SSLContext.wrap_bio`."""
        make = functools.partial(super().wrap_bio, incoming, outgoing, server_side, server_hostname, session)
        tls: ssl.SSLObject = self._wrap(make)
        return tls

    def _wrap(self, make: Callable[[], typing.Any]) -> typing.Any:
        self._make_ready()
        purpose = current_purpose()
        with self._lock:
            # OpenSSL copies the offer from the context into the connection when that is made, and only then.
            if purpose is None or self._has_chosen_alpn or purpose.alpn == self._alpn:
                return make()
            super().set_alpn_protocols(purpose.alpn)
            try:
                return make()
            finally:
                super().set_alpn_protocols(self._alpn)

    def get_ca_certs(self, binary_form: bool = False) -> typing.Any:
        """As `ssl.SSLContext.get_ca_certs`."""
        self._make_ready()
        return super().get_ca_certs(binary_form)

    def cert_store_stats(self) -> dict[str, int]:
        """As `ssl.SSLContext.cert_store_stats`."""
        self._make_ready()
        return super().cert_store_stats()

    def load_cert_chain(
        self,
        certfile: str | bytes | os.PathLike[str] | os.PathLike[bytes],
        keyfile: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
        password: Password = None,
    ) -> None:
        """As `ssl.SSLContext.load_cert_chain`, but an encrypted key without a password is an error and never a prompt."""
        load_identity(super().load_cert_chain, os.fsdecode(certfile), None if keyfile is None else os.fsdecode(keyfile), password)

    def _describe_trust(self) -> str:
        verify = self._verify
        return "certifi's bundle, verify=True" if isinstance(verify, bool) else f"verify={os.fsdecode(verify)!r}"

    def __repr__(self) -> str:
        verify = self._verify if isinstance(self._verify, bool) else os.fsdecode(self._verify)
        cert = "" if self._certificate is None else f", cert={self._certificate!r}"
        return f"SSLContext(verify={verify!r}{cert})"


def _harden(context: ssl.SSLContext) -> None:
    context.hostname_checks_common_name = False
    # CPython hides a connection that was cut behind an orderly end; we tell the two apart (RFC 8446 section 6.1).
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    if context.minimum_version < ssl.TLSVersion.TLSv1_2:  # a Python built with the system's defaults may allow less (RFC 8996)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Each Python version's own create_default_context() is the measure: 3.11 and 3.12 do not set these.
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT


def is_ssl_context(thing: object) -> bool:
    """Whether this is an `ssl.SSLContext`, also one that was made before or after another class took that name."""
    return isinstance(thing, _NATIVE)
