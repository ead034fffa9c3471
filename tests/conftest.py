"""Fixtures for all tests; what they are made of is in tests/support/.

A test written as a coroutine runs on its `runtime` fixture, or on asyncio if it has none: see tests/support/runtimes.py.
"""

from __future__ import annotations

import inspect
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.hosts import LocalHosts
from tests.support.leaks import LeakCheck
from tests.support.runtimes import RUNTIMES, Runtime
from tests.support.servers import AppServer, Script, ScriptedServer

# How long an example takes says more of the machine than of the code; new examples are what scripts/fuzz is for.
settings.register_profile("tests", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}
    runtime: Any = pyfuncitem.funcargs.get("runtime", RUNTIMES["asyncio"])
    runtime.run(lambda: test(**arguments))
    return True


@pytest.fixture(params=list(RUNTIMES))
def runtime(request: pytest.FixtureRequest) -> Runtime:
    """The test runs once per runtime: sync, asyncio, uvloop, trio."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop", reason="uvloop is not available on this platform")
    return RUNTIMES[request.param]


@pytest.fixture
def no_leaks() -> Iterator[LeakCheck]:
    """Fails the test if it leaves a socket or a thread behind. Name it first: fixtures after it are closed before it looks."""
    check = LeakCheck()
    yield check
    check.verify()


@pytest.fixture
def heeding_control_c() -> Iterator[None]:
    """Control-C is an exception here, and in processes begun here: those in the background may have been told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def local_hosts(monkeypatch: pytest.MonkeyPatch) -> LocalHosts:
    """Names that resolve to servers of the test: `local_hosts.add("www.example.com", {443: server.port})`."""
    hosts = LocalHosts()
    hosts.install(monkeypatch)
    return hosts


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """Start servers: `scripted(script)`, `scripted(script, ssl_context=...)`. All are closed after the test."""
    servers: list[ScriptedServer] = []

    def start(script: Script, **settings: Any) -> ScriptedServer:
        servers.append(ScriptedServer(script, **settings))
        return servers[-1]

    yield start
    _close_all(servers)


@pytest.fixture
def app_server() -> Iterator[Callable[..., AppServer]]:
    """Start well-behaved servers: `app_server()`, `app_server(ssl_context=...)`. All are closed after the test."""
    servers: list[AppServer] = []

    def start(**settings: Any) -> AppServer:
        servers.append(AppServer(**settings))
        return servers[-1]

    yield start
    _close_all(servers)


@pytest.fixture
def app(app_server: Callable[..., AppServer]) -> AppServer:
    """A well-behaved plain HTTP server; its routes are listed at `AppServer`."""
    return app_server()


@pytest.fixture(scope="session")
def uvicorn_server() -> Iterator[str]:
    """The URL of a running uvicorn."""
    from tests.support.peers import serve_uvicorn

    with serve_uvicorn() as url:
        yield url


@pytest.fixture(scope="session")
def hypercorn_server() -> Iterator[str]:
    """The URL of a running hypercorn."""
    from tests.support.peers import serve_hypercorn

    with serve_hypercorn() as url:
        yield url


@pytest.fixture(scope="session")
def nginx_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `nginx_server` serves under /files/."""
    folder = tmp_path_factory.mktemp("nginx") / "files"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def nginx_server(nginx_files: Path) -> Iterator[str]:
    """The URL of a running nginx."""
    from tests.support.peers import find_nginx, serve_nginx

    if find_nginx() is None:
        pytest.skip("nginx is not installed (on Debian: apt-get install nginx-light)")
    with serve_nginx(nginx_files.parent) as url:
        yield url


def _close_all(servers: list[Any]) -> None:
    errors = []
    for server in servers:
        try:
            server.close()
        except ExceptionGroup as error:
            errors.append(error)
    if errors:
        raise ExceptionGroup("servers of this test failed", errors)
