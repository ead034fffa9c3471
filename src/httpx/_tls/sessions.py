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

REUSE = 10.0
"""Seconds for which a ticket of TLS 1.3 may be used again.

Who uses a ticket again can be recognized by it (RFC 8446 appendix C.4). Connections that follow each other so closely come from the
same address anyway; and to read a session takes 0.2 ms (it is encoded and decoded), which is more than resuming it saves. With 0 each
ticket is used once.
"""


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
    received: float
    is_ticket: bool
    """One of TLS 1.3, which is not to be used again after `REUSE` seconds."""


class _Kept:
    # The sessions of one server, the newest last.
    __slots__ = ("may_reuse", "sessions")

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.may_reuse = True


class Sessions:
    """The sessions of one context in its present state. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_key: collections.OrderedDict[Key, _Kept] = collections.OrderedDict()

    def take(self, key: Key) -> Session | None:
        """The newest session for this server, if there is one that may be resumed."""
        now = time.monotonic()
        with self._lock:
            kept = self._by_key.get(key)
            while kept is not None and kept.sessions:
                session = kept.sessions[-1]
                is_outdated = now - session.began > MAX_AGE
                if is_outdated or (session.is_ticket and not _may_be_reused(kept, now)):
                    kept.sessions.pop()
                if not is_outdated:
                    self._by_key.move_to_end(key)
                    return session
            return None

    def has_enough(self, key: Key) -> bool:
        """Whether the sessions kept for this server will do for the next connections."""
        with self._lock:
            kept = self._by_key.get(key)
            return kept is not None and len(kept.sessions) == MAX_EACH and _may_be_reused(kept, time.monotonic())

    def put(self, key: Key, session: Session) -> None:
        """Keep a session."""
        with self._lock:
            kept = self._by_key.setdefault(key, _Kept())
            kept.sessions.append(session)
            del kept.sessions[:-MAX_EACH]
            self._by_key.move_to_end(key)
            if len(self._by_key) > MAX_SERVERS:
                self._by_key.popitem(last=False)

    def refuse(self, key: Key, session: Session) -> None:
        """The server did not resume this session. If it is one that may be used again, that may be why: it takes each of them once."""
        with self._lock:
            kept = self._by_key.get(key)
            if kept is not None and session in kept.sessions:
                kept.sessions.remove(session)
                kept.may_reuse = False


def _may_be_reused(kept: _Kept, now: float) -> bool:
    return kept.may_reuse and now - kept.sessions[-1].received < REUSE
