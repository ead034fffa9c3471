"""`httpx.SSLContext`: how the host is verified that HTTPX talks to, and how HTTPX identifies itself."""

from __future__ import annotations

import functools
import logging
import os
import socket
import ssl
import threading
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping

from .connection import Errand, WatchedObject, WatchedSocket
from .engine import Engine, demand_revocation_lists, harden, load_sources, shared_engine
from .identity import Cert, Identity, Password, are_files, fingerprint_of_files, load_identity, name_identity, name_path
from .offer import HTTP_1_1, current_purpose
from .sessions import Key, Sessions
from .trust import (
    Listed,
    Source,
    Trust,
    anchored,
    describe_sources,
    is_deferred,
    load_revocations,
    name_revocations,
    name_sources,
    read_source,
    resolve_sources,
    snapshot,
)

if typing.TYPE_CHECKING:
    from .pins import Pins

logger = logging.getLogger("httpx")

_Base = typing.cast("type[ssl.SSLContext]", Engine.__mro__[1])
_SETTINGS = frozenset(name for name in dir(_Base) if not name.startswith("_"))


class _Files(typing.NamedTuple):
    # What the files of a context that reloads them held when they were last read, and were usable.
    sources: tuple[Source, ...]
    revocations: tuple[Source, ...]
    identity: Identity | None


class SSLContext(Engine):
    """A TLS configuration: an `ssl.SSLContext` for clients, made from plain settings.

    * `verify`: True (the default) verifies servers against certifi's bundle; a path, against the PEM file or the
      directory of certificates that it names, and nothing else; bytes, against the certificates in them (PEM or DER); a list,
      against all of its sources, so `[True, "corporate.pem"]` adds to the bundle. False does not verify at all, which lets
      anyone on the way read and change what is sent.
    * `cert`: a client certificate: the path of a PEM file with certificate and key, or `(certificate, key)`, or
      `(certificate, key, password)`. The password may be a callable that returns it. In place of a path there may be the
      content as bytes, which is not written to a disk on Unix systems. PKCS #12 (`.p12`, `.pfx`) needs the extra `pkcs12`.
    * `crl`: revocation lists (a path or bytes, PEM or DER, or a list of these) that the server's certificate is checked against.
    * `pins`: `{"api.example": ["sha256/..."]}`: public keys, one of which must be in the verified chain of that host.
    * `reload`: whether the next request uses files that have been replaced since, always certificate and key together, on a new
      connection. If the new files are unusable the old ones stay in use, and a warning is logged.
    * `resume`: whether connections may resume the TLS session of an earlier one to the same server, which spares both sides
      most of the handshake.

    Everything that `ssl.SSLContext` offers works on it. Names are checked against the certificate's subject alternative
    names only (RFC 9110 section 4.3.4), TLS 1.2 is the least. On Python 3.13 and later certificates are held to RFC 5280
    strictly, as by `ssl.create_default_context()` there. No environment variable is read.

    Raises an `OSError` for files that are missing, unreadable or unusable: it names the file and what to do. certifi's
    bundle takes the longest to read, by far: that is left to the first handshake, and contexts of the same settings share it.
    """

    _sources: tuple[Listed, ...]
    _revocations: tuple[Source, ...]
    _identity: Identity | None = None  # kept only to load it again
    _certificate: str | None = None  # for `repr`: keys and passwords are not kept otherwise
    _pins: Pins | None = None
    _sessions: Sessions | None
    _engine: Engine | None = None  # what handshakes are made with; itself once it was changed or has anything of its own
    _unread: tuple[Listed, ...]  # what the first handshake has yet to read
    _reloads = False
    _state: Hashable = None  # of the files, when they were last read
    _files: _Files | None = None
    _replay: list[Callable[[Engine], typing.Any]]
    _has_chosen_alpn = False
    _is_built = False
    _given: dict[str, typing.Any] | None = None  # the arguments, if they are no secrets: what it is pickled as
    _takes_purpose = True  # see offer.py
    # aiofastnet, whose event loops others may hand it to, would take OpenSSL's context from where it lies in the memory of a real one.
    _aiofastnet_force_fallback_ssl = True

    def __init__(
        self,
        verify: Trust = True,
        cert: Cert | None = None,
        *,
        crl: str | os.PathLike[str] | bytes | Iterable[str | os.PathLike[str] | bytes] | None = None,
        pins: Mapping[str, Iterable[str]] | None = None,
        reload: bool = False,
        resume: bool = True,
    ) -> None:
        self._lock: typing.Any = threading.RLock()
        self._sources = self._unread = name_sources(verify)
        self._revocations = () if crl is None else name_revocations(crl)
        self._sessions = Sessions() if resume else None
        self._replay = []
        harden(self)
        if not self._sources:
            self.check_hostname = False
            self.verify_mode = ssl.CERT_NONE
        if not self._sources and (self._revocations or pins is not None):
            raise ValueError("pins= and crl= are for the verified chain, and verify=False verifies none.")
        if self._revocations:
            demand_revocation_lists(self)
        if pins is not None:
            from .pins import Pins

            self._pins = Pins(pins)
        self._reloads = reload
        if reload:
            self._sources, self._revocations = tuple(map(anchored, self._sources)), tuple(map(anchored, self._revocations))
        self._begin(None if cert is None else name_identity(cert))
        if cert is None or are_files(cert):
            self._given = _plain({"verify": verify, "cert": cert, "crl": crl, "pins": pins, "reload": reload, "resume": resume})
        self._is_built = True

    def _begin(self, identity: Identity | None) -> None:
        if identity is not None:
            self._certificate = identity.describe()
        if self._reloads:
            self._identity = None if identity is None else identity.anchored()
            self._renew()
        elif identity is not None or self._revocations or not self._sources:
            self._become_own()
            for source in self._revocations:
                load_revocations(super().load_verify_locations, source)
            if identity is not None:
                load_identity(super().load_cert_chain, identity)
        elif not any(map(is_deferred, self._sources)):
            self._engine = shared_engine(resolve_sources(self._sources))
        elif explicit := [source for source in self._sources if not is_deferred(source)]:
            load_sources(Engine(), typing.cast("list[Source]", explicit))  # what is wrong with them is told at once

    def __reduce__(self) -> tuple[typing.Any, ...]:
        if self._given is None:
            raise TypeError(
                "This SSLContext cannot be pickled: only one that is as it was made, from files, with no key or password given as such. "
                "Make it where it is used."
            )
        return _restore, (type(self), self._given)

    # What handshakes are made with.

    def _become_own(self) -> None:
        # From here on this context shares nothing: it was changed, or has what no other one has.
        if self._engine is not self:
            read_before = self._engine is not None
            self._engine = self
            explicit = self._sources if read_before else [source for source in self._sources if not is_deferred(source)]
            load_sources(self, resolve_sources(explicit))
            self._unread = () if read_before else tuple(source for source in self._sources if source not in explicit)

    def _change(self, change: Callable[[Engine], typing.Any]) -> None:
        with self._lock:
            if self._is_built:
                self._given = None
            if self._is_built and not self._reloads:
                self._become_own()
            if self._sessions is not None:
                self._sessions = Sessions()  # what was verified before counts no more
            change(self)
            if self._is_built and self._reloads:
                self._replay.append(change)
                self._state = None

    @property
    def _is_ready(self) -> bool:
        if self._reloads:
            return self._state is not None and self._state == self._look()
        return self._engine is not None and not (self._engine is self and self._unread)

    def _make_ready(self) -> None:
        # Blocks for some milliseconds: event loops do this on a thread, before they start the handshake.
        if self._is_ready:
            return
        with self._lock:
            if self._reloads:
                self._renew()
            elif self._engine is None:
                self._engine = shared_engine(resolve_sources(self._sources))
            elif self._engine is self and self._unread:
                load_sources(self, resolve_sources(self._unread))
                self._unread = ()

    def _look(self) -> Hashable:
        sources = [source for source in (*self._sources, *self._revocations) if isinstance(source, str)]
        return fingerprint_of_files([*sources, *(self._identity.paths() if self._identity else ())])

    def _renew(self) -> None:
        # All of it anew, from one reading of the files; if they are unusable, from the last reading that was not.
        state = self._look()
        if self._engine is not None and state == self._state:
            return
        try:
            files = self._read_files()
            engine = self._engine_of(files)
        except (OSError, ValueError) as error:
            if self._files is None:
                raise
            logger.warning("TLS files were replaced and cannot be used; what was read before stays in use. %s", error)
            files = self._files
            engine = self._engine_of(files)
        if self._sessions is not None and engine is not self._engine:
            self._sessions = Sessions()
        self._engine, self._files, self._state = engine, files, state

    def _engine_of(self, files: _Files) -> Engine:
        # The same one if that is what it was made from, and nothing was changed since, which takes away the state.
        if self._engine is not None and self._state is not None and files == self._files:
            return self._engine
        return self._build(files)

    def _read_files(self) -> _Files:
        sources = tuple(map(snapshot, resolve_sources(self._sources)))
        lists = tuple(read_source(source, "crl") for source in self._revocations)
        return _Files(sources, lists, None if self._identity is None else self._identity.read())

    def _build(self, files: _Files) -> Engine:
        engine = Engine()
        _copy_settings(self, engine)
        load_sources(engine, files.sources)
        for source in files.revocations:
            load_revocations(functools.partial(_Base.load_verify_locations, engine), source)
        if files.identity is not None:
            load_identity(functools.partial(_Base.load_cert_chain, engine), files.identity)
        for change in self._replay:
            change(engine)
        return engine

    # The interface of `ssl.SSLContext`.

    def __setattr__(self, name: str, value: typing.Any) -> None:
        if name not in _SETTINGS or not self._is_built:
            super().__setattr__(name, value)
            return
        set_it = super().__setattr__

        def change(context: Engine) -> None:
            set_it(name, value) if context is self else setattr(context, name, value)

        self._change(change)

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """As `ssl.SSLContext.set_alpn_protocols`. Without it, connections of HTTPX offer the HTTP versions that they speak."""
        chosen = tuple(alpn_protocols)

        def change(context: Engine) -> None:
            _Base.set_alpn_protocols(context, chosen)
            context._alpn = chosen

        self._change(change)
        self._has_chosen_alpn = True

    def load_cert_chain(
        self,
        certfile: str | bytes | os.PathLike[str] | os.PathLike[bytes],
        keyfile: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
        password: Password = None,
    ) -> None:
        """As `ssl.SSLContext.load_cert_chain`, but an encrypted key without a password is an error and never a prompt."""
        identity = Identity(name_path(certfile), None if keyfile is None else name_path(keyfile), password)
        self._change(lambda context: load_identity(functools.partial(_Base.load_cert_chain, context), identity))
        self._certificate = identity.describe()

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

        def make(engine: Engine, session: ssl.SSLSession | None) -> ssl.SSLSocket:
            return _Base.wrap_socket(engine, sock, server_side, False, suppress_ragged_eofs, server_hostname, session)

        tls: ssl.SSLSocket = self._wrap(make, server_side, server_hostname, session)
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

        def make(engine: Engine, session: ssl.SSLSession | None) -> ssl.SSLObject:
            return _Base.wrap_bio(engine, incoming, outgoing, server_side, server_hostname, session)

        tls: ssl.SSLObject = self._wrap(make, server_side, server_hostname, session)
        return tls

    def _wrap(
        self,
        make: Callable[[Engine, ssl.SSLSession | None], typing.Any],
        server_side: bool,
        server_hostname: str | bytes | None,
        session: ssl.SSLSession | None,
    ) -> typing.Any:
        self._make_ready()
        purpose = current_purpose()
        with self._lock:
            engine = self._engine or self
            if self._pins is not None:
                _refuse_foreign_classes(engine)
            sessions, key, kept = self._sessions, None, None
            alpn = engine._alpn if purpose is None or self._has_chosen_alpn else purpose.alpn
            if sessions is not None and session is None and isinstance(server_hostname, str) and purpose is not None and purpose.port:
                key = Key(server_hostname, purpose.port, alpn)
                kept = sessions.take(key)
            tls = _make_offering(alpn, engine, make, session if kept is None else kept.session)
        if not server_side and isinstance(tls, (WatchedObject, WatchedSocket)):
            tls._errand = Errand(self, self._pins, sessions, key, kept)
        return tls

    def get_ca_certs(self, binary_form: bool = False) -> typing.Any:
        """As `ssl.SSLContext.get_ca_certs`."""
        self._make_ready()
        return _Base.get_ca_certs(self._engine or self, binary_form)

    def cert_store_stats(self) -> dict[str, int]:
        """As `ssl.SSLContext.cert_store_stats`."""
        self._make_ready()
        return _Base.cert_store_stats(self._engine or self)

    def session_stats(self) -> dict[str, int]:
        """As `ssl.SSLContext.session_stats`; contexts of the same settings may share their numbers."""
        return _Base.session_stats(self._engine or self)

    def _describe_trust(self) -> str:
        if self._sources == (True,):
            return "certifi's bundle, verify=True"
        return f"verify={describe_sources(self._sources)}" if self._sources else "verify=False, nothing is verified"

    def __repr__(self) -> str:
        verify = describe_sources(self._sources) if self._sources else "False"
        cert = "" if self._certificate is None else f", cert={self._certificate}"
        return f"SSLContext(verify={verify}{cert})"


def _changing(name: str) -> Callable[..., None]:
    @functools.wraps(getattr(_Base, name))
    def method(self: SSLContext, *args: typing.Any, **kwargs: typing.Any) -> None:
        self._change(lambda context: getattr(_Base, name)(context, *args, **kwargs))

    return method


# Those of newer Python versions too.
for _name in (
    "load_verify_locations",
    "set_default_verify_paths",
    "set_ciphers",
    "set_ciphersuites",
    "set_groups",
    "set_client_sigalgs",
    "set_server_sigalgs",
    "set_ecdh_curve",
    "set_psk_client_callback",
    "load_dh_params",
):
    if hasattr(_Base, _name):
        setattr(SSLContext, _name, _changing(_name))


def _refuse_foreign_classes(engine: Engine) -> None:
    if not (issubclass(engine.sslobject_class, WatchedObject) and issubclass(engine.sslsocket_class, WatchedSocket)):
        raise ValueError("pins= are checked by the sslobject_class and sslsocket_class of httpx.SSLContext: do not exchange them.")


def _make_offering(alpn: tuple[str, ...], engine: Engine, make: Callable[..., typing.Any], session: ssl.SSLSession | None) -> typing.Any:
    # OpenSSL copies the offer from the context into the connection when that is made, and only then.
    with engine._lock:
        if alpn == engine._alpn:
            return make(engine, session)
        _Base.set_alpn_protocols(engine, alpn)
        try:
            return make(engine, session)
        finally:
            _Base.set_alpn_protocols(engine, engine._alpn)


def _copy_settings(context: SSLContext, engine: Engine) -> None:
    engine.check_hostname = False  # or verify_mode could not be set
    for name in ("verify_mode", "check_hostname", "hostname_checks_common_name", "options", "verify_flags"):
        setattr(engine, name, getattr(context, name))
    engine.minimum_version, engine.maximum_version = context.minimum_version, context.maximum_version
    _Base.set_alpn_protocols(engine, HTTP_1_1)


def _plain(value: typing.Any) -> typing.Any:
    # A copy that nobody changes later; None for what has more in it than plain values.
    if isinstance(value, dict):
        copied = {name: _plain(item) for name, item in value.items()}
        return None if any(copied[name] is None and value[name] is not None for name in copied) else copied
    if type(value) in (list, tuple):
        items = [_plain(item) for item in value]
        return None if any(item is None and value[index] is not None for index, item in enumerate(items)) else type(value)(items)
    return value if isinstance(value, (bool, str, bytes, os.PathLike)) else None


def _restore(kind: type[SSLContext], given: dict[str, typing.Any]) -> SSLContext:
    return kind(**given)
