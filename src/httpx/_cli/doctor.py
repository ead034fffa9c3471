"""`httpx doctor`: connect once, and say what a server's TLS is like, what is wrong with it, and what to do."""

from __future__ import annotations

import json
import sys

import click
from rich.console import Console
from rich.text import Text

from .. import inspect_tls
from .._models.url import URL
from .._tls.report import TLSReport
from .body import safe
from .building import complete_url, make_ssl_context
from .failures import EXPECTED, OK, UNVERIFIED, in_options, status_of_failure
from .screen import Screen, stdout

_SOON = 21  # days left of a certificate from which on it is worth a warning
_COLORS = {"✓": "green", "ok": "green", "✗": "bold red", "FAILED": "bold red"}


def show(console: Console, report: TLSReport) -> None:
    """Print a report, in colours where there are any, in ASCII where there is nothing else."""
    title, *lines = report.render(plain=not console.encoding.lower().startswith("utf")).splitlines()
    console.print(Text(safe(title), style="bold"), soft_wrap=True)
    for line in lines:
        mark = line.split(maxsplit=1)[0] if line.startswith("  ") and line.strip() else ""
        before, found, after = line.partition(mark) if mark in _COLORS else (line, "", "")
        console.print(Text.assemble(safe(before), (found, _COLORS.get(found, "")), safe(after)), soft_wrap=True)
    if report.is_ok and report.days_left is not None and report.days_left <= _SOON:
        console.print(Text(f"\nThe certificate should be renewed: it is valid for {report.days_left} more days.", style="yellow"))
    if (hint := in_options(report)) is not None:
        console.print(Text(f"\n{hint}"), soft_wrap=True)


@click.command("doctor")
@click.argument("host", metavar="HOST[:PORT]")
@click.option("--server-name", metavar="NAME", help="The name to ask for and to verify, instead of HOST.")
@click.option("--cacert", type=click.Path(), metavar="FILE", help="Trust the authorities in this file or directory, and no others.")
@click.option("--system-ca", is_flag=True, help="Trust the authorities that the operating system trusts.")
@click.option("--cert", type=click.Path(), metavar="FILE", help="Show this client certificate (PEM, PKCS #12).")
@click.option("--key", type=click.Path(), metavar="FILE", help="Its private key, unless the same file has it.")
@click.option("-k", "--no-verify", is_flag=True, help="Look, and do not judge.")
@click.option("--timeout", type=click.FloatRange(min=0), default=5.0, metavar="SECONDS", help="5 by default, 0 for no limit.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def doctor(
    host: str,
    server_name: str | None,
    cacert: str | None,
    system_ca: bool,
    cert: str | None,
    key: str | None,
    no_verify: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Examine the TLS of a server: what it agrees on, its certificates, what is wrong, and what to do.

    It connects once, without a proxy, and sends no request. The exit status is 0 if nothing is wrong, 8 if something is, 6 or 7
    if there is no connection.
    """
    try:
        url = URL(complete_url(host if "://" in host else f"https://{host}"))
        context = make_ssl_context(verify=not no_verify, cacert=cacert, system_ca=system_ca, cert=cert, key=key)
        report = inspect_tls(url.host, url.port or 443, ssl_context=context, server_name=server_name, http2=True, timeout=timeout or None)
    except EXPECTED as error:
        Screen().failure(error)
        sys.exit(status_of_failure(error))
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=2))
    else:
        show(stdout(), report)
    sys.exit(OK if report.is_ok else UNVERIFIED)
