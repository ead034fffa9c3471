"""From a TLS failure to its likely cause, by what OpenSSL said and what the server presented in that same handshake."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
import typing

from . import chain as chains
from .causes import BY_REASON, BY_VERIFY_CODE, CAUSES, INSPECTORS, REFUSALS
from .certificate import Certificate, parse_chain
from .pins import PinError
from .report import TLSReport, describe_chain, describe_names
from .system import system_trusts_issuer_of
from .trust import holds_hashed_names

_MIN_RSA_BITS = 2048


def diagnose(error: BaseException, host: str, port: int | None, context: ssl.SSLContext | None, after_handshake: bool = False) -> TLSReport:
    """Why TLS with `host` failed. `after_handshake` if it came with a read: a refusal of TLS 1.3 does (RFC 8446 section 4.4.2.4)."""
    host = _verified_name(error) or (host[1:-1] if host.startswith("[") else host)
    code = getattr(error, "verify_code", None) if isinstance(error, ssl.SSLCertVerificationError) else None
    chain = parse_chain(presented_chain(error))
    facts = Facts(error, host, context, chain)
    cause = facts.find_cause(code, after_handshake)
    meaning, remedy = CAUSES[cause]
    return TLSReport(
        host=host,
        port=port,
        cause=cause,
        check=facts["check"],
        meaning=meaning.format_map(facts),
        remedy=remedy.format_map(facts).strip(),
        trusted=facts["trusted"],
        chain=chain,
        verify_code=code,
    )


def notes_on(report: TLSReport) -> list[str]:
    """What goes under the traceback."""
    notes = []
    if report.chain:
        notes.append("\n".join(["The server presented:", *("   " + line for line in describe_chain(report.chain))]))
    if report.verify_code is not None:
        notes.append(f"Trusted here: {report.trusted}.")
    return notes


def describe_trust(context: ssl.SSLContext | None) -> str:
    """What a context trusts, in a few words."""
    describe = getattr(context, "_describe_trust", None)
    return str(describe()) if describe is not None else "what the ssl.SSLContext in use was given"


def presented_chain(error: BaseException) -> list[bytes]:
    """The certificates (DER) that the server sent in the handshake that failed with `error`, its own first.

    The TLS object still has them. It is found by the traceback, which leads through its `do_handshake` on every runtime
    and with every kind of context.
    """
    if isinstance(error, PinError):
        return list(error.presented)
    tls = _failed_object(error)
    return [] if tls is None else list(chains.presented_chain(tls))


def _failed_object(error: BaseException) -> ssl.SSLObject | ssl.SSLSocket | None:
    step = error.__traceback__
    while step is not None:
        owner = step.tb_frame.f_locals.get("self") if step.tb_frame.f_code.co_name == "do_handshake" else None
        if isinstance(owner, (ssl.SSLObject, ssl.SSLSocket)):
            return owner
        step = step.tb_next
    return None


def _verified_name(error: BaseException) -> str | None:
    # It is not the host connected to if the caller named another one to verify.
    name = getattr(_failed_object(error), "server_hostname", None)
    return name if isinstance(name, str) else None


class Facts(dict[str, typing.Any]):
    """What the templates of the causes speak of, each worked out when it is first asked for."""

    def __init__(self, error: BaseException, host: str, context: ssl.SSLContext | None, chain: tuple[Certificate, ...]) -> None:
        super().__init__(host=host)
        self.error = error
        self.context = context
        self.chain = chain
        self.now = datetime.datetime.now(datetime.UTC)
        self.words = f"{getattr(error, 'reason', None) or ''} {error}".upper().replace(" ", "_")

    def __missing__(self, name: str) -> typing.Any:
        value = self[name] = getattr(self, f"_{name}")()
        return value

    # Which cause it is.

    def find_cause(self, code: int | None, after_handshake: bool) -> str:
        if isinstance(self.error, PinError):
            return "pin-mismatch"
        if isinstance(self.error, ssl.SSLCertVerificationError):
            cause = BY_VERIFY_CODE.get(code or 0, "not-verified")
            return self._look_closer(cause)
        if isinstance(self.error, ssl.SSLError):
            cause = next((cause for part, cause in BY_REASON if part in self.words), "handshake-failed")
        elif isinstance(self.error, (ConnectionError, EOFError)):
            cause = "hung-up"
        else:
            return "handshake-failed"
        if after_handshake and cause in ("hung-up", "no-common-cipher"):
            return "hung-up-after-handshake" if cause == "hung-up" else "renegotiation-refused"
        if cause == "no-common-cipher" and self.chain and "ALERT_HANDSHAKE_FAILURE" in self.words:
            # The server sent its certificate, so the two had agreed on all that: it is ours that it misses (RFC 5246 section 7.4.6).
            cause = "client-certificate-refused" if self._presents_certificate() else "client-certificate-required"
        if cause == "client-certificate-refused" and "BAD_CERTIFICATE" in self.words and not self._presents_certificate():
            return "client-certificate-required"
        return cause

    def _presents_certificate(self) -> bool:
        return getattr(self.context, "_certificate", True) is not None

    def _look_closer(self, cause: str) -> str:
        if cause == "certificate-expired" and not self._is_outdated(self.chain[:1]):
            return "authority-expired" if self.chain else cause
        if cause == "wrong-name" and self.chain and not self.chain[0].names:
            return "no-names"
        if cause not in ("unknown-authority", "untrusted-root"):
            return cause
        if self["directory"] is not None and not holds_hashed_names(self["directory"]):
            return "unhashed-directory"
        if not self.chain:
            return cause
        if self["product"] is not None:
            return "intercepted"
        top = self["path"][-1]
        if system_trusts_issuer_of(top):
            return "trusted-by-system-only"
        return "missing-intermediate" if cause == "unknown-authority" and top.issuer_urls and not top.is_self_issued else cause

    def _is_outdated(self, certificates: typing.Iterable[Certificate]) -> bool:
        return any(certificate.not_after < self.now for certificate in certificates)

    # What is known.

    def _path(self) -> list[Certificate]:
        # From the server's certificate upwards; what it sent may be in disorder.
        path = [self.chain[0]]
        rest = list(self.chain[1:])
        while not path[-1].is_self_issued and (above := next((one for one in rest if path[-1].may_be_issued_by(one)), None)):
            rest.remove(above)
            path.append(above)
        return path

    def _check(self) -> str:
        if isinstance(self.error, ssl.SSLCertVerificationError):
            return getattr(self.error, "verify_message", None) or str(self.error)
        return getattr(self.error, "reason", None) or str(self.error) or "the server closed the connection"

    def _today(self) -> str:
        return f"{self.now:%Y-%m-%d %H:%M} UTC"

    def _directory(self) -> str | None:
        sources: tuple[typing.Any, ...] = getattr(self.context, "_sources", ())
        return sources[0] if len(sources) == 1 and isinstance(sources[0], str) and os.path.isdir(sources[0]) else None

    def _trusted(self) -> str:
        return describe_trust(self.context)

    def _add_it(self) -> str:
        sources: tuple[typing.Any, ...] | None = getattr(self.context, "_sources", None)
        if sources is None:
            return "context.load_verify_locations('path/to/it.pem')"
        others = ["..." if isinstance(source, bytes) else repr(source) for source in sources]
        return f"ssl_context=httpx.SSLContext(verify=[{', '.join([*others, repr('path/to/it.pem')])}])"

    def _product(self) -> str | None:
        issuers = " ".join(certificate.issuer for certificate in self.chain).lower()
        return next((product for part, product in INSPECTORS if part in issuers), None)

    def _on_expiry(self) -> str:
        return self._since(self.chain[0].not_after) if self.chain else ""

    def _authority_expiry(self) -> str:
        outdated = next((one for one in self.chain if one.not_after < self.now), None)
        return "" if outdated is None else f"{self._since(outdated.not_after)}: {outdated.subject}"

    def _since(self, when: datetime.datetime) -> str:
        days = (self.now - when).days
        return f" on {when:%Y-%m-%d %H:%M} UTC, {'less than a day' if days < 1 else '1 day' if days == 1 else f'{days} days'} ago"

    def _until_start(self) -> str:
        future = next((one for one in self.chain if one.not_before > self.now), None)
        return "" if future is None else f", only from {future.not_before:%Y-%m-%d %H:%M} UTC on"

    def _names(self) -> str:
        return describe_names(self.chain[0].names) if self.chain else "see the words of OpenSSL"

    def _similar(self) -> str:
        host, names = self["host"], self.chain[0].names if self.chain else ()
        if _is_address(host):
            named = next((name for name in names if not _is_address(name) and not name.startswith("*")), None)
            if named is not None:
                return f"To connect to an address and verify a name, say which: extensions={{'sni_hostname': {named!r}}}."
        other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
        return f"It does name {other}." if other in names else ""

    def _fingerprint(self) -> str:
        return self.chain[0].fingerprint if self.chain else "unknown"

    def _pin(self) -> str:
        return self.chain[0].key_pin if self.chain else "unknown"

    def _root(self) -> str:
        return self["path"][-1].subject if self.chain else "unknown"

    def _subject(self) -> str:
        return self["path"][-1].subject or "the server's certificate" if self.chain else "the server's certificate"

    def _issuer(self) -> str:
        return self["path"][-1].issuer if self.chain else "unknown"

    def _where_to_get_it(self) -> str:
        return f" (it is at {self['path'][-1].issuer_urls[0]})"

    def _weak_key(self) -> str:
        weak = next((one for one in self.chain if one.key.startswith("RSA ") and int(one.key[4:]) < _MIN_RSA_BITS), None)
        return "" if weak is None else f": {weak.key}, of {weak.subject}"

    def _weak_signature(self) -> str:
        weak = next((one for one in self.chain if one.has_weak_signature and not one.is_self_issued), None)
        return "" if weak is None else f": {weak.signature}, on {weak.subject}"

    def _refusal(self) -> str:
        return next((words for part, words in REFUSALS if part in self.words), "")

    def _versions(self) -> str:
        context = self.context
        if context is None:
            return "TLS 1.2 to TLS 1.3"
        least, most = context.minimum_version, context.maximum_version
        names = ["TLS 1.0" if least == ssl.TLSVersion.MINIMUM_SUPPORTED else _version_name(least)]
        names.append("TLS 1.3" if most == ssl.TLSVersion.MAXIMUM_SUPPORTED else _version_name(most))
        return names[0] if names[0] == names[1] else " to ".join(names)

    def _ciphers(self) -> int | str:
        return "some" if self.context is None else len(self.context.get_ciphers())


def _version_name(version: ssl.TLSVersion) -> str:
    return version.name.replace("v", " ").replace("_", ".")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
