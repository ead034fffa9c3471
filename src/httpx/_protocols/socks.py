"""The messages of SOCKS (RFC 1928 and RFC 1929, and SOCKS4a) that a client which only connects has use for.

Names are left to the proxy to resolve, in all versions.
"""

from __future__ import annotations

from .._exceptions import LocalProtocolError

NO_AUTHENTICATION, USERNAME_PASSWORD, NONE_ACCEPTABLE = 0x00, 0x02, 0xFF

IPV4, NAME, IPV6 = 0x01, 0x03, 0x04
ADDRESS_SIZES = {IPV4: 4, IPV6: 16}

SOCKS5_SUCCEEDED = 0x00
SOCKS5_REPLIES = {
    0x01: "general failure of the proxy",
    0x02: "its rules do not allow the connection",
    0x03: "the network cannot be reached",
    0x04: "the host cannot be reached",
    0x05: "connection refused",
    0x06: "the time to live expired",
    0x07: "it does not know the command",
    0x08: "it does not know the type of address",
}

SOCKS4_GRANTED = 0x5A
SOCKS4_REPLIES = {
    0x5B: "request rejected or failed",
    0x5C: "it could not reach identd on this machine",
    0x5D: "identd on this machine tells another user",
}


def socks5_greeting(has_credentials: bool) -> bytes:
    """The methods of authentication that we offer."""
    return b"\x05\x02\x00\x02" if has_credentials else b"\x05\x01\x00"


def socks5_credentials(username: bytes, password: bytes) -> bytes:
    """User name and password (RFC 1929). Raises `LocalProtocolError` if they do not fit."""
    if not 0 < len(username) < 256 or len(password) > 255:
        raise LocalProtocolError("SOCKS5 takes a user name of 1 to 255 bytes and a password of at most 255.")
    return b"\x01%c%b%c%b" % (len(username), username, len(password), password)


def socks5_connect(host: str, port: int) -> bytes:
    """The request to connect to `host`, an IP address or a name. Raises `LocalProtocolError` for a name that does not fit."""
    address = _packed(host)
    if address is not None:
        kind = IPV4 if len(address) == 4 else IPV6
        return b"\x05\x01\x00%c%b%b" % (kind, address, port.to_bytes(2, "big"))
    name = _name(host)
    return b"\x05\x01\x00%c%c%b%b" % (NAME, len(name), name, port.to_bytes(2, "big"))


def socks4a_connect(host: str, port: int, username: bytes) -> bytes:
    """The request to connect to `host`, an IPv4 address or a name. Raises `LocalProtocolError` for what SOCKS4a cannot say."""
    if b"\0" in username:
        raise LocalProtocolError("A user name for SOCKS4a holds no NUL.")
    address = _packed(host)
    if address is None:
        # An address that cannot exist says that a name follows.
        return b"\x04\x01%b\x00\x00\x00\x01%b\x00%b\x00" % (port.to_bytes(2, "big"), username, _name(host))
    if len(address) != 4:
        raise LocalProtocolError(f"SOCKS4a has no IPv6 addresses ({host}): use a SOCKS5 proxy.")
    return b"\x04\x01%b%b%b\x00" % (port.to_bytes(2, "big"), address, username)


def _packed(host: str) -> bytes | None:
    import ipaddress

    try:
        return ipaddress.ip_address(host.partition("%")[0]).packed
    except ValueError:
        return None


def _name(host: str) -> bytes:
    name = host.encode("ascii")
    if not 0 < len(name) < 256 or b"\0" in name:
        raise LocalProtocolError("SOCKS takes a host name of 1 to 255 bytes.")
    return name
