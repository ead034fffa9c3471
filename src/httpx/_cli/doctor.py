"""`httpx doctor`: connect once, and say what a server's TLS is like, what is wrong with it, and what to do."""

from __future__ import annotations

import dataclasses
import datetime
import json
import ssl
import sys
import typing

import click
from rich.console import Console
from rich.text import Text

from .._connections.secure import secure
from .._exceptions import TLSError, TransportError
from .._models.url import URL
from .._network.base import drive
from .._network.blocking import BlockingNetwork
from .._network.resolver import Resolver, resolve
from .._tls.certificate import Certificate, parse_chain
from .._tls.report import TLSReport, describe_chain
from .body import safe
from .building import complete_url, make_ssl_context
from .failures import OK, describe, status_of_failure
from .screen import stdout

_SOON = 21  # days left of a certificate from which on it is worth a warning
_MARKS = {"good": ("✓", "ok", "green"), "warning": ("!", "!!", "yellow"), "bad": ("✗", "XX", "red")}


@dataclasses.dataclass(slots=True)
class Examination:
    """What was found, as far as it went."""

    host: str
    port: int
    addresses: list[str] = dataclasses.field(default_factory=list)
    address: str | None = None
    version: str | None = None
    cipher: str | None = None
    alpn: str | None = None
    verified: bool = False
    chain: tuple[Certificate, ...] = ()
    error: TransportError | None = None

    @property
    def report(self) -> TLSReport | None:
        """What is known of a handshake that failed."""
        return self.error.report if isinstance(self.error, TLSError) else None

    @property
    def days_left(self) -> int | None:
        """For how many days from now on all certificates of the chain are valid."""
        if not self.chain:
            return None
        end = min(certificate.not_after for certificate in self.chain)
        return (end - datetime.datetime.now(datetime.UTC)).days

    def as_dict(self) -> dict[str, typing.Any]:
        """All of it in the types of JSON."""
        found = {
            name: getattr(self, name)
            for name in ("host", "port", "addresses", "address", "version", "cipher", "alpn", "verified", "days_left")
        }
        found["chain"] = [certificate.as_dict() for certificate in self.chain]
        told = (
            {} if self.report is None else {name: getattr(self.report, name) for name in ("cause", "check", "meaning", "remedy", "trusted")}
        )
        found["error"] = None if self.error is None else {"type": type(self.error).__name__, "message": str(self.error), **told}
        return found


def examine(host: str, port: int, context: ssl.SSLContext, timeout: float | None) -> Examination:
    """Look the name up, connect, do the handshake; the first of these that fails is the last that is done."""
    found = Examination(host, port)
    try:
        drive(_examine(found, context, timeout))
    except TransportError as error:
        found.error = error
        if found.report is not None:
            found.chain = found.report.chain
    return found


async def _examine(found: Examination, context: ssl.SSLContext, timeout: float | None) -> None:
    network = BlockingNetwork()
    addresses = await resolve(network, Resolver(), found.host, found.port, timeout)
    found.addresses = [address[0] for _, address in addresses]
    peer = f"{found.host}:{found.port}"
    plain = await network.connect(peer, addresses, timeout, local_address=None, socket_options=())
    try:
        found.address = str(plain.info("server_addr")[0])
        stream = await secure(plain, network, context, found.host, found.port, timeout, ("h2", "http/1.1"))
        tls = stream.info("ssl_object")
        cipher = tls.cipher()
        found.version, found.alpn, found.cipher = tls.version(), tls.selected_alpn_protocol(), None if cipher is None else cipher[0]
        found.verified = context.check_hostname
        found.chain = parse_chain(_presented(tls))
        stream.close()
    finally:
        plain.close()


def _presented(tls: typing.Any) -> list[bytes]:
    # Public in Python 3.13; before that the object within has it.
    get = getattr(tls._sslobj, "get_unverified_chain", None)
    chain = (get and get()) or ()
    return [bytes(certificate.public_bytes(2)) for certificate in chain] or [tls.getpeercert(True)]  # 2 is DER


def show(console: Console, found: Examination) -> None:
    """Print what was found: each step with its mark, the chain as a tree, and what to do."""
    console.print(Text(safe(f"{found.host}:{found.port}"), style="bold"))
    for mark, text in _steps(found):
        sign = _MARKS[mark][0] if console.encoding.lower().startswith("utf") else _MARKS[mark][1]
        console.print(Text.assemble(("  " + sign, _MARKS[mark][2]), f" {safe(text)}"), soft_wrap=True)
    if found.chain:
        console.print(Text("\nThe server presented:", style="bold"))
        for line in describe_chain(found.chain):
            console.print(Text(safe(f"  {line}")), soft_wrap=True)
    if found.report is not None:
        console.print(Text("\nWhat to do:", style="bold"))
        for told in filter(None, (found.report.meaning, found.report.remedy)):
            console.print(Text(safe(f"  {told}")), soft_wrap=True)


def _steps(found: Examination) -> list[tuple[str, str]]:
    steps = []
    if found.addresses:
        steps.append(("good", f"the name leads to {', '.join(found.addresses)}"))
    if found.address is not None:
        steps.append(("good", f"port {found.port} of {found.address} answers"))
    if found.version is not None:
        steps.append(("good", f"TLS: {found.version}, {found.cipher}, {found.alpn or 'no protocol chosen (ALPN)'}"))
        if found.verified:
            steps.append(("good", f"the certificate is for {found.host}, and leads to a trusted authority"))
        else:
            steps.append(("warning", "the certificate was not verified"))
    if found.error is not None:
        name, message, _ = describe(found.error)
        check = None if found.report is None else found.report.check
        steps.append(("bad", f"{name}: {check or message.splitlines()[0]}"))
    elif found.days_left is not None:
        mark = "good" if found.days_left > _SOON else "warning"
        steps.append((mark, f"valid for {found.days_left} more days"))
    return steps


@click.command("doctor")
@click.argument("host", metavar="HOST[:PORT]")
@click.option("--cacert", metavar="FILE", help="Trust the authorities in this file or directory, and no others.")
@click.option("--system-ca", is_flag=True, help="Trust the authorities that the operating system trusts.")
@click.option("--cert", metavar="FILE", help="Show this client certificate (PEM).")
@click.option("--key", metavar="FILE", help="Its private key, unless the same file has it.")
@click.option("--no-verify", is_flag=True, help="Look, and do not judge.")
@click.option("--timeout", type=click.FloatRange(min=0), default=5.0, show_default=True, help="Seconds for each step; 0 for no limit.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def doctor(
    host: str, cacert: str | None, system_ca: bool, cert: str | None, key: str | None, no_verify: bool, timeout: float, as_json: bool
) -> None:
    """Examine the TLS of a server: its name, its certificates, what it agrees on, and what is wrong.

    The exit status is 0 if all is well, 8 if TLS failed, 6 or 7 if there was no connection.
    """
    url = URL(complete_url(host if "://" in host else f"https://{host}"))
    console = stdout()
    try:
        context = make_ssl_context(verify=not no_verify, cacert=cacert, system_ca=system_ca, cert=cert, key=key)
    except OSError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(status_of_failure(error))
    found = examine(url.host, url.port or 443, context, timeout or None)
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2))
    else:
        show(console, found)
    sys.exit(OK if found.error is None else status_of_failure(found.error))
