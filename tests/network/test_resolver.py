"""From a name to addresses: the cache before the system's resolver, and resolvers of one's own."""

from __future__ import annotations

import os
import socket
import threading

import pytest

import httpx

pytestmark = pytest.mark.usefixtures("no_leaks")

HOST = "service.example"


@pytest.fixture
def client(runtime):
    def make(resolver=None, limits=None, timeout=5.0):
        transport = runtime.transport(resolver=resolver, limits=limits or httpx.Limits(max_keepalive_connections=0))
        return runtime.client(transport=transport, timeout=timeout)

    return make


class TestTheSystemsResolver:
    async def test_an_answer_is_kept_for_a_while(self, client, app, local_hosts):
        local_hosts.add(HOST, {80: app.port})
        async with client() as resolving:
            for _ in range(3):
                await resolving.get(f"http://{HOST}/json")
        assert len(app.connections) == 3
        assert local_hosts.lookups == [(HOST, 80)]

    async def test_it_can_be_asked_each_time(self, client, app, local_hosts):
        local_hosts.add(HOST, {80: app.port})
        async with client(httpx.Resolver(ttl=0)) as resolving:
            for _ in range(3):
                await resolving.get(f"http://{HOST}/json")
        assert local_hosts.lookups == [(HOST, 80)] * 3

    async def test_failures_are_not_kept(self, client, app, local_hosts):
        async with client() as resolving:
            with pytest.raises(httpx.ConnectError, match=f"'{HOST}' could not be resolved"):
                await resolving.get(f"http://{HOST}/json")
            local_hosts.add(HOST, {80: app.port})
            assert (await resolving.get(f"http://{HOST}/json")).status_code == 200

    async def test_addresses_that_cannot_be_reached_are_forgotten(self, client, app, local_hosts):
        local_hosts.add(HOST, {80: app.port}, address="127.0.0.2")
        async with client() as resolving:
            with pytest.raises(httpx.ConnectError, match="refused"):
                await resolving.get(f"http://{HOST}/json")
            local_hosts.add(HOST, {80: app.port})
            assert (await resolving.get(f"http://{HOST}/json")).status_code == 200

    async def test_requests_at_the_same_time_share_a_look_up(self, client, runtime, app, local_hosts, monkeypatch):
        local_hosts.add(HOST, {80: app.port})
        lookups = _held_up(monkeypatch, local_hosts, until=lambda: len(local_hosts.waiting) == 10)
        local_hosts.waiting = []

        class Counting(httpx.Resolver):
            def _start(self, host, port):
                started = super()._start(host, port)
                local_hosts.waiting.append(host)
                return started

        async with client(Counting(ttl=0), httpx.Limits(max_connections=10)) as resolving:
            await runtime.gather(*[lambda: resolving.get(f"http://{HOST}/json")] * 10)
        assert lookups == [HOST]

    async def test_a_look_up_without_end_runs_into_the_connect_timeout(self, client, local_hosts, monkeypatch):
        over = threading.Event()
        _held_up(monkeypatch, local_hosts, until=over.is_set)
        async with client(timeout=httpx.Timeout(5, connect=0.1)) as resolving:
            with pytest.raises(httpx.ConnectTimeout, match=f"Resolving the name '{HOST}' took longer than"):
                await resolving.get(f"http://{HOST}/")
        over.set()

    async def test_a_look_up_for_which_there_is_no_thread_is_a_connect_error(self, client, app, local_hosts, monkeypatch):
        def start(thread):
            raise RuntimeError("can't start new thread")

        local_hosts.add(HOST, {80: app.port})
        async with client() as resolving:
            with monkeypatch.context() as patched:
                patched.setattr(threading.Thread, "start", start)
                with pytest.raises(httpx.ConnectError, match="can't start new thread"):
                    await resolving.get(f"http://{HOST}/json")
            assert (await resolving.get(f"http://{HOST}/json")).status_code == 200

    async def test_addresses_need_no_resolver(self, client, app, local_hosts):
        def unwanted(host, port):
            raise AssertionError("an address was looked up")

        async with client(unwanted) as resolving:
            assert (await resolving.get(app.url + "/json")).status_code == 200
        assert local_hosts.lookups == []

    def test_it_keeps_a_limited_number_of_answers(self, local_hosts):
        resolver = httpx.Resolver(max_entries=2)
        for name in ("a", "b", "c"):
            local_hosts.add(f"{name}.example")
            assert resolver(f"{name}.example", 80) == ["127.0.0.1"]
        resolver("c.example", 80)
        resolver("a.example", 80)
        assert [name for name, _ in local_hosts.lookups] == ["a.example", "b.example", "c.example", "a.example"]

    def test_a_link_local_address_keeps_its_interface(self, monkeypatch):
        answer = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 80, 0, 2))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answer)
        assert httpx.Resolver()("router.example", 80) == ["fe80::1%2"]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
    def test_a_forked_process_does_not_wait_for_a_look_up_of_its_parent(self, local_hosts, monkeypatch):
        over, parent = threading.Event(), os.getpid()
        _held_up(monkeypatch, local_hosts, until=lambda: over.is_set() or os.getpid() != parent)
        local_hosts.add(HOST)
        resolver = httpx.Resolver()
        started = resolver._start(HOST, 80)
        child = os.fork()
        if child == 0:
            os._exit(0 if resolver._start(HOST, 80).result(10) else 1)
        assert os.waitpid(child, 0)[1] == 0
        over.set()
        assert started.result(10)


def _held_up(monkeypatch, hosts, until):
    """Let look-ups of `HOST` take until `until()`; a list of those that were made."""
    lookups = []

    def getaddrinfo(host, *args, **kwargs):
        if host == HOST:
            lookups.append(host)
            while not until():
                threading.Event().wait(0.001)
        return hosts.getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return lookups


class TestOnesOwn:
    async def test_a_function_says_where_to_connect(self, client, app):
        asked = []

        def resolver(host, port):
            asked.append((host, port))
            return ["127.0.0.1"]

        async with client(resolver) as resolving:
            response = await resolving.get(f"http://{HOST}:{app.port}/headers")
        assert response.json()["host"] == f"{HOST}:{app.port}"
        assert asked == [(HOST, app.port)]

    async def test_it_may_name_another_port(self, client, app):
        async with client(lambda host, port: [("127.0.0.1", app.port)]) as resolving:
            assert (await resolving.get(f"http://{HOST}/json")).status_code == 200

    async def test_it_may_be_asynchronous(self, client, runtime, app):
        class Resolver:
            async def __call__(self, host, port):
                await runtime.turn()
                return ["127.0.0.1"]

        for resolver in (Resolver(), Resolver().__call__, lambda host, port: Resolver()(host, port)):
            async with client(resolver) as resolving:
                if runtime.is_async:
                    assert (await resolving.get(f"http://{HOST}:{app.port}/json")).status_code == 200
                else:
                    with pytest.raises(TypeError, match="AsyncClient"):
                        await resolving.get(f"http://{HOST}:{app.port}/json")

    async def test_an_asynchronous_one_without_end_runs_into_the_connect_timeout(self, client, runtime):
        async def resolver(host, port):
            while True:
                await runtime.turn()

        async with client(resolver, timeout=httpx.Timeout(5, connect=0.1)) as resolving:
            if runtime.is_async:
                with pytest.raises(httpx.ConnectTimeout, match="Resolving"):
                    await resolving.get(f"http://{HOST}/")

    async def test_what_it_cannot_resolve_is_a_connect_error(self, client):
        def resolver(host, port):
            raise OSError("no such service")

        async with client(resolver) as resolving:
            with pytest.raises(httpx.ConnectError, match="no such service"):
                await resolving.get(f"http://{HOST}/")
        async with client(lambda host, port: []) as resolving:
            with pytest.raises(httpx.ConnectError, match="no address"):
                await resolving.get(f"http://{HOST}/")

    async def test_there_may_be_no_thread_for_it(self, client, monkeypatch):
        def start(thread):
            raise RuntimeError("can't start new thread")

        async with client(lambda host, port: ["127.0.0.1"]) as resolving:
            monkeypatch.setattr(threading.Thread, "start", start)
            with pytest.raises(httpx.ConnectError, match="can't start new thread"):
                await resolving.get(f"http://{HOST}/")

    async def test_its_own_timeout_is_told_as_such(self, client):
        def resolver(host, port):
            raise TimeoutError("the directory does not answer")

        async with client(resolver) as resolving:
            with pytest.raises(httpx.ConnectTimeout, match="could not be resolved: the directory does not answer"):
                await resolving.get(f"http://{HOST}/")

    @pytest.mark.parametrize(
        "answer",
        [["other.example"], "127.0.0.1", None, 7, [7], [None], [("127.0.0.1",)], [("127.0.0.1", "http")], [("127.0.0.1", 65_536)]],
        ids=repr,
    )
    async def test_what_is_no_answer_is_said(self, client, answer):
        async with client(lambda host, port: answer) as resolving:
            with pytest.raises(ValueError, match=r"IP addresses for 'service\.example'"):
                await resolving.get(f"http://{HOST}/")

    async def test_it_may_fall_back_on_the_systems(self, client, app, local_hosts):
        local_hosts.add("public.example", {80: app.port})
        system = httpx.Resolver()
        known = {HOST: ["127.0.0.1"]}
        async with client(lambda host, port: known.get(host) or [(address, app.port) for address in system(host, port)]) as resolving:
            assert (await resolving.get("http://public.example/json")).status_code == 200
            assert (await resolving.get(f"http://{HOST}:{app.port}/json")).status_code == 200
