"""Programs in an interpreter of their own, for libraries that change the whole process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run_apart(program: str, *arguments: str, environment: dict[str, str] | None = None) -> Any:
    """Run `program` with `arguments` as `sys.argv[1:]`; what it last prints is JSON, and is returned."""
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT / "tests",
        env={**os.environ, **(environment or {})},
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])
