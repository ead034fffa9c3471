#!/usr/bin/env python3
"""Compares this client with its peers in one run, against nginx, and with what is asked of it.

    scripts/bench                                   everything, five rounds, under 15 minutes
    scripts/bench --quick                           the peers that goals name, briefly, under 2 minutes
    scripts/bench --works sync,sync-tls --clients ours,pyreqwest
    scripts/bench --write                           and keep the result in benchmarks/RESULTS.md and docs/assets/benchmarks.svg
    scripts/bench --check                           and fail if a goal is missed

The works, the peers and the goals are the table in works.py. Goals that are missed are marked.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import memory
import overhead
from chart import chart
from environments import PEERS, REPOSITORY, NotInstallable, python_with
from judgement import Absolute, Figures, judge
from report import body, document
from servers.nginx import NotAvailable, Server, pinned, serve
from works import OURS, OURS_SPEED, WORKS, Work

WORKER = Path(__file__).with_name("compare_worker.py")
RESULTS = Path(__file__).with_name("RESULTS.md")
CHART = REPOSITORY / "docs" / "assets" / "benchmarks.svg"
ABSOLUTE_FIGURES = "absolute"  # among the works: figures that need no peer


def adaptor(client: str) -> str:
    return re.sub(r"\W", "_", client)


def interpreters(clients: list[str]) -> dict[str, str]:
    """The interpreter for each client. Peers that cannot be installed here are named and left out."""
    found = {}
    for client in clients:
        try:
            found[client] = sys.executable if client in (OURS, OURS_SPEED) else str(python_with(client))
        except NotInstallable as error:
            print(f"{client} is left out: {error}", file=sys.stderr)
    return found


def measure(client: str, python: str, work_name: str, server: Server, core: int | None, seconds: float) -> float | None:
    """The figure, or None (and what went wrong on stderr)."""
    command = [python, str(WORKER), adaptor(client), work_name, json.dumps(server), str(seconds)]
    try:
        done = subprocess.run(
            pinned(command, core), capture_output=True, text=True, stdin=subprocess.DEVNULL, env=neutral_environment(), timeout=180
        )
    except subprocess.TimeoutExpired:
        print(f"{client} did not finish {work_name}.", file=sys.stderr)
        return None
    if done.returncode:
        print(f"{client} failed at {work_name}:\n{done.stderr}{done.stdout}", file=sys.stderr)
        return None
    figure: float = json.loads(done.stdout.splitlines()[-1])
    return figure


def neutral_environment() -> dict[str, str]:
    """The environment without what some clients would follow, and others not: proxies and certificate bundles."""
    followed = re.compile(r".*_proxy|.*_CA_BUNDLE|SSL_CERT_(FILE|DIR)|SSLKEYLOGFILE", re.IGNORECASE)
    return {name: value for name, value in os.environ.items() if not followed.fullmatch(name)}


def run(pythons: dict[str, str], works: dict[str, Work], rounds: int, seconds: float, cores: tuple[int | None, int | None]) -> Figures:
    figures: Figures = {}
    with serve(cores[0]) as server:
        for name, work in works.items():
            taking_part = [client for client in work.clients if client in pythons]
            found: dict[str, list[float]] = {client: [] for client in taking_part}
            for number in range(rounds):
                _progress(f"{work.title}, round {number + 1} of {rounds}")
                for client in list(taking_part):
                    figure = measure(client, pythons[client], name, server, cores[1], seconds)
                    if figure is None:
                        taking_part.remove(client)
                        del found[client]
                    else:
                        found[client].append(figure)
            figures[name] = found
    _progress("")
    return figures


def absolute_figures(quick: bool) -> Absolute:
    """What works.ABSOLUTE names, measured."""
    _progress("our own work, and memory")
    found = overhead.run({OURS: sys.executable}, rounds=2 if quick else 7, seconds=0.2 if quick else 0.4)
    figures = {work: by_subject[OURS] for work, by_subject in found.items()}
    figures.update(memory.figures(connections=1_000 if quick else 10_000, quick=quick))
    _progress("")
    return figures


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


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
    clients, works = [OURS, OURS_SPEED, *PEERS], [*WORKS, ABSOLUTE_FIGURES]
    parser = argparse.ArgumentParser(prog="scripts/bench", description="CPU per request, ours beside the peers', against nginx.")
    parser.add_argument("--quick", action="store_true", help="two short rounds, of the peers that goals name")
    parser.add_argument("--rounds", type=int, help="turns that each client takes per work (default: 5)")
    parser.add_argument("--seconds", type=float, help="that a turn takes, about (default: 0.6)")
    parser.add_argument("--works", type=lambda text: choice(text, works), default=works, help=f"of {', '.join(works)}")
    parser.add_argument("--clients", type=lambda text: choice(text, clients), default=clients, help=f"of {', '.join(clients)}")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md and docs/assets/benchmarks.svg")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (0.15 if options.quick else 0.6)
    return options


def chosen_works(names: list[str], quick: bool) -> dict[str, Work]:
    works = {name: WORKS[name] for name in names if name in WORKS}
    if not quick:
        return works
    return {name: work._replace(clients=[c for c in work.clients if c == OURS or c in work.goals]) for name, work in works.items()}


def main() -> None:
    options = parse_arguments()
    works = chosen_works(options.works, options.quick)
    pythons = interpreters([client for client in options.clients if any(client in work.clients for work in works.values())])
    try:
        figures = run(pythons, works, options.rounds, options.seconds, two_cores()) if works else {}
    except NotAvailable as error:
        raise SystemExit(f"error: {error}") from None
    absolute = absolute_figures(options.quick) if ABSOLUTE_FIGURES in options.works else {}
    print(body(figures, absolute))
    if options.write:
        RESULTS.write_text(document(figures, absolute, list(pythons), options.rounds), encoding="utf-8")
        CHART.parent.mkdir(exist_ok=True)
        CHART.write_text(chart(figures), encoding="utf-8")
        print(f"\nwritten to {RESULTS} and {CHART}", file=sys.stderr)
    if OURS in pythons and not all(OURS in found for found in figures.values()):
        raise SystemExit("error: our own client failed (see above)")
    missed = [verdict for verdict in judge(figures, absolute) if not verdict.met]
    if options.check and missed:
        raise SystemExit(f"error: {len(missed)} goals are missed (marked above)")


if __name__ == "__main__":
    main()
