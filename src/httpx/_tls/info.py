"""What one TLS connection came to: noted once after the handshake, so that it is still known when the connection is gone."""

from __future__ import annotations

import ssl
import typing

from .chain import presented_chain, verified_chain

if typing.TYPE_CHECKING:
    from .certificate import Certificate


class TLSInfo:
    """The facts of a TLS connection, as `response.tls` has them."""

    __slots__ = ("_chain", "_peer", "alpn", "cipher", "group", "resumed", "server_name", "verified", "version")

    version: str
    """`TLSv1.3` or `TLSv1.2`."""
    cipher: str
    """The cipher suite: `TLS_AES_256_GCM_SHA384`."""
    group: str | None
    """The group that keys were exchanged in, such as `X25519MLKEM768`, where Python can tell (3.15)."""
    alpn: str | None
    """The protocol that the server chose (RFC 7301): `h2`, `http/1.1`, or None if it chose none."""
    resumed: bool
    """Whether an earlier session was continued; what was verified then holds now."""
    server_name: str
    """The name that the server was asked for and had to prove."""
    verified: bool
    """Whether the server had to prove that name, by a chain that ends in a trusted certificate."""

    def __init__(self, tls: ssl.SSLObject | ssl.SSLSocket, context: ssl.SSLContext, server_name: str) -> None:
        self.version = tls.version() or "unknown"
        cipher = tls.cipher()
        self.cipher = "unknown" if cipher is None else cipher[0]
        group: typing.Any = getattr(tls, "group", None)
        self.group = None if group is None else group()
        self.alpn = tls.selected_alpn_protocol()
        self.resumed = bool(tls.session_reused)
        self.server_name = server_name
        self.verified = context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
        kept = getattr(getattr(tls, "_errand", None), "resumed", None) if self.resumed else None
        self._chain: tuple[bytes, ...] = () if kept is None else kept.chain
        self._peer = self._chain[0] if self._chain else tls.getpeercert(True)
        if kept is None:
            self._chain = verified_chain(tls) if self.verified else presented_chain(tls)

    @property
    def peer_certificate(self) -> Certificate | None:
        """The server's certificate, None if it cannot be read."""
        from .certificate import parse_chain

        return next(iter(parse_chain(() if self._peer is None else (self._peer,))), None)

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """The chain that was verified, the server's certificate first, a trusted one last; not verified, what the server sent."""
        from .certificate import parse_chain

        return parse_chain(self._chain)

    def as_dict(self) -> dict[str, typing.Any]:
        """All of it in the types of JSON."""
        names = ("version", "cipher", "group", "alpn", "resumed", "server_name", "verified")
        return {**{name: getattr(self, name) for name in names}, "chain": [certificate.as_dict() for certificate in self.chain]}

    def __repr__(self) -> str:
        verified = "" if self.verified else ", not verified"
        return f"<TLSInfo {self.version}, {self.cipher}, {self.server_name}{', resumed' if self.resumed else ''}{verified}>"
