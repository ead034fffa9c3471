"""The `httpx` command, for when its extra is not installed."""

from __future__ import annotations

import sys


def main() -> None:
    """Say how to get the command-line client."""
    sys.exit("The command-line client needs more than is installed: pip install 'httpx[cli]'.")
