"""A virtual environment for each peer, so that every client is measured with its own dependencies and no others.

They lie in .venv-bench-peers/ of the repository, one per peer, version and Python, and are made when first needed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / ".venv-bench-peers"

# What is compared with: the name in tables and of the adaptor in clients/ (with _ for punctuation), and what to install.
#
# HTTPX 0.28 is there twice. Its httpcore looks for sniffio at every asynchronous request, which nothing it depends on
# brings along any more: a plain installation looks in vain each time, and that costs a third of the request. Beside what
# users get stands what it can do.
PEERS: dict[str, list[str]] = {
    "httpx-0.28": ["httpx[http2]==0.28.1"],
    "httpx-0.28-sniffio": ["httpx[http2]==0.28.1", "sniffio==1.3.1"],
    "httpx2": ["httpx2[http2]==2.16.2"],
    "requests": ["requests==2.34.2"],
    "urllib3": ["urllib3==2.8.0"],
    "niquests": ["niquests==3.21.2"],
    "aiohttp": ["aiohttp==3.14.5"],
    "pyreqwest": ["pyreqwest==0.15.1"],
    "pycurl": ["pycurl==7.49.0"],
}
EVENT_LOOPS = ["uvloop==0.23.0"]


class NotInstallable(Exception):
    """A peer that this machine or this Python cannot have."""


def python_with(peer: str) -> Path:
    """The interpreter of the environment that holds this peer, made if it is not there yet."""
    requirements = sorted([*PEERS[peer], *EVENT_LOOPS])
    folder = FOLDER / f"{peer}-{sys.implementation.cache_tag}"
    python, stamp = folder / "bin" / "python", folder / "installed"
    if stamp.exists() and stamp.read_text().split("\n") == requirements:
        return python
    print(f"installing {', '.join(requirements)} ...", file=sys.stderr)
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    _run([str(python), "-m", "pip", "install", "--only-binary", ":all:", *requirements])
    stamp.write_text("\n".join(requirements))
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
    if done.returncode:
        raise NotInstallable(f"{' '.join(command)} failed:\n{done.stdout}")
