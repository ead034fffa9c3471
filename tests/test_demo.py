"""`scripts/demo`, once everything is set up: it tells the whole truth, in its exit status too, whatever it is written to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.certificates import Authority

REPOSITORY = Path(__file__).resolve().parent.parent


def run(*arguments, **settings):
    command = [sys.executable, str(REPOSITORY / "scripts/_demo.py"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **settings.pop("environment", {})}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False, **settings)


def test_all_cases_are_as_specified():
    outcome = run()
    assert outcome.returncode == 0
    assert outcome.stderr == ""
    assert "32 of 32 as specified" in outcome.stdout
    words = outcome.stdout.split()
    assert all(word.startswith("ssl_context=httpx.SSLContext(") for word in words if "ssl_context=" in word), "nothing is torn apart"


def test_a_real_server_is_asked(app_server):
    server = app_server()
    outcome = run(f"{server.url}/json")
    assert outcome.returncode == 0
    assert outcome.stdout.startswith("<Response [200 OK]>")
    assert "not verified: plain HTTP" in outcome.stdout


def test_a_real_server_that_nobody_vouches_for_is_refused(app_server, tmp_path):
    server = app_server(ssl_context=Authority(tmp_path).server())
    outcome = run(server.url, environment={"PYTHONIOENCODING": "ascii"})  # as on a terminal that knows nothing else
    assert outcome.returncode == 1
    assert outcome.stdout.startswith("CertificateVerifyError: ")
    assert "The server presented:" in outcome.stdout
    assert outcome.stderr == ""


def test_a_reader_that_goes_away_is_no_failure_to_tell_of():
    command = f"'{sys.executable}' scripts/_demo.py | head -n 1"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    outcome = subprocess.run(command, shell=True, cwd=REPOSITORY, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert len(outcome.stdout.splitlines()) == 1
    assert outcome.stderr == ""


@pytest.mark.parametrize("arguments", [["--help"], ["https://a.invalid/", "https://b.invalid/"]])
def test_what_it_takes_is_told(arguments):
    outcome = run(*arguments)
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("Usage: scripts/demo")
