"""examples/check_urls.py: thousands of URLs on a cluster of dask.distributed, whose workers are processes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import pattern

pytest.importorskip("distributed", reason="dask.distributed is not installed")

EXAMPLE = Path(__file__).parents[2] / "examples" / "check_urls.py"
WORKERS, THREADS = 2, 4


def check(folder, lines):
    listed = folder / "urls.txt"
    listed.write_text("".join(f"{line}\n" for line in lines))
    # In a process of its own: the workers are started anew, and import what they run.
    command = [sys.executable, str(EXAMPLE), str(listed), "--workers", str(WORKERS)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=110, cwd=folder)


def test_thousands_of_urls_are_checked_with_one_client_per_worker(app, tmp_path):
    digest = hashlib.sha256(pattern(100)).hexdigest()
    good = [f"{app.url}/bytes/100?{number} {digest}" for number in range(2_000)]
    wrong = [f"{app.url}/bytes/101 {digest}", f"{app.url}/status/404", f"{app.url}/redirect/30", "no-url"]
    done = check(tmp_path, [*good, *wrong, f"{app.url}/redirect/2"])
    assert done.returncode == 1, done.stderr
    problems = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert problems == {
        f"{app.url}/bytes/101": f"the content has the SHA-256 {hashlib.sha256(pattern(101)).hexdigest()}",
        f"{app.url}/status/404": "404 Not Found",
        f"{app.url}/redirect/30": problems[f"{app.url}/redirect/30"],
        "no-url": problems["no-url"],
    }
    assert problems[f"{app.url}/redirect/30"].startswith("TooManyRedirects")
    assert "2,005 URLs" in done.stderr
    assert done.stderr.count(" by tcp://") == WORKERS
    # A client and its pool are shared by the threads of a worker, whatever number of batches they do.
    assert len(app.connections) < 2 * WORKERS * THREADS
