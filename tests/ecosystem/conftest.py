"""Libraries that build on HTTPX, used for real against servers of our own. Run by `scripts/dependants`, not by `scripts/test`.

Nothing here knows which HTTPX is installed: the same tests run against HTTPX 0.28.1, which shows that they ask for
what the libraries really have from it.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.support.servers import PATIENCE, AppServer, Request, ScriptedServer, keep_alive, say

# Read when these libraries are imported: none of them is to look for the Internet or for accounts.
os.environ.update(
    {
        "ANONYMIZED_TELEMETRY": "False",
        "DD_REMOTE_CONFIGURATION_ENABLED": "false",
        "DD_TRACE_ENABLED": "true",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
        "NO_PROXY": "",
    }
)
for _variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(_variable, None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines, on asyncio."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    asyncio.run(test(**{name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}))
    return True


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    """Start a server that answers each request with `answer(request)`: bytes, or the pieces of a response."""
    with contextlib.ExitStack() as servers:

        def start(answer: Callable[[Request], bytes | Iterable[bytes]], **settings: Any) -> ScriptedServer:
            return servers.enter_context(ScriptedServer(keep_alive(answer), **settings))

        yield start


@pytest.fixture
def app() -> Iterator[AppServer]:
    """A well-behaved plain HTTP server; its routes are listed at `AppServer`."""
    with AppServer() as server:
        yield server


@pytest.fixture
def silent() -> Iterator[ScriptedServer]:
    """A server that never answers."""
    with ScriptedServer(say()) as server:
        yield server


@pytest.fixture
def serve_asgi() -> Iterator[Callable[[Any], str]]:
    """Run an ASGI application under uvicorn, WebSockets included; gives its URL."""
    import uvicorn

    with contextlib.ExitStack() as running:

        def start(application: Any) -> str:
            listener = running.enter_context(socket.create_server(("127.0.0.1", 0)))
            ready = threading.Event()

            class Server(uvicorn.Server):
                async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                    await super().startup(sockets)
                    ready.set()

            server = Server(uvicorn.Config(application, loop="asyncio", ws="wsproto", log_level="warning"))
            thread = threading.Thread(target=server.run, args=([listener],), name="uvicorn")
            thread.start()
            running.callback(thread.join, PATIENCE)
            running.callback(setattr, server, "should_exit", True)
            assert ready.wait(PATIENCE), "uvicorn did not start"
            return f"http://127.0.0.1:{listener.getsockname()[1]}"

        yield start
