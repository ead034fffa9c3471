"""What is known of a TLS connection that failed, or that was inspected: plain data, for people and for programs."""

from __future__ import annotations

import dataclasses
import typing

from .certificate import Certificate

_NAMES_SHOWN = 5


@dataclasses.dataclass(frozen=True, slots=True)
class TLSReport:
    """Who was asked for, what was presented, which check failed, and what to do about it.

    `error.report` of every `httpx.TLSError`, and what `httpx.inspect_tls()` returns.
    """

    host: str
    """The host that the server had to prove to be."""
    port: int | None
    """The port connected to, if there is one."""
    cause: str | None
    """The stable name of the cause, a section of the documentation's page "TLS errors"; None if nothing is wrong."""
    check: str | None
    """The check that failed, in the words of OpenSSL."""
    meaning: str | None
    """What that means."""
    remedy: str | None
    """What to do about it."""
    trusted: str
    """What was trusted: `certifi's bundle, verify=True`."""
    chain: tuple[Certificate, ...] = ()
    """The certificates that the server presented, its own first; empty if none were received."""
    verify_code: int | None = None
    """OpenSSL's number for a failed verification (`X509_V_ERR_...`)."""

    def describe_chain(self) -> list[str]:
        """The presented certificates as lines of text, each below the one that it issued."""
        return describe_chain(self.chain)

    def as_dict(self) -> dict[str, typing.Any]:
        """All of it in the types of JSON."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        told["chain"] = [certificate.as_dict() for certificate in self.chain]
        return told


def describe_chain(chain: typing.Sequence[Certificate]) -> list[str]:
    """Certificates as lines of text, each below the one that it issued."""
    lines = []
    for depth, certificate in enumerate(chain):
        lines.append(f"{_branch(depth)}{certificate.subject or '(no subject)'}")
        indent = "   " * (depth + 1)
        dates = f"valid {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"
        lines.append(f"{indent}{dates}, key {certificate.key}, signed {certificate.signature}")
        if certificate.names:
            lines.append(f"{indent}for {describe_names(certificate.names)}")
        lines.append(f"{indent}SHA-256 {certificate.fingerprint}")
    if chain and not chain[-1].is_self_issued:
        lines.append(f"{_branch(len(chain))}issued by {chain[-1].issuer or '(no name)'}")
    return lines


def _branch(depth: int) -> str:
    return f"{'   ' * (depth - 1)}└─ " if depth else ""


def describe_names(names: tuple[str, ...]) -> str:
    """The first few of the names, and how many more there are."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown} and {len(names) - _NAMES_SHOWN} more"
