"""Exit statuses, and what is said when something fails."""

from __future__ import annotations

import typing

from .._exceptions import (
    ConnectError,
    ConnectTimeout,
    HTTPError,
    InvalidURL,
    ProxyError,
    StreamError,
    TimeoutException,
    TLSError,
    UnsupportedProtocol,
)
from .._models.response import Response

if typing.TYPE_CHECKING:
    from .._tls.report import TLSReport

OK, FAILED, USAGE, REDIRECT, CLIENT_ERROR, SERVER_ERROR, UNREACHABLE, TIMED_OUT, UNVERIFIED, FILE, INTERRUPTED = *range(10), 130

STATUSES = {
    OK: "the response has a 2xx status",
    FAILED: "the exchange failed: no response, or not all of it",
    USAGE: "the command line is wrong",
    REDIRECT: "3xx: a redirect, which was not followed (-L)",
    CLIENT_ERROR: "4xx: the server says that the request is wrong",
    SERVER_ERROR: "5xx: the server failed",
    UNREACHABLE: "no connection: the name, the network, the server or the proxy",
    TIMED_OUT: "it took too long",
    UNVERIFIED: "the server could not be verified, or TLS failed otherwise",
    FILE: "a file could not be read or written, exists already, or has the wrong checksum",
    INTERRUPTED: "interrupted",
}


ON_TRUST = "On the command line --cacert FILE, --system-ca and --no-verify say whom to trust."
ON_IDENTITY = "On the command line --cert FILE and --key FILE say who you are."


def in_options(report: TLSReport) -> str | None:
    """What the remedy of a TLS failure is on the command line, if there is one."""
    if (report.cause or "").startswith("client-certificate-"):
        return ON_IDENTITY
    return None if report.verify_code is None else ON_TRUST


class FileProblem(Exception):
    """A file that is there already, or is not what it should be. The message says what to do."""


EXPECTED = (HTTPError, InvalidURL, StreamError, FileProblem, OSError, ImportError)
"""What a call may fail with, for reasons that lie outside of this program."""


def status_of(response: Response) -> int:
    """The exit status that tells what kind of response came."""
    if response.is_success:
        return OK
    return {3: REDIRECT, 4: CLIENT_ERROR, 5: SERVER_ERROR}.get(response.status_code // 100, FAILED)


def status_of_failure(error: BaseException) -> int:
    """The exit status that tells what failed."""
    if isinstance(error, TimeoutException):
        return TIMED_OUT
    if isinstance(error, TLSError):
        return UNVERIFIED
    if isinstance(error, (ConnectError, ConnectTimeout, ProxyError)):
        return UNREACHABLE
    if isinstance(error, (InvalidURL, UnsupportedProtocol)):
        return USAGE
    if isinstance(error, (FileProblem, OSError)):
        return FILE
    return FAILED


def describe(error: BaseException) -> tuple[str, str, list[str]]:
    """A failure in three parts: its name, what happened, and notes on what to do."""
    notes = [str(note) for note in getattr(error, "__notes__", [])]
    if isinstance(error, TLSError) and error.report is not None and (hint := in_options(error.report)) is not None:
        notes.append(f"{hint} httpx doctor HOST tells more.")
    if isinstance(error, FileProblem):
        return "Error", str(error), notes
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return "Error", f"{error.filename}: {error.strerror}", notes
    return type(error).__name__, str(error) or "no further details", notes
