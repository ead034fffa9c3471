"""Handshakes with the certificates of two collections: C2SP's x509-limbo and Netflix's BetterTLS.

They lie beside the repository (`../shared/corpora`, or where $CORPORA says) and are not part of it. To print how each of
the limbo cases ends, as a table:

    python -m tests.tls.corpora
"""

from __future__ import annotations

import base64
import functools
import json
import lzma
import os
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from httpx._tls.memory import as_file

ROOT = Path(os.environ.get("CORPORA", Path(__file__).parents[2].parent / "shared" / "corpora"))
LIMBO, BETTERTLS = ROOT / "x509-limbo" / "limbo-208.json", ROOT / "bettertls" / "bettertls-9572.json.xz"


class Case(NamedTuple):
    """A server's certificates and key in PEM, whom to trust, the name to verify, whether to accept it; a revocation list."""

    id: str
    server: bytes
    trusted: bytes
    name: str
    is_good: bool
    crl: bytes | None = None


def limbo_cases() -> list[Case]:
    """The cases of x509-limbo that a server can be run with: those that come with its key, and a name to verify."""
    cases = []
    for case in json.loads(LIMBO.read_bytes())["testcases"]:
        name = (case.get("expected_peer_name") or {}).get("value")
        if case["validation_kind"] != "SERVER" or case["peer_certificate_key"] is None or name is None:
            continue
        chain = [case["peer_certificate_key"], case["peer_certificate"], *case["untrusted_intermediates"]]
        trusted, crl = "".join(case["trusted_certs"]).encode(), "".join(case["crls"]).encode() or None
        cases.append(Case(case["id"], "".join(chain).encode(), trusted, name, case["expected_result"] == "SUCCESS", crl))
    return cases


@functools.cache
def _bettertls() -> Any:
    with lzma.open(BETTERTLS) as file:
        return json.load(file)


def bettertls_cases(suite: str) -> list[tuple[Case, bool]]:
    """The cases of a suite of BetterTLS; the second value is whether an error there is only worth a warning."""
    corpus = _bettertls()
    trusted = _pem("CERTIFICATE", corpus["trustRoot"])
    cases = []
    for case in corpus["suites"][suite]["testCases"]:
        server = _pem("PRIVATE KEY", case["leafKey"]) + b"".join(_pem("CERTIFICATE", one) for one in case["certificates"])
        cases.append((Case(str(case["id"]), server, trusted, case["hostname"], case["expected"] == "ACCEPT"), case["failureIsWarning"]))
    return cases


def _pem(label: str, data: str) -> bytes:
    body = base64.encodebytes(base64.b64decode(data)).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n".encode()


class Unservable(Exception):
    """OpenSSL cannot run a server with this certificate."""


def is_accepted(case: Case, make: Callable[[bytes, bytes | None], ssl.SSLContext]) -> bool:
    """Whether a client with the context that `make(trusted, crl)` returns completes the handshake."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_ciphers("DEFAULT:@SECLEVEL=0")
    try:
        with as_file(case.server) as path:
            server.load_cert_chain(path)
        client = make(case.trusted, case.crl)
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        ours = client.wrap_bio(down, up, server_hostname=case.name)
        theirs = server.wrap_bio(up, down, server_side=True)
    except (ssl.SSLError, ValueError) as error:
        raise Unservable(str(error)) from error
    for _ in range(10):
        try:
            ours.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            return False
        else:
            return True
        try:
            theirs.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            return False
    raise AssertionError("the handshake does not end")


def ours(trusted: bytes, crl: bytes | None) -> ssl.SSLContext:
    """A context of ours."""
    return httpx.SSLContext(verify=trusted, crl=crl)


def standard(trusted: bytes, crl: bytes | None) -> ssl.SSLContext:
    """What the standard library makes, without the common name, which stands for no host."""
    context = ssl.create_default_context(cadata=trusted.decode())
    context.hostname_checks_common_name = False
    if crl is not None:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        with as_file(crl) as path:
            context.load_verify_locations(path)
    return context


def main() -> None:
    """Print the table."""
    right = total = 0
    for case in limbo_cases():
        try:
            accepted = is_accepted(case, ours)
        except Unservable as error:
            print(f"{'unservable':<12} {case.id:<70} {error}")
            continue
        total += 1
        right += accepted == case.is_good
        verdict = "right" if accepted == case.is_good else "ACCEPTED" if accepted else "refused"
        print(f"{verdict:<12} {case.id:<70} {'as OpenSSL' if accepted == is_accepted(case, standard) else 'UNLIKE OPENSSL'}")
    print(f"\n{right} of {total} right ({ssl.OPENSSL_VERSION}, Python {sys.version.split()[0]})")


if __name__ == "__main__":
    main()
