"""What others get to see: pickles of messages, and hooks of requests that run at the same time."""

from __future__ import annotations

import copyreg
import io
import pickle
import random
import sys

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.leaks import LeakCheck
from tests.support.servers import keep_alive, respond

# What a pickle may name: ours, and the plain data of the standard library that is in it.
MODULES = ("httpx", "http.cookiejar", "datetime", "builtins")


@pytest.fixture(autouse=True)
def _nobody_else_pickles_exceptions(monkeypatch):
    # tblib, which `distributed` brings, registers itself for all exceptions that there are when it is imported.
    for kind in [kind for kind in copyreg.dispatch_table if issubclass(kind, BaseException)]:
        monkeypatch.delitem(copyreg.dispatch_table, kind)


class Reader(pickle._Unpickler):
    """Reads a pickle as the standard library does, and notes what it names; `allowed` is all that it may."""

    def __init__(self, data, allowed=None):
        super().__init__(io.BytesIO(data))
        self.allowed = allowed
        self.named = set()

    def find_class(self, module, name):
        if self.allowed is not None and (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is not for pickles")
        self.named.add((module, name))
        return super().find_class(module, name)


def names_in(data):
    reader = Reader(data)
    reader.load()
    return reader.named


async def exchanged(runtime, scripted, tmp_path, **settings):
    """A response and an exception of a client that holds every kind of secret."""
    authority = Authority(tmp_path)
    files = authority.client()
    proxy = scripted(keep_alive(lambda request: respond(b"body", 404, headers=[("Set-Cookie", "a=canary-of-cookie")])))
    context = httpx.SSLContext(authority.pem, cert=(files.certificate, files.key))
    hidden = f"http://user:canary-of-proxy@127.0.0.1:{proxy.port}"
    auth = httpx.DigestAuth("user", "canary-of-digest")
    async with runtime.client(proxy=hidden, ssl_context=context, auth=auth, **settings) as client:
        response = await client.get("http://www.example.org/", headers={"X-Own": "kept"})
        with pytest.raises(httpx.ConnectError) as failed:
            async with runtime.client(proxy="http://user:canary-of-proxy@127.0.0.1:1") as lost:
                await lost.get("https://www.example.org/")
        with pytest.raises(httpx.HTTPStatusError) as refused:
            response.raise_for_status()
    return getattr(response, "wrapped", response), failed.value, refused.value, files.key.read_bytes()


async def test_pickles_of_messages_hold_the_message_and_no_other_secret(runtime, scripted, tmp_path):
    # X6: the fields of the request are part of it; what the client knows beside is not.
    response, *errors, key = await exchanged(runtime, scripted, tmp_path)
    for thing in (response, *errors):
        data = pickle.dumps(thing)
        for secret in (b"canary-of-proxy", b"canary-of-digest", key[100:200], b"Proxy-Authorization", b"PRIVATE KEY"):
            assert secret not in data
        assert {module.partition(".")[0] for module, _ in names_in(data)} <= {name.partition(".")[0] for name in MODULES}
    copied = pickle.loads(pickle.dumps(response))
    assert (copied.content, copied.request.headers["x-own"]) == (b"body", "kept")
    assert "network_stream" not in copied.extensions


def things_to_pickle(runtime_like=httpx.Client):
    request = httpx.Request("POST", "http://user@www.example.org/?a=1", headers={"X-A": "1"}, content=b"body")
    response = httpx.Response(302, headers={"Location": "/", "Set-Cookie": "a=1"}, content=b"body", request=request)
    cookies = httpx.Cookies({"a": "1"})
    yield from (request, response, request.headers, request.url, cookies, httpx.QueryParams("a=1&b=2"))
    yield from (httpx.HTTPStatusError("message", request=request, response=response), httpx.WebSocketClosed(1000, "bye"))
    yield httpx.ReadTimeout("message", request=request)
    yield runtime_like(headers={"X-A": "1"}, auth=("user", "password"), cookies=cookies, retries=2, base_url="http://www.example.org")


@pytest.mark.parametrize("thing", list(things_to_pickle()), ids=lambda thing: type(thing).__name__)
def test_pickles_name_what_is_ours(thing):
    for module, name in names_in(pickle.dumps(thing)):
        assert module.startswith(MODULES), f"{module}.{name}"
        assert module != "builtins" or name in {"set", "frozenset", "bytearray", "object"}, name


@pytest.mark.parametrize("thing", list(things_to_pickle()), ids=lambda thing: type(thing).__name__)
def test_a_pickle_that_was_tampered_with_brings_in_nothing_new(thing):
    """Who reads pickles of others must say which names they may hold; with those of ours, nothing else comes in by what they say."""
    data = pickle.dumps(thing)
    allowed = names_in(data)
    chance = random.Random(len(data))
    known, leaks = set(sys.modules), LeakCheck()
    for position in range(len(data)):
        tampered = bytearray(data)
        tampered[position] = chance.choice((0, 255, tampered[position] ^ 1, tampered[position] ^ 32, chance.randrange(256)))
        reader = Reader(bytes(tampered), allowed)
        try:
            found = reader.load()
            str(found), repr(found)
        except OSError:
            raise  # it has reached for something outside
        except Exception:
            continue
        assert reader.named <= allowed
    assert {name for name in set(sys.modules) - known if not name.startswith(("httpx", "encodings"))} == set()
    leaks.verify()


async def test_hooks_see_their_own_request_only(no_leaks, runtime, scripted):
    # X11
    server = scripted(keep_alive(lambda request: respond(request.headers["authorization"].encode())))
    seen = []

    def on_request(request):
        number = request.url.params["number"]
        assert request.headers["authorization"] == f"Bearer {number}"
        assert "x-note" not in request.headers
        request.headers["X-Note"] = number
        request.extensions["note"] = number

    def on_response(response):
        number = response.request.url.params["number"]
        assert (response.request.headers["x-note"], response.request.extensions["note"]) == (number, number)
        seen.append(number)

    async def on_request_async(request):
        await runtime.turn()
        on_request(request)
        await runtime.turn()

    async def on_response_async(response):
        await runtime.turn()
        on_response(response)

    hooks = {"request": [on_request_async], "response": [on_response_async]}
    if not runtime.is_async:
        hooks = {"request": [on_request], "response": [on_response]}
    async with runtime.client(event_hooks=hooks, limits=httpx.Limits(max_connections=4)) as client:

        async def one(number):
            headers = {"Authorization": f"Bearer {number}"}
            response = await client.get(server.url, params={"number": number}, headers=headers)
            assert response.text == f"Bearer {number}"

        await runtime.gather(*[lambda number=number: one(number) for number in range(40)])
    assert sorted(seen, key=int) == [str(number) for number in range(40)]
    assert [request.headers["x-note"] for request in server.requests] == [
        request.headers["authorization"].removeprefix("Bearer ") for request in server.requests
    ]


async def test_what_a_hook_adds_to_a_request_is_on_no_other(no_leaks, runtime, app):
    """Also where the header fields of requests come ready from a cache."""

    def on_request(request):
        if request.url.path == "/headers" and request.url.query:
            request.headers["X-Secret"] = "canary"
            del request.headers["User-Agent"]

    async def on_request_async(request):
        on_request(request)

    hook = on_request_async if runtime.is_async else on_request
    async with runtime.client(event_hooks={"request": [hook]}) as client:
        for _ in range(3):
            assert (await client.get(app.url + "/headers?secret")).json()["x-secret"] == "canary"
            following = (await client.get(app.url + "/headers")).json()
            assert "x-secret" not in following
            assert "user-agent" in following
        assert "x-secret" not in client.headers
