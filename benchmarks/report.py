"""The figures as text: the table of goals, a table per work, and RESULTS.md around them."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from environments import PEERS
from judgement import Absolute, Figures, Verdict, judge, medians, ratio
from servers.nginx import find_or_install
from works import GROUPS, OURS, WORKS

EXPLANATION = """\
The figure is CPU (user + system, all threads) of the client's process, per request or per GB: it says what a request takes
away from the rest of a program, and is steadier than a rate. The server has one core for itself and the client another.
Each client runs in a process and an environment of its own; they take turns (A B C ... A B C ...), and medians over the
rounds are shown. Only ratios within one run mean anything; the figures at the end of the first table are absolute, and
mean something on the machine that is named here."""


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.1f}" if value >= 10 else f"{value:.2f}"


def goals(verdicts: list[Verdict]) -> str:
    """The table of goals, those that are missed marked."""
    lines = ["| work | measured by | at most | found | |", "|---|---|---:|---:|---|"]
    for verdict in verdicts:
        mark = "" if verdict.met else "**missed**"
        lines.append(f"| {verdict.title} | {verdict.against} | {number(verdict.goal)} | {number(verdict.found)} | {mark} |")
    return "\n".join(lines)


def table(name: str, found: dict[str, list[float]]) -> str:
    """What one work cost each client."""
    work = WORKS[name]
    per = "CPU per GB" if work.is_transfer else "CPU per request"
    lines = [f"### {work.title}", "", f"| client | {per} | spread | ours / theirs |", "|---|---:|---:|---:|"]
    for client, median in medians(found).items():
        spread = f"{number(min(found[client]))} to {number(max(found[client]))}"
        quotient = ratio(found, client)
        shown = "" if client == OURS else "-" if quotient is None else f"{quotient:.2f}"
        lines.append(f"| {client} | {number(median)} {work.unit} | {spread} | {shown} |")
    return "\n".join(lines)


def growth(figures: Figures) -> str:
    """What our own works in groups cost, in one table."""
    lines = ["### How cost grows", "", "| work | CPU per request | / smallest |", "|---|---:|---:|"]
    for group in GROUPS:
        costs = {name: statistics.median(figures[name][OURS]) for name in figures if WORKS[name].group == group and OURS in figures[name]}
        smallest = min(costs.values(), default=0)
        lines += [f"| {WORKS[name].title} | {number(cost)} µs | {cost / smallest:.2f} |" for name, cost in costs.items()]
    return "\n".join(lines) if len(lines) > 4 else ""


def body(figures: Figures, absolute: Absolute) -> str:
    """All tables."""
    verdicts = judge(figures, absolute)
    tables = [table(name, found) for name, found in figures.items() if not WORKS[name].group]
    parts = [f"### Goals\n\n{goals(verdicts)}" if verdicts else "", *tables, growth(figures)]
    return "\n\n".join(part for part in parts if part)


def document(figures: Figures, absolute: Absolute, clients: list[str], rounds: int) -> str:
    """RESULTS.md."""
    nginx = subprocess.run([find_or_install(), "-v"], capture_output=True, text=True).stderr.strip().rpartition(": ")[2]
    missed = sum(not verdict.met for verdict in judge(figures, absolute))
    facts = [
        f"* {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {rounds} rounds: `{' '.join(['scripts/bench', *sys.argv[1:]])}`",
        f"* {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        f"* {platform.python_implementation()} {platform.python_version()}, {nginx}",
        f"* {', '.join(sorted({requirement for client in clients for requirement in PEERS.get(client, ())}))}",
        f"* goals missed: {missed}",
    ]
    return "\n".join(["# Results", "", EXPLANATION, "", *facts, "", body(figures, absolute), ""])


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
