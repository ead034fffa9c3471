"""Fetch and check thousands of URLs on a dask.distributed cluster, with one HTTPX client per worker.

    python examples/check_urls.py URLS                                    on this machine, a process per core
    python examples/check_urls.py URLS --scheduler tcp://scheduler:8786   on a cluster that runs already

URLS is a file with a URL per line and, if you like, the SHA-256 that its content must have; "-" is standard input. Prints what is wrong
as it is found, at last a summary; the exit status is 1 if anything was. Needs `pip install httpx distributed`.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import sys
import time
from collections.abc import Iterable
from typing import NamedTuple

from distributed import Client as Cluster
from distributed import LocalCluster, Worker, WorkerPlugin, as_completed, get_worker

import httpx

BATCH = 50  # URLs per task: what the scheduler does per task is then spread over many requests


class Checked(NamedTuple):
    """What came of one URL."""

    url: str
    problem: str | None
    size: int
    worker: str


class HTTPXClient(WorkerPlugin):
    """Gives each worker a client of its own, made from the settings of the one here: a client is pickled as its settings.

    The threads of a worker share it: one pool, one set of TLS sessions, one rate limit.
    """

    name = "httpx"

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def setup(self, worker: Worker) -> None:
        """Called in the worker's process."""
        self.client.__enter__()

    def teardown(self, worker: Worker) -> None:
        """Called when the worker ends."""
        self.client.close()


def check(batch: list[tuple[str, str | None]]) -> list[Checked]:
    """Runs on a worker: fetch each URL, and compare it with the digest if there is one."""
    worker = get_worker()
    client = worker.plugins["httpx"].client
    outcomes = []
    for url, expected in batch:
        size, problem = 0, None
        try:
            with client.stream("GET", url) as response:
                response.raise_for_status()
                digest = hashlib.sha256()
                for piece in response.iter_bytes():  # never more than a piece of it in memory
                    digest.update(piece)
                    size += len(piece)
            if expected is not None and digest.hexdigest() != expected:
                problem = f"the content has the SHA-256 {digest.hexdigest()}"
        except httpx.HTTPStatusError as error:
            problem = f"{error.response.status_code} {error.response.reason_phrase}"
        except (httpx.RequestError, httpx.InvalidURL) as error:
            problem = f"{type(error).__name__}: {error}"
        outcomes.append(Checked(url, problem, size, worker.address))
    return outcomes


def read(lines: Iterable[str]) -> list[tuple[str, str | None]]:
    """URLs with their digests."""
    return [(url, digest or None) for url, _, digest in (line.strip().partition(" ") for line in lines) if url]


def run(cluster: Cluster, client: httpx.Client, urls: list[tuple[str, str | None]]) -> list[Checked]:
    """Check `urls` on all workers of the cluster, those that join later too."""
    cluster.register_plugin(HTTPXClient(client))
    batches = [urls[start : start + BATCH] for start in range(0, len(urls), BATCH)]
    outcomes = []
    # What is over once is not over again: a URL that changed may be asked for twice.
    for done in as_completed(cluster.map(check, batches, pure=False)):
        for outcome in done.result():
            if outcome.problem is not None:
                print(f"{outcome.url}: {outcome.problem}", flush=True)
            outcomes.append(outcome)
    return outcomes


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Fetch and check many URLs on a dask.distributed cluster.")
    parser.add_argument("urls", type=argparse.FileType(), help="a file with a URL, and perhaps a SHA-256, per line; - for standard input")
    parser.add_argument("--scheduler", help="the address of a cluster that runs already; else one is started on this machine")
    parser.add_argument("--workers", type=int, help="processes on this machine (default: one per core)")
    arguments = parser.parse_args()
    urls = read(arguments.urls)
    client = httpx.Client(
        follow_redirects=True,
        timeout=httpx.Timeout(10, total=60),
        retries=httpx.Retry(3),
        rate_limit=httpx.RateLimit(500),  # per origin and worker
    )
    local = None
    if arguments.scheduler is None:
        local = LocalCluster(n_workers=arguments.workers, threads_per_worker=4, processes=True, dashboard_address=None)
    began = time.monotonic()
    try:
        with Cluster(local or arguments.scheduler) as cluster:
            outcomes = run(cluster, client, urls)
    finally:
        if local is not None:
            local.close()
    seconds = time.monotonic() - began
    wrong = sum(outcome.problem is not None for outcome in outcomes)
    by_worker = collections.Counter(outcome.worker for outcome in outcomes)
    print(
        f"{len(outcomes):,} URLs, {sum(outcome.size for outcome in outcomes):,} bytes in {seconds:.1f} s: {wrong:,} wrong", file=sys.stderr
    )
    for worker, count in by_worker.most_common():
        print(f"  {count:,} by {worker}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
