"""The demonstration behind `scripts/demo`: how HTTPX verifies the server that it talks to, case by case."""

from __future__ import annotations

import io
import os
import ssl
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import certifi
import truststore

import httpx
from tests.support.certificates import PASSWORD, Authority
from tests.support.runtimes import RUNTIMES, Runtime
from tests.support.servers import AppServer

WIDTH = 62


class Case(NamedTuple):
    """What is asked, of which server, with which settings, and what must come of it: a status, or words of an error."""

    title: str
    server: str
    settings: Callable[[], dict[str, Any]]
    expected: int | str


class Demo:
    """An authority that nobody knows, servers with certificates of it, and the cases."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.client_files = self.authority.client()
        self.keylog = folder / "keys.log"
        self.servers = {
            "good": AppServer(ssl_context=self.authority.server()),
            "picky": AppServer(ssl_context=self.authority.server(demands_client=True)),
            "expired": AppServer(ssl_context=self.authority.server(expired=True)),
            "wrong": AppServer(ssl_context=self.authority.server("other.example")),
        }
        self.failures = 0
        self.count = 0

    def cases(self) -> list[Case]:
        pem, files = str(self.authority.pem), self.client_files
        pair = (str(files.certificate), str(files.key))
        triple = (str(files.certificate), str(files.encrypted_key), PASSWORD)
        standard = ssl.create_default_context(cafile=pem)
        system = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        system.load_verify_locations(cafile=pem)
        logged = httpx.SSLContext(verify=pem)
        logged.keylog_filename = str(self.keylog)

        def context(**settings: Any) -> Callable[[], dict[str, Any]]:
            return lambda: {"ssl_context": httpx.SSLContext(**settings)}

        unknown = "unable to get local issuer certificate"
        return [
            Case("default settings, unknown authority", "good", dict, unknown),
            Case("verify=certifi.where(), unknown authority", "good", context(verify=certifi.where()), unknown),
            Case("verify='ca.pem', a PEM file", "good", context(verify=pem), 200),
            Case("verify='certs', a directory", "good", context(verify=str(self.authority.hashed_directory())), 200),
            Case("verify=False, nothing is verified", "good", context(verify=False), 200),
            Case("a server that demands a certificate, without one", "picky", context(verify=pem), "client certificate"),
            Case("cert='client.pem', certificate and key in one file", "picky", context(verify=pem, cert=str(files.combined)), 200),
            Case("cert=('client.pem', 'client.key')", "picky", context(verify=pem, cert=pair), 200),
            Case("cert=('client.pem', 'client.key', 'password')", "picky", context(verify=pem, cert=triple), 200),
            Case("a truststore.SSLContext", "good", lambda: {"ssl_context": system}, 200),
            Case("an ssl.SSLContext of the standard library", "good", lambda: {"ssl_context": standard}, 200),
            Case("a context with a key log", "good", lambda: {"ssl_context": logged}, 200),
            Case("an expired certificate", "expired", context(verify=pem), "certificate has expired"),
            Case("a certificate for another host", "wrong", context(verify=pem), "Hostname mismatch"),
        ]

    async def run(self, runtime: Runtime) -> None:
        for case in self.cases():
            url = f"https://localhost:{self.servers[case.server].port}/json"
            started = time.perf_counter()
            outcome = await ask(runtime, url, case.settings())
            self.report(runtime.name, case, outcome, time.perf_counter() - started)
        await self.side_by_side(runtime)
        secrets = self.keylog.read_text() if self.keylog.exists() else ""
        self.check(runtime.name, "the key log holds the secrets of the connection", "SECRET" in secrets, self.keylog.name)
        self.keylog.unlink(missing_ok=True)

    async def side_by_side(self, runtime: Runtime) -> None:
        url = f"https://localhost:{self.servers['good'].port}/json"
        async with runtime.client(ssl_context=httpx.SSLContext(verify=self.authority.pem)) as trusting, runtime.client() as distrusting:
            outcome = tuple([await self.status(client, url) for client in (trusting, distrusting, trusting)])
        self.check(runtime.name, "two clients, one trusting and one not, side by side", outcome == (200, "refused", 200), str(outcome))

    async def status(self, client: Any, url: str) -> int | str:
        try:
            return int((await client.get(url)).status_code)
        except httpx.CertificateVerifyError:
            return "refused"
        except httpx.HTTPError as error:
            return type(error).__name__

    def report(self, runtime: str, case: Case, outcome: httpx.Response | httpx.HTTPError, seconds: float) -> None:
        if isinstance(outcome, httpx.HTTPError):
            holds = isinstance(case.expected, str) and case.expected in str(outcome)
            told = f"refused: {type(outcome).__name__}"
        else:
            holds = outcome.status_code == case.expected
            told = repr(outcome)
        self.check(runtime, case.title, holds, f"{seconds * 1000:6.1f} ms  {told}")
        if isinstance(outcome, httpx.HTTPError) and (runtime == "sync" or not holds):  # the words are the same on all runtimes
            print(
                textwrap.fill(
                    str(outcome),
                    WIDTH * 2,
                    initial_indent=" " * 14,
                    subsequent_indent=" " * 14,
                    break_on_hyphens=False,
                    break_long_words=False,
                )
            )

    def check(self, runtime: str, title: str, holds: bool, text: str) -> None:
        self.count += 1
        self.failures += not holds
        print(f"{'ok  ' if holds else 'FAIL'}  {runtime:8}{title:{WIDTH}}{text}")

    def close(self) -> None:
        for server in self.servers.values():
            server.close()


async def ask(runtime: Runtime, url: str, settings: dict[str, Any]) -> Any:
    """The response, or the error."""
    async with runtime.client(**settings) as client:
        try:
            response = await client.get(url)
        except httpx.HTTPError as error:
            return error
        return getattr(response, "wrapped", response)


def run_embedded() -> int:
    """All cases, sync and async. The exit status is 1 if anything was not as specified."""
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(Path(folder))
        started = time.perf_counter()
        try:
            print("An HTTPS server with a certificate authority made on the spot; nothing leaves this machine.\n")
            for name in ("sync", "asyncio"):
                runtime = RUNTIMES[name]
                runtime.run(bind(demo.run, runtime))
                print()
        finally:
            demo.close()
    print(f"{demo.count - demo.failures} of {demo.count} as specified, in {time.perf_counter() - started:.1f} seconds.")
    return 1 if demo.failures else 0


def bind(run: Callable[[Runtime], Coroutine[Any, Any, None]], runtime: Runtime) -> Callable[[], Coroutine[Any, Any, None]]:
    return lambda: run(runtime)


def run_real(url: str) -> int:
    """One request over the network, and what was verified."""
    started = time.perf_counter()
    try:
        response = httpx.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        print(f"{type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", []):
            print(note)
        return 1
    print(f"{response!r}  {response.url}  {len(response.content):,} bytes in {(time.perf_counter() - started) * 1000:.0f} ms")
    if (tls := response.tls) is None:
        print("not verified: plain HTTP")
        return 0
    print(f"verified    {tls.server_name}, against certifi's bundle")
    print(f"spoken      {tls.version}, {tls.cipher}")
    for depth, certificate in enumerate(tls.chain):
        print(f"{'issued by  ' if depth else 'certificate'} {certificate.subject}, valid until {certificate.not_after:%Y-%m-%d}")
        if certificate.names:
            print(f"{'names':11} {', '.join(certificate.names)}")
    return 0


def main(arguments: list[str]) -> int:
    """All cases, or the one URL that the arguments name. Returns the exit status."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        print("Usage: scripts/demo [https://some.host/]", file=sys.stderr)
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):  # else it is closed
        sys.stdout.reconfigure(errors="replace", line_buffering=True)
    try:
        return run_real(arguments[0]) if arguments else run_embedded()
    except BrokenPipeError:  # whoever was reading has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
