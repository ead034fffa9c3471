"""What is known of a TLS connection that failed, or that was inspected: plain data, for people and for programs."""

from __future__ import annotations

import dataclasses
import datetime
import typing

from .certificate import Certificate
from .info import TLSInfo

_NAMES_SHOWN = 5
_ABOUT_NAMES = frozenset(("wrong-name", "no-names"))


class Check(typing.NamedTuple):
    """One thing that must be right."""

    name: str
    """What is looked at."""
    is_right: bool | None
    """None if the connection did not get that far, or it was not asked for."""
    detail: str
    """What was found."""


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
    """The certificates: after a failure those that the server presented, its own first, empty if none were received; else the
    verified chain."""
    verify_code: int | None = None
    """OpenSSL's number for a failed verification (`X509_V_ERR_...`)."""
    tls: TLSInfo | None = None
    """What was negotiated; None after a failure."""
    resumable: bool | None = None
    """Whether the server offers to continue the session on later connections; None if that was not looked at."""

    @property
    def is_ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.cause is None

    @property
    def days_left(self) -> int | None:
        """Days until the first certificate of the chain expires, negative if it has; None without a chain."""
        if not self.chain:
            return None
        return (min(certificate.not_after for certificate in self.chain) - datetime.datetime.now(datetime.UTC)).days

    @property
    def checks(self) -> list[Check]:
        """What was looked at, in order. OpenSSL stops at the first failure: what comes after it is unknown."""
        tls, code = self.tls, self.verify_code
        shaken = f"{tls.version}, {tls.cipher}{f', {tls.group}' if tls.group else ''}" if tls else self.check or ""
        done = tls is not None or code is not None or self.cause == "pin-mismatch"
        checks = [Check("handshake", done, shaken if done and tls else "" if done else shaken)]
        if not self.chain and tls is None:
            return checks
        checks.append(self._check_dates())
        verified = None if tls is not None and not tls.verified else True
        if tls is not None or self.cause == "pin-mismatch":
            is_trusted, is_named = verified, verified
        else:
            is_named = False if self.cause in _ABOUT_NAMES else None
            is_trusted = None if self.cause in _ABOUT_NAMES or code is None else False
        checks.append(Check("chain", is_trusted, self.check or "" if is_trusted is False else f"trusted here: {self.trusted}"))
        checks.append(Check("name", is_named, describe_names(self.chain[0].names) if self.chain else self.host))
        if self.cause == "pin-mismatch":
            checks.append(Check("pins", False, self.check or ""))
        if tls is not None:
            checks.append(Check("protocol", True, tls.alpn or "none chosen (ALPN)"))
        if self.resumable is not None:
            resumed = "resumption offered" if self.resumable else "no resumption: every connection takes a full handshake"
            checks.append(Check("session", self.resumable or None, resumed))
        return checks

    def _check_dates(self) -> Check:
        now = datetime.datetime.now(datetime.UTC)
        is_right = all(certificate.not_before <= now <= certificate.not_after for certificate in self.chain)
        days = self.days_left
        past = 0 if days is None else -days - 1  # whole days since the end
        gone = f"{past} day{'' if past == 1 else 's'} ago" if past else "less than a day ago"
        return Check("dates", is_right, "" if days is None else f"{days} days left" if days >= 0 else f"expired {gone}")

    def describe_chain(self) -> list[str]:
        """The certificates as lines of text, each below the one that it issued."""
        return describe_chain(self.chain)

    def render(self, *, plain: bool = False) -> str:
        """All of it as text for a terminal; `plain` in ASCII only."""
        right, wrong, unknown = ("ok", "FAILED", "-") if plain else ("✓", "✗", "·")
        place = self.host if self.port is None else f"{self.host}:{self.port}"
        lines = [f"{place}: {self.cause or ('nothing is wrong' if self.tls is None or self.tls.verified else 'not verified')}", ""]
        for name, is_right, detail in self.checks:
            mark = right if is_right else unknown if is_right is None else wrong
            lines.append(f"  {mark:{6 if plain else 1}} {name:<10} {detail}".rstrip())
        if self.chain:
            lines += ["", *(f"  {line}" for line in self.describe_chain())]
        if self.cause is not None:
            lines += ["", f"{self.meaning}", f"{self.remedy}", f"(Documentation: TLS errors, {self.cause}.)"]
        text = "\n".join(lines)
        return text.replace("└─", "`-").encode("ascii", "backslashreplace").decode("ascii") if plain else text

    def as_dict(self) -> dict[str, typing.Any]:
        """All of it in the types of JSON."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        told["chain"] = [certificate.as_dict() for certificate in self.chain]
        told["tls"] = None if self.tls is None else self.tls.as_dict()
        told["checks"] = [check._asdict() for check in self.checks]
        told["days_left"] = self.days_left
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
