"""What time-outs and failures of a connection are told in: the same words on every network, and in every protocol."""

from __future__ import annotations

from .._exceptions import ConnectTimeout, ReadError, ReadTimeout, WriteError, WriteTimeout


def seconds(timeout: float | None) -> str:
    """A time-out in words: "4.9 seconds" is what an earlier phase has left of 5."""
    exactly = timeout or 0.0
    shown = round(exactly, 2 if exactly < 1 else 1) or float(f"{exactly:.1g}")
    return f"{shown:g} second{'' if shown == 1 else 's'}"


def handshake_timeout(peer: str, timeout: float | None) -> ConnectTimeout:
    """The error for TLS that was not agreed upon in time."""
    return ConnectTimeout(f"The TLS handshake with {peer} took longer than {seconds(timeout)}.")


def nothing_arrived(peer: str, timeout: float | None) -> ReadTimeout:
    """The error for a peer that is silent."""
    return ReadTimeout(f"Nothing arrived from {peer} for {seconds(timeout)}.")


def nothing_accepted(peer: str, timeout: float | None, why: str = "") -> WriteTimeout:
    """The error for a peer that reads nothing; `why` tells what keeps it, if that is known."""
    return WriteTimeout(f"{peer} accepted no data for {seconds(timeout)}{why and f' ({why})'}.")


def accepts_no_more(peer: str) -> WriteError:
    """The error for what had to go out at once, and only began to."""
    return WriteError(f"{peer} accepts no more data.")


def receiving_failed(peer: str, why: object) -> ReadError:
    """The error for a connection that broke while it was read from."""
    return ReadError(f"Receiving from {peer} failed: {why}")


def sending_failed(peer: str, why: object) -> WriteError:
    """The error for a connection that broke while it was written to."""
    return WriteError(f"Sending to {peer} failed: {why}")
