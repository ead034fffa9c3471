"""TLS sessions that a context may resume (RFC 8446 section 2.2, RFC 5246 section 7.3).

A resumed handshake verifies nothing: it continues what was verified before. Sessions are therefore kept per context, for one
server name, port and offer of protocols, and are gone as soon as anything about the context changes.
"""

from __future__ import annotations

import collections
import ssl
import threading
import time
import typing

MAX_SERVERS = 256
"""Servers whose sessions a context keeps; those not used for longest are forgotten."""

MAX_EACH = 4
"""Sessions kept for one server."""

MAX_AGE = 24 * 3600.0
"""Seconds after which the server is verified anew, whatever it allows."""


class Key(typing.NamedTuple):
    """What a session belongs to."""

    server_name: str
    port: int
    alpn: tuple[str, ...]


class Session(typing.NamedTuple):
    """A session, and what was verified when it began."""

    session: ssl.SSLSession
    chain: tuple[bytes, ...]
    began: float
    only_once: bool
    """In TLS 1.3 nobody should recognize a client by the ticket that it uses again (RFC 8446 appendix C.4)."""


class Sessions:
    """The sessions of one context in its present state. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_key: collections.OrderedDict[Key, list[Session]] = collections.OrderedDict()

    def take(self, key: Key) -> Session | None:
        """The newest session for this server, if there is one that may be resumed."""
        now = time.monotonic()
        with self._lock:
            kept = self._by_key.get(key)
            while kept:
                session = kept[-1]
                is_outdated = now - session.began > MAX_AGE
                if session.only_once or is_outdated:
                    kept.pop()
                if not is_outdated:
                    self._by_key.move_to_end(key)
                    return session
            return None

    def put(self, key: Key, session: Session) -> None:
        """Keep a session."""
        with self._lock:
            kept = self._by_key.setdefault(key, [])
            kept.append(session)
            del kept[:-MAX_EACH]
            self._by_key.move_to_end(key)
            if len(self._by_key) > MAX_SERVERS:
                self._by_key.popitem(last=False)
