#!/usr/bin/env python3
"""Compares this client with its peers in one run, against nginx.

    scripts/bench                                   everything, five rounds
    scripts/bench --quick                           everything, briefly
    scripts/bench --works sync,sync-tls --clients ours,pyreqwest
    scripts/bench --write                           and keep the result in benchmarks/RESULTS.md

The figure is CPU (user + system, all threads) of the client's process per request: it says what a request takes away
from the rest of a program, and is steadier than a rate. The server has one core for itself and the client another.
Each client runs in a process and an environment of its own; they take turns (A B C ... A B C ...), and medians over the
rounds are shown. Only ratios within one run mean anything.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from pathlib import Path

from environments import PEERS, NotInstallable, python_with
from servers.nginx import NotAvailable, Server, find_or_install, pinned, serve
from works import WORKS

WORKER = Path(__file__).with_name("compare_worker.py")
RESULTS = Path(__file__).with_name("RESULTS.md")
OURS = "ours"

Figures = dict[str, dict[str, list[float]]]  # work -> client -> microseconds of CPU per request, one for each round


def adaptor(client: str) -> str:
    return re.sub(r"\W", "_", client)


def interpreters(clients: list[str]) -> dict[str, str]:
    """The interpreter for each client. Peers that cannot be installed here are named and left out."""
    found = {}
    for client in clients:
        try:
            found[client] = sys.executable if client == OURS else str(python_with(client))
        except NotInstallable as error:
            print(f"{client} is left out: {error}", file=sys.stderr)
    return found


def measure(client: str, python: str, work_name: str, server: Server, core: int | None, seconds: float) -> float | None:
    """CPU microseconds per request, or None (and what went wrong on stderr)."""
    work = WORKS[work_name]
    url = f"{server.http2 if work.http2 else server.https if work.tls else server.http}/json"
    command = [python, str(WORKER), adaptor(client), work_name, url, server.authority if work.tls else "", str(seconds)]
    environment = neutral_environment()
    done = subprocess.run(pinned(command, core), capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment)
    if done.returncode:
        print(f"{client} failed at {work_name}:\n{done.stderr}{done.stdout}", file=sys.stderr)
        return None
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result["cpu"]


def neutral_environment() -> dict[str, str]:
    """The environment without what some clients would follow, and others not: proxies and certificate bundles."""
    followed = re.compile(r".*_proxy|.*_CA_BUNDLE|SSL_CERT_(FILE|DIR)|SSLKEYLOGFILE", re.IGNORECASE)
    return {name: value for name, value in os.environ.items() if not followed.fullmatch(name)}


def run(pythons: dict[str, str], work_names: list[str], rounds: int, seconds: float, cores: tuple[int | None, int | None]) -> Figures:
    figures: Figures = {}
    with serve(cores[0]) as server:
        for work_name in work_names:
            taking_part = [client for client in WORKS[work_name].clients if client in pythons]
            found: dict[str, list[float]] = {client: [] for client in taking_part}
            for number in range(rounds):
                _progress(f"{WORKS[work_name].title}, round {number + 1} of {rounds}")
                for client in list(taking_part):
                    cpu = measure(client, pythons[client], work_name, server, cores[1], seconds)
                    if cpu is None:
                        taking_part.remove(client)
                        del found[client]
                    else:
                        found[client].append(cpu)
            figures[work_name] = found
    _progress("")
    return figures


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def table(figures: Figures) -> str:
    """One table per work, in Markdown."""
    parts = []
    for work_name, found in figures.items():
        medians = {client: statistics.median(values) for client, values in found.items()}
        ours = medians.get(OURS)
        lines = [f"### {WORKS[work_name].title}", "", "| client | CPU per request | spread | ours / theirs |", "|---|---:|---:|---:|"]
        for client, median in sorted(medians.items(), key=lambda item: item[1]):
            spread = f"{min(found[client]):,.0f}-{max(found[client]):,.0f}"
            ratio = f"{ours / median:.2f}" if ours is not None else "-"
            lines.append(f"| {client} | {median:,.1f} µs | {spread} | {ratio} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def versions(pythons: dict[str, str]) -> str:
    requirements = [PEERS[client][0] for client in pythons if client != OURS]
    return ", ".join(requirements)


def report(figures: Figures, pythons: dict[str, str], rounds: int) -> str:
    nginx = subprocess.run([find_or_install(), "-v"], capture_output=True, text=True).stderr.strip().rpartition(": ")[2]
    facts = [
        f"* {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {rounds} rounds: `scripts/bench {' '.join(sys.argv[1:])}`",
        f"* {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        f"* {platform.python_implementation()} {platform.python_version()}, {nginx}",
        f"* {versions(pythons)}",
    ]
    explanation = (__doc__ or "").partition("The figure is")
    return "\n".join(["# Results", "", explanation[1] + explanation[2].rstrip(), "", *facts, "", table(figures), ""])


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def two_cores() -> tuple[int | None, int | None]:
    """A core for the server and one for the client, if there are two."""
    available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(available) < 2:
        print("There are no two cores to pin to: server and client share what there is.", file=sys.stderr)
        return None, None
    return available[0], available[1]


def choice(text: str, allowed: list[str]) -> list[str]:
    chosen = text.split(",")
    if unknown := [name for name in chosen if name not in allowed]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(allowed)}")
    return chosen


def parse_arguments() -> argparse.Namespace:
    clients, works = [OURS, *PEERS], list(WORKS)
    parser = argparse.ArgumentParser(prog="scripts/bench", description="CPU per request, ours beside the peers', against nginx.")
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    parser.add_argument("--rounds", type=int, help="turns that each client takes per work (default: 5)")
    parser.add_argument("--works", type=lambda text: choice(text, works), default=works, help=f"of {', '.join(works)}")
    parser.add_argument("--clients", type=lambda text: choice(text, clients), default=clients, help=f"of {', '.join(clients)}")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    rounds = options.rounds or (2 if options.quick else 5)
    pythons = interpreters(options.clients)
    try:
        figures = run(pythons, options.works, rounds, 0.4 if options.quick else 1.0, two_cores())
    except NotAvailable as error:
        raise SystemExit(f"error: {error}") from None
    print(table(figures))
    if options.write:
        RESULTS.write_text(report(figures, pythons, rounds), encoding="utf-8")
        print(f"\nwritten to {RESULTS}", file=sys.stderr)
    if OURS in pythons and not all(OURS in found for found in figures.values()):
        raise SystemExit("error: our own client failed (see above)")


if __name__ == "__main__":
    main()
