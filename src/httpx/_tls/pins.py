"""Pins: the public keys that a server's chain must have one of, beside being valid (RFC 7469 section 2.4)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import ssl
import typing
from collections.abc import Iterable, Mapping

from .._exceptions import InvalidURL
from .._models.url import URL


class PinError(ssl.SSLCertVerificationError):
    """The chain is valid, and holds none of the pinned keys."""

    presented: tuple[bytes, ...] = ()
    """The chain (DER)."""


class Pins:
    """The pins of each host."""

    def __init__(self, pins: Mapping[str, Iterable[str]]) -> None:
        if not isinstance(pins, Mapping):
            raise TypeError(f"pins= maps hosts to lists of pins, {{'api.example': ['sha256/...']}}; not {type(pins).__name__}.")
        self._by_host: dict[str, frozenset[str]] = {}
        for host, values in pins.items():
            if isinstance(values, str):
                raise TypeError(f"pins= maps a host to a list of pins: write {{{host!r}: [{values!r}]}}.")
            checked = frozenset(map(_check, values))
            if not checked:
                raise ValueError(f"pins= names no pin for {host!r}: leave the host out, or no connection to it can be made.")
            self._by_host[_name(host)] = checked

    def check(self, host: str, chain: tuple[bytes, ...]) -> None:
        """Raise `PinError` unless a key in the verified chain is pinned for this host, or none is."""
        pinned = self._by_host.get(_fold(host))
        if pinned is None:
            return
        from .certificate import key_pin_of

        if not any(key_pin_of(certificate) in pinned for certificate in chain):
            error = PinError(1, f"no key in the certificate chain of {host!r} is one of its pins")
            error.presented = chain
            raise error


def _fold(host: str) -> str:
    return host.lower().rstrip(".")


def _name(host: str) -> str:
    # As it is verified, or the pins would never be looked at.
    bare = host.strip("[]")
    url = f"https://{f'[{bare}]' if ':' in bare else bare}"
    parsed = None
    with contextlib.suppress(InvalidURL):
        parsed = URL(url)
    if (
        parsed is None
        or not parsed.raw_host
        or parsed.userinfo
        or parsed.port is not None
        or parsed.raw_path != b"/"
        or not set(host).isdisjoint("*/")
    ):
        raise ValueError(f"pins= names {host!r}, which is no host: write its name as in URLs, without scheme, port and stars.")
    return _fold(parsed.raw_host.decode("ascii"))


def _check(pin: typing.Any) -> str:
    algorithm, _, value = pin.partition("/") if isinstance(pin, str) else ("", "", "")
    try:
        is_right = algorithm == "sha256" and len(base64.b64decode(value, validate=True)) == 32
    except binascii.Error:
        is_right = False
    if not is_right:
        raise ValueError(f"A pin is 'sha256/' and the SHA-256 of a public key in base64 (see Certificate.key_pin), not {pin!r}.")
    return str(pin)
