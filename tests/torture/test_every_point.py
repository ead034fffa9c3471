"""Cancelled at its first await point, then its second, and so on; with its first socket call failing, then its second, and so on:
a request leaves nothing behind, and the next one on the same client is answered rightly."""

from __future__ import annotations

import pytest

from tests.support.leaks import LeakCheck
from tests.support.runtimes import RUNTIMES
from tests.support.torture import FAULTS, SocketFaults, cancel_at
from tests.torture.scenarios import ALL, only_failures_of_httpx

MOST = 400  # no request here has more points than this


@pytest.mark.parametrize("runtime", ["asyncio", "uvloop", "trio"])
@pytest.mark.parametrize(("way", "act"), ALL)
def test_cancelled_at_every_await(ways, scripted, runtime, way, act):
    if runtime == "uvloop":
        pytest.importorskip("uvloop", reason="uvloop is not available on this platform")
    on = RUNTIMES[runtime]
    scenario = ways.scenario(on, scripted, way, act)
    leaks = LeakCheck()

    async def main() -> int:
        for step in range(1, MOST):
            async with scenario.client() as client:
                was_cancelled = await cancel_at(on, step, scenario.act(client))
                await scenario.check(client)
            if not was_cancelled:
                return step
        raise AssertionError("the request never came to its end")

    assert on.run(main) > 2
    leaks.verify()


# uvloop calls the system itself, where nothing can be put in between. An interrupt may come at any point of a program with
# an event loop; only without one can the client be expected to clear up.
ON = [(runtime, fault) for runtime in ("sync", "asyncio", "trio") for fault in FAULTS if fault != "interrupt" or runtime == "sync"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("runtime", "fault"), ON)
@pytest.mark.parametrize(("way", "act"), ALL)
def test_every_call_of_a_socket_fails(ways, scripted, runtime, way, act, fault):
    on = RUNTIMES[runtime]
    scenario = ways.scenario(on, scripted, way, act)
    also = {"no memory": (MemoryError,), "interrupt": (KeyboardInterrupt,)}.get(fault, ())
    leaks = LeakCheck()

    async def main() -> int:
        for step in range(1, MOST):
            async with scenario.client() as client:
                with SocketFaults(fault, at=step) as faults, only_failures_of_httpx(also, waits=fault == "timed out"):
                    await scenario.act(client)
                await scenario.check(client)
            if not faults.happened:
                return step
        raise AssertionError("the request never came to its end")

    assert on.run(main) > 2
    leaks.verify()
