"""Contexts that handshakes are made with, behind those that users have: one for all that ask for the same.

To read a bundle of authorities takes 17 milliseconds and two thirds of a megabyte. Contexts that differ in nothing share what was
read; since nobody else gets hold of it, nobody can change it for the others.
"""

from __future__ import annotations

import ssl
import sys
import threading
import typing
import weakref
from collections.abc import Hashable

from .connection import WatchedObject, WatchedSocket
from .identity import fingerprint_of_files
from .offer import HTTP_1_1
from .trust import Source, load_source

if typing.TYPE_CHECKING:
    _Inherited = ssl.SSLContext
else:
    # truststore.inject_into_ssl() puts a class at ssl.SSLContext that is a façade of another context: nothing that we
    # set on such a base would arrive. gevent's, on the other hand, is the one to build on where it is in place.
    _Inherited = next(kind for kind in ssl.SSLContext.__mro__ if not kind.__module__.startswith("truststore"))

NATIVE: type = _Inherited.__mro__[-2]  # the class below all others, written in C


class Engine(_Inherited):
    """A hardened context for clients, made with PROTOCOL_TLS_CLIENT whatever arguments its subclasses take."""

    sslobject_class: type[ssl.SSLObject] = WatchedObject
    sslsocket_class: type[ssl.SSLSocket] = WatchedSocket
    _lock: threading.Lock  # held while a TLS object is made, and for what that depends on
    _alpn: tuple[str, ...]

    def __new__(cls, *args: typing.Any, **kwargs: typing.Any) -> typing.Self:
        self = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        object.__setattr__(self, "_lock", threading.Lock())
        object.__setattr__(self, "_alpn", HTTP_1_1)
        return self


def _reach_through(name: str) -> property:
    # The setters of `ssl.SSLContext` find the attribute to set by the global name of their class, and recurse for ever
    # once that name leads elsewhere (truststore.inject_into_ssl() after `import httpx`).
    native = vars(NATIVE)[name]
    return property(getattr(_Inherited, name).fget, lambda self, value: native.__set__(self, value))


for _name in ("maximum_version", "minimum_version", "options", "verify_flags", "verify_mode"):
    setattr(Engine, _name, _reach_through(_name))


def harden(context: Engine) -> None:
    """The settings that every context of ours begins with."""
    context.hostname_checks_common_name = False
    # CPython hides a connection that was cut behind an orderly end; we tell the two apart (RFC 8446 section 6.1).
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    context.options |= ssl.OP_NO_RENEGOTIATION  # TLS 1.3 has none, and HTTP/2 forbids it (RFC 9113 section 9.2.1)
    if context.minimum_version < ssl.TLSVersion.TLSv1_2:  # a Python built with the system's defaults may allow less (RFC 8996)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    _Inherited.set_alpn_protocols(context, HTTP_1_1)
    # Each Python version's own create_default_context() is the measure: 3.11 and 3.12 do not set these.
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT


def demand_revocation_lists(context: ssl.SSLContext) -> None:
    """Refuse certificates that no revocation list of their issuer speaks of."""
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def load_sources(context: Engine, sources: typing.Iterable[Source]) -> None:
    """Trust these authorities, beside those that are trusted already."""
    for source in sources:
        load_source(typing.cast("typing.Callable[..., None]", super(Engine, context).load_verify_locations), source)


_lock = threading.Lock()
_engines: weakref.WeakValueDictionary[Hashable, Engine] = weakref.WeakValueDictionary()


def shared_engine(sources: tuple[Source, ...]) -> Engine:
    """The engine that trusts these authorities and differs from others in nothing else. Reads them if nobody has yet.

    A file that has changed since is read again.
    """
    key = tuple(map(_fingerprint, sources))
    with _lock:
        engine = _engines.get(key)
        if engine is None:
            engine = Engine()
            harden(engine)
            load_sources(engine, sources)
            _engines[key] = engine
        return engine


def _fingerprint(source: Source) -> Hashable:
    # Bytes stand for themselves: a key keeps them no longer than what was made from them lives.
    return source if isinstance(source, bytes) else fingerprint_of_files([source])
