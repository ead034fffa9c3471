#!/usr/bin/env python3
"""What the client itself costs: CPU per request with the network replaced by memory, beside HTTPX 0.28.1's.

    scripts/bench --overhead          (or: python benchmarks/overhead.py, where this package is installed)
    scripts/bench --overhead --rounds 9 --json

Both are measured in this run, in processes of their own, taking turns; the figures are medians over the rounds.
`import httpx` is timed (CPU) inside fresh interpreters, 15 of each, so that the start of Python does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from environments import python_with

WORKER = Path(__file__).with_name("overhead_worker.py")
IMPORT_TIMER = "from time import process_time as now; start = now(); import httpx; print((now() - start) * 1e6)"
IMPORTS = 15
WORKS = ["Client.get", "AsyncClient.get", "Client()"]
HTTPX = "httpx-0.28-sniffio"  # HTTPX 0.28.1 at its best: see environments.py
SUBJECTS = ["ours", HTTPX]

Figures = dict[str, dict[str, float]]  # work -> subject -> microseconds


class Worker:
    """A process that measures one implementation, on request."""

    def __init__(self, subject: str, python: str, seconds: float) -> None:
        self.subject = subject
        command = [python, str(WORKER), subject, str(seconds)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, work: str) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(work + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died: there is no answer either
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.subject} could not be measured: its process ended (see above).")
        return float(answer)

    def close(self) -> None:
        self._process.communicate()


def import_time(python: str) -> float:
    # Compiled files must be kept: what pip has installed has them from the start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([python, "-c", IMPORT_TIMER], stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return float(done.stdout)


def median_of_turns(measures: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Measure A B A B ..., and give each one's median."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            taken[name].append(measure())
    return {name: statistics.median(values) for name, values in taken.items()}


def run(pythons: dict[str, str], rounds: int, seconds: float) -> Figures:
    workers = [Worker(subject, python, seconds) for subject, python in pythons.items()]
    figures: Figures = {}
    try:
        for work in WORKS:
            figures[work] = median_of_turns({worker.subject: partial(worker.measure, work) for worker in workers}, rounds)
    finally:
        for worker in workers:
            worker.close()
    imports = {subject: partial(import_time, python) for subject, python in pythons.items()}
    median_of_turns(imports, 1)  # the first import compiles
    figures["import httpx"] = median_of_turns(imports, IMPORTS)
    return figures


def table(figures: Figures) -> str:
    subjects = list(next(iter(figures.values())))
    both = subjects == SUBJECTS
    lines = [f"{'microseconds':18}" + "".join(f"{subject:>20}" for subject in subjects) + ("         ratio" if both else "")]
    for work, found in figures.items():
        ratio = f"{found['ours'] / found[HTTPX]:14.3f}" if both else ""
        lines.append(f"{work:18}" + "".join(f"{found[subject]:20,.1f}" for subject in subjects) + ratio)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU per request with the network in memory, ours beside HTTPX 0.28.1.")
    parser.add_argument("--rounds", type=int, default=7, help="turns that each takes per work (default: 7)")
    parser.add_argument("--seconds", type=float, default=0.4, help="of CPU per turn (default: 0.4)")
    parser.add_argument("--only", choices=SUBJECTS, help="measure only one of the two")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    subjects = [options.only] if options.only else SUBJECTS
    pythons = {subject: sys.executable if subject == "ours" else str(python_with(subject)) for subject in subjects}
    figures = run(pythons, options.rounds, options.seconds)
    print(json.dumps(figures, indent=2) if options.json else table(figures))


if __name__ == "__main__":
    main()
