"""The TLS objects that our contexts make: they check pins after the handshake, and keep the session once there is one."""

from __future__ import annotations

import ssl
import time
import typing

from .chain import verified_chain
from .sessions import Key, Session, Sessions

if typing.TYPE_CHECKING:
    from .pins import Pins

_READS = 2  # reads with data after which a server that has given no ticket is taken to give none

TLSObject = ssl.SSLObject | ssl.SSLSocket


class Errand:
    """What a TLS object has to do beside its own work."""

    __slots__ = ("key", "owner", "pins", "reads_left", "resumed", "sessions")

    def __init__(
        self, owner: ssl.SSLContext, pins: Pins | None, sessions: Sessions | None, key: Key | None, resumed: Session | None
    ) -> None:
        self.owner = owner
        self.pins = pins
        self.sessions = sessions
        self.key = key
        self.resumed = resumed
        self.reads_left = _READS

    def after_handshake(self, tls: TLSObject) -> None:
        """The handshake is done, and nothing has been sent. Raises `PinError`."""
        if tls.session_reused:
            return
        if self.pins is not None:
            self.pins.check(tls.server_hostname or "", verified_chain(tls))
        if self.sessions is not None and self.key is not None and self.resumed is not None:
            self.sessions.refuse(self.key, self.resumed)

    def after_read(self, tls: TLSObject) -> bool:
        """Data has arrived, before which TLS 1.3 has no session to keep. Returns whether there is nothing left to do."""
        if self.sessions is None or self.key is None or self.sessions.has_enough(self.key):
            return True
        self.reads_left -= 1
        try:
            session = tls.session
        except (ssl.SSLError, ValueError):  # OpenSSL encodes none that are larger than 64 kB, as with a certificate of many names
            return True
        if session is None or not (session.has_ticket or session.id):
            return self.reads_left == 0
        is_ticket = tls.version() == "TLSv1.3"
        if is_ticket and not session.has_ticket:
            return self.reads_left == 0
        # What a session continues was verified when its first connection was made, and is no fresher for being resumed.
        is_resumed = self.resumed is not None and tls.session_reused
        now = time.monotonic()
        chain, began = (self.resumed.chain, self.resumed.began) if is_resumed and self.resumed else (verified_chain(tls), now)
        self.sessions.put(self.key, Session(session, chain, began, now, is_ticket))
        return True


def context_of(tls: TLSObject) -> ssl.SSLContext:
    """The context that its user knows, which may differ from the one that OpenSSL works with."""
    errand: Errand | None = getattr(tls, "_errand", None)
    return tls.context if errand is None else errand.owner


class WatchedObject(ssl.SSLObject):
    """An `ssl.SSLObject` on an errand. Once that is done its class is the plain one, so that it costs nothing any more."""

    _errand: Errand | None = None

    def do_handshake(self) -> None:
        """As `ssl.SSLObject.do_handshake`; then pins are checked."""
        super().do_handshake()
        if self._errand is not None:
            self._errand.after_handshake(self)

    def read(self, len: int = 1024, buffer: typing.Any = None) -> typing.Any:
        """As `ssl.SSLObject.read`."""
        data = ssl.SSLObject.read(self, len, buffer)  # not by super(), which insists on the class
        # Who has this method goes on with it when the class is exchanged.
        if type(self) is WatchedObject and self._errand is not None and data and self._errand.after_read(self):
            self.__class__ = SettledObject  # type: ignore[assignment]
        return data


class SettledObject(ssl.SSLObject):
    """An `ssl.SSLObject` whose errand is done."""

    _errand: Errand | None = None


class WatchedSocket(ssl.SSLSocket):
    """An `ssl.SSLSocket` on an errand. Once that is done its class is the plain one, so that it costs nothing any more."""

    _errand: Errand | None = None

    def do_handshake(self, block: bool = False) -> None:
        """As `ssl.SSLSocket.do_handshake`; then pins are checked."""
        super().do_handshake(block)
        if self._errand is not None:
            self._errand.after_handshake(self)

    def read(self, len: int = 1024, buffer: typing.Any = None) -> typing.Any:
        """As `ssl.SSLSocket.read`."""
        data = ssl.SSLSocket.read(self, len, buffer)
        if type(self) is WatchedSocket and self._errand is not None and data and self._errand.after_read(self):
            self.__class__ = SettledSocket  # type: ignore[assignment]
        return data


class SettledSocket(ssl.SSLSocket):
    """An `ssl.SSLSocket` whose errand is done."""

    _errand: Errand | None = None
