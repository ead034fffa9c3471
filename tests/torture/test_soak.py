"""Everything at once over a bad network, for as long as a test may take; `scripts/soak MINUTES` goes on for longer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SCALE = int(os.environ.get("HTTPX_TORTURE_SCALE", "1"))


@pytest.mark.timeout(120 * SCALE)
def test_a_short_soak_gets_no_wrong_answer_and_leaves_nothing():
    # N19: threads, asyncio, uvloop and trio, over HTTP/1.1 and HTTP/2.
    pytest.importorskip("uvloop", reason="uvloop is not available on this platform")
    command = [sys.executable, "scripts/_soak.py", str(0.05 * SCALE), "--seed", "7"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.partition("\n")[2])
    assert report["wrong answers"] == []
    assert report["leaks"] == ""
    assert report["outcomes"]["answered"] > 0
    assert sum(report["faults"].values()) > 0
