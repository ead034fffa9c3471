"""From a TLS failure to its likely cause, by what OpenSSL said and what the server presented in that same handshake."""

from __future__ import annotations

import datetime
import os
import re
import ssl
import typing

from . import chain as chains
from .causes import ASK_WHICH, BY_REASON, BY_VERIFY_CODE, CAUSES, GIVE_CERT, INSPECTORS, REFUSALS
from .certificate import Certificate, covers, is_address, parse_chain
from .connection import context_of
from .pins import PinError
from .report import TLSReport, describe_chain, describe_names
from .system import system_trusts_issuer_of
from .trust import holds_certificate, holds_hashed_names

_MIN_RSA_BITS = 2048
_FORBIDDEN_BY = {version: getattr(ssl, f"OP_NO_{version.name}") for version in sorted(ssl.TLSVersion) if version >= ssl.TLSVersion.TLSv1}
_WHOLE_CHAIN = ssl.VERIFY_CRL_CHECK_CHAIN & ~ssl.VERIFY_CRL_CHECK_LEAF


def diagnose(error: BaseException, host: str, port: int | None, context: ssl.SSLContext | None, after_handshake: bool = False) -> TLSReport:
    """Why TLS with `host` failed. `after_handshake` if it came with a read: a refusal of TLS 1.3 does (RFC 8446 section 4.4.2.4)."""
    host = _verified_name(error) or (host[1:-1] if host.startswith("[") else host)
    if context is None and (tls := _failed_object(error)) is not None:
        context = context_of(tls)
    code = getattr(error, "verify_code", None) if isinstance(error, ssl.SSLCertVerificationError) else None
    chain = parse_chain(presented_chain(error))
    facts = Facts(error, host, context, chain, code)
    cause = facts.find_cause(after_handshake)
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

    The TLS object still has them. It is found by the traceback, which leads through its `do_handshake` (or `read`) on every
    runtime and with every kind of context.
    """
    if isinstance(error, PinError):
        return list(error.presented)
    tls = _failed_object(error)
    return [] if tls is None else list(chains.presented_chain(tls))


def _failed_object(error: BaseException) -> ssl.SSLObject | ssl.SSLSocket | None:
    step = error.__traceback__
    while step is not None:
        owner = step.tb_frame.f_locals.get("self") if step.tb_frame.f_code.co_name in ("do_handshake", "read") else None
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

    def __init__(
        self, error: BaseException, host: str, context: ssl.SSLContext | None, chain: tuple[Certificate, ...], code: int | None
    ) -> None:
        super().__init__(host=host)
        self.error = error
        self.code = code
        self.context = context
        self.chain = chain
        self.now = datetime.datetime.now(datetime.UTC)
        self.words = f"{getattr(error, 'reason', None) or ''} {error}".upper().replace(" ", "_")

    def __missing__(self, name: str) -> typing.Any:
        value = self[name] = getattr(self, f"_{name}")()
        return value

    # Which cause it is.

    def find_cause(self, after_handshake: bool) -> str:
        if isinstance(self.error, PinError):
            return "pin-mismatch"
        if isinstance(self.error, ssl.SSLCertVerificationError):
            return self._look_closer(BY_VERIFY_CODE.get(self.code or 0, "not-verified"))
        if isinstance(self.error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):  # whose words differ
            cause = "hung-up"
        elif isinstance(self.error, ssl.SSLError):
            cause = next((cause for part, cause in BY_REASON if part in self.words), "handshake-failed")
        elif isinstance(self.error, (ConnectionError, EOFError)):
            cause = "hung-up"
        else:
            return "handshake-failed"
        if after_handshake and cause in ("hung-up", "no-common-cipher"):
            return "hung-up-after-handshake" if cause == "hung-up" else "renegotiation-refused"
        if cause == "no-common-cipher" and self.chain and "ALERT_HANDSHAKE_FAILURE" in self.words:
            # The server sent its certificate, so the two had agreed on all that: it is ours that it misses (RFC 5246 section 7.4.6).
            cause = "client-certificate-required" if self._presents_certificate is False else "client-certificate-refused"
        if cause == "client-certificate-refused" and self._presents_certificate is False:
            # Some servers say this of a certificate that is not there; others of one that they met on the other side.
            is_missed = "BAD_CERTIFICATE" in self.words or "CERTIFICATE_UNKNOWN" in self.words or "HANDSHAKE_FAILURE" in self.words
            return "client-certificate-required" if is_missed else "broken-off"
        return cause

    @property
    def _presents_certificate(self) -> bool | None:
        # None if that is not known: contexts of other classes do not say.
        certificate = getattr(self.context, "_certificate", False)
        return None if certificate is False else certificate is not None

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
        if cause == "unknown-authority" and self._is_trusted_itself():
            return "not-a-root"
        if self["product"] is not None:
            return "intercepted"
        top = self["path"][-1]
        if system_trusts_issuer_of(top):
            return "trusted-by-system-only"
        return "missing-intermediate" if cause == "unknown-authority" and top.issuer_urls and not top.is_self_issued else cause

    def _is_trusted_itself(self) -> bool:
        # Whether verify= names the server's own certificate.
        sources: tuple[typing.Any, ...] = getattr(self.context, "_sources", ())
        return any(holds_certificate(source, self.chain[0].der) for source in sources if not isinstance(source, bool))

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
        outdated = self["outdated"]
        if outdated is None:
            return f"An authority that is trusted here ({self['trusted']}) has expired: {self['issuer']}."
        return f"The certificate of an authority in the chain expired{self._since(outdated.not_after)}: {outdated.subject}."

    def _renew_authority(self) -> str:
        outdated = self["outdated"]
        if outdated is None or outdated.is_self_issued:
            return f"It must be replaced by the authority's current certificate in what is trusted here ({self['trusted']})."
        return "The server's operator must send the authority's current certificate."

    def _outdated(self) -> Certificate | None:
        return next((one for one in self.chain if one.not_after < self.now), None)

    def _since(self, when: datetime.datetime) -> str:
        days = (self.now - when).days
        return f" on {when:%Y-%m-%d %H:%M} UTC, {'less than a day' if days < 1 else '1 day' if days == 1 else f'{days} days'} ago"

    def _not_yet_valid(self) -> str:
        future = next((one for one in self.chain if one.not_before > self.now), None)
        if future is None:
            return f"An authority that is trusted here ({self['trusted']}) is not valid yet."
        whose = (
            "The server's certificate" if future is self.chain[0] else f"The certificate of an authority in the chain ({future.subject})"
        )
        return f"{whose} is not valid yet, only from {future.not_before:%Y-%m-%d %H:%M} UTC on."

    def _besides(self) -> str:
        # What OpenSSL would say next: it stops at the first thing that is wrong.
        if not self.chain:
            return ""
        problems = []
        if self._is_outdated(self.chain[:1]):
            problems.append(f"expired{self['on_expiry']}")
        elif self.chain[0].not_before > self.now:
            problems.append(f"is valid only from {self.chain[0].not_before:%Y-%m-%d %H:%M} UTC on")
        if (self.context is None or self.context.check_hostname) and not covers(self.chain[0].names, self["host"]):
            problems.append(f"is for {self['names']}, not for {self['host']}" if self.chain[0].names else "names no host")
        return f" That alone will not do, though: the server's certificate {', and '.join(problems)}." if problems else ""

    def _names(self) -> str:
        return describe_names(self.chain[0].names) if self.chain else "see the words of OpenSSL"

    def _and_expired(self) -> str:
        return f"; and it expired{self['on_expiry']}" if self._is_outdated(self.chain[:1]) else ""

    def _similar(self) -> str:
        host, names = self["host"], self.chain[0].names if self.chain else ()
        if is_address(host):
            if f"DNS:{host}" in names:
                return f"It holds the address as the name of a host, which does not count: it must be issued with subjectAltName=IP:{host}."
            named = next((name for name in names if not is_address(name) and not name.startswith("*")), None)
            if named is not None:
                return f"To connect to an address and verify a name, say which: extensions={{'sni_hostname': {named!r}}}."
        for name in names:
            if name.startswith("*.") and name.count(".") == 1 and host.count(".") == 1 and host.endswith(name[1:]):
                return f"OpenSSL takes no star that a single label follows, as in {name}: {host} itself must be named."
            if name.startswith("*.") and f".{host}".endswith(name[1:]):
                return f"The star of {name} stands for exactly one label, so it does not cover {host}."
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

    def _list_problem(self) -> str:
        is_leafs = self.chain and self.context is not None and not self.context.verify_flags & _WHOLE_CHAIN
        issuer = self.chain[0].issuer if is_leafs else "an authority of the chain"
        return {11: "the list of {} is not valid yet", 12: "the list of {} has expired"}.get(
            self.code or 0, "there is no valid list of {}"
        ).format(issuer)

    def _revoked(self) -> str:
        if not self.chain or self.context is None or self.context.verify_flags & _WHOLE_CHAIN:
            return "a certificate in the chain"
        return f"the server's certificate (serial number {self.chain[0].serial_number:x}, issued by {self.chain[0].issuer})"

    def _weak_key(self) -> str:
        weak = next((one for one in self.chain if one.key.startswith("RSA ") and int(one.key[4:]) < _MIN_RSA_BITS), None)
        if weak is None:
            return f": that of an authority which is trusted here, {self['issuer']}" if self.chain else ""
        return f": {weak.key}, of {weak.subject or 'the server itself'}"

    def _weak_signature(self) -> str:
        weak = next((one for one in self.chain if one.has_weak_signature and not one.is_self_issued), None)
        return "" if weak is None else f": {weak.signature}, on {weak.subject or 'that of the server itself'}"

    def _refusal(self) -> str:
        return next((f": {meaning}" for part, (meaning, _) in REFUSALS.items() if part in self.words), "")

    def _after_refusal(self) -> str:
        return next((remedy for part, (_, remedy) in REFUSALS.items() if part in self.words), ASK_WHICH)

    def _if_none(self) -> str:
        if self._presents_certificate:
            return ""
        return f" {'No client certificate was passed' if self._presents_certificate is False else 'If none was passed'}: {GIVE_CERT}."

    def _if_wanted(self) -> str:
        return "" if self._presents_certificate else f" If it wants a client certificate: {GIVE_CERT}."

    def _alert(self) -> str:
        named = re.search(r"(?:ALERT_|TLSV1_(?!ALERT))([A-Z_]+)", (getattr(self.error, "reason", None) or self.words))
        return f" (its alert: {named[1].strip('_').lower().replace('_', ' ')})" if named else ""

    def _allowed(self) -> list[ssl.TLSVersion]:
        context = self.context
        if context is None:
            return [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
        least, most = context.minimum_version, context.maximum_version
        least = min(_FORBIDDEN_BY) if least == ssl.TLSVersion.MINIMUM_SUPPORTED else least
        most = max(_FORBIDDEN_BY) if most == ssl.TLSVersion.MAXIMUM_SUPPORTED else most
        return [version for version, option in _FORBIDDEN_BY.items() if least <= version <= most and not context.options & option]

    def _allow_version(self) -> str:
        context, allowed = self.context, self["allowed"]
        for version, bound in ((ssl.TLSVersion.TLSv1_2, "minimum_version"), (ssl.TLSVersion.TLSv1_3, "maximum_version")):
            if context is not None and version not in allowed:
                is_forbidden = context.options & _FORBIDDEN_BY[version]
                change = f"options &= ~ssl.OP_NO_{version.name}" if is_forbidden else f"{bound} = ssl.TLSVersion.{version.name}"
                return f"If you need this server, allow {_version_name(version)} too: context.{change}."
        return "The server's operator must allow TLS 1.2 or 1.3; older versions are no longer safe (RFC 8996)."

    def _versions(self) -> str:
        names = [_version_name(version) for version in self["allowed"]] or ["none"]
        return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"

    def _nothing(self) -> str:
        if not self["allowed"]:
            return "it allows no version of TLS"
        return f"it has no cipher that goes with what it allows ({self['versions']})"

    def _ciphers(self) -> int | str:
        return "some" if self.context is None else len(self.context.get_ciphers())


def _version_name(version: ssl.TLSVersion) -> str:
    return version.name.replace("v", " ").replace("_", ".")
