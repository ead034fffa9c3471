"""`Client(retries=httpx.Retry(...))`: what is sent again, when, how often, and what is told of it."""

from __future__ import annotations

import email.utils
import io
import itertools
import logging
import pickle
import time

import pytest

import httpx
from httpx._exchange.retries import retry_after
from tests.support.servers import keep_alive, respond

AT_ONCE = httpx.Retry(3, backoff=0)


def answers(*responses):
    """A script of one server, over all connections: these responses, the last one for ever; None hangs up."""
    left = itertools.chain(responses, itertools.repeat(responses[-1]))

    def script(conn):
        while True:
            conn.read_request()
            answer = next(left)
            if answer is None:
                return
            conn.send(answer)

    return script


UNAVAILABLE, FINE = respond(b"later", 503), respond(b"fine")


async def test_nothing_is_sent_again_by_default(runtime, scripted):
    server = scripted(answers(UNAVAILABLE, FINE))
    async with runtime.client() as client:
        response = await client.get(server.url)
    assert (response.status_code, list(response.attempts), len(server.requests)) == (503, [], 1)


@pytest.mark.parametrize(
    "failures", [[UNAVAILABLE], [respond(status=429), respond(status=502)], [None], [b"nonsense\r\n\r\n", UNAVAILABLE]]
)
async def test_what_may_pass_is_tried_again(runtime, scripted, failures):
    server = scripted(answers(*failures, FINE))
    async with runtime.client(retries=AT_ONCE) as client:
        response = await client.get(server.url)
    assert response.content == b"fine"
    assert len(response.attempts) == len(server.requests) == len(failures) + 1
    assert response.attempts[-1].status_code == 200
    assert all((attempt.status_code is None) == (attempt.error is not None) for attempt in response.attempts)


async def test_the_last_answer_is_the_result(runtime, scripted):
    server = scripted(answers(UNAVAILABLE))
    async with runtime.client(retries=2) as client:
        client._retries.backoff = 0
        response = await client.get(server.url)
    assert (response.status_code, response.content) == (503, b"later")
    assert [attempt.status_code for attempt in response.attempts] == [503, 503, 503]


async def test_the_last_error_tells_of_those_before(runtime, scripted):
    server = scripted(answers(UNAVAILABLE, None))
    async with runtime.client(retries=AT_ONCE) as client:
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await client.get(server.url)
    told = " ".join(caught.value.__notes__)
    assert "attempt 3" in told
    assert "503, RemoteProtocolError" in told


@pytest.mark.parametrize("status", [400, 404, 500, 501])
async def test_other_statuses_are_results(runtime, app, status):
    async with runtime.client(retries=AT_ONCE) as client:
        response = await client.get(f"{app.url}/status/{status}")
    assert len(response.attempts) == len(app.requests) == 1


async def test_what_is_not_idempotent_is_sent_once(runtime, scripted):
    server = scripted(answers(UNAVAILABLE, FINE))
    async with runtime.client(retries=AT_ONCE) as client:
        assert (await client.post(server.url, content=b"order")).status_code == 503
    async with runtime.client(retries=httpx.Retry(3, backoff=0, methods=["post"])) as client:
        assert (await client.post(server.url, content=b"order")).status_code == 200


async def test_content_in_memory_and_in_files_is_sent_again(runtime, scripted, tmp_path):
    path = tmp_path / "content"
    path.write_bytes(b"abc")
    for content in (b"abc", io.BytesIO(b"abc"), path, [b"a", b"bc"]):
        server = scripted(answers(UNAVAILABLE, FINE))
        async with runtime.client(retries=AT_ONCE) as client:
            assert (await client.put(server.url, content=content)).status_code == 200
        assert [request.body for request in server.requests] == [b"abc", b"abc"]
    server = scripted(answers(UNAVAILABLE, FINE))
    async with runtime.client(retries=AT_ONCE) as client:
        assert (await client.put(server.url, files={"file": io.BytesIO(b"abc")})).status_code == 200
    assert server.requests[0].body == server.requests[1].body != b""


async def test_a_generator_is_sent_once(runtime, scripted):
    server = scripted(answers(UNAVAILABLE, FINE))
    async with runtime.client(retries=AT_ONCE) as client:
        response = await client.put(server.url, content=(part for part in [b"a", b"b"]))
    assert (response.status_code, len(server.requests)) == (503, 1)


async def test_a_body_that_breaks_off_is_part_of_the_attempt(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(respond(b"whole")[: -2 if conn.number == 0 else None])

    async with runtime.client(retries=AT_ONCE) as client:
        response = await client.get(scripted(script).url)
    assert response.content == b"whole"
    assert len(response.attempts) == 2


async def test_a_streamed_response_is_left_to_the_caller(runtime, scripted):
    server = scripted(answers(UNAVAILABLE, FINE))
    async with runtime.client(retries=AT_ONCE) as client, client.stream("GET", server.url) as response:
        assert len(response.attempts) == 2
        assert await response.aread() == b"fine"


async def test_a_server_that_nobody_is_at(runtime, scripted):
    server = scripted(answers(FINE))
    server.close()
    async with runtime.client(retries=AT_ONCE) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(server.url)
    assert "attempt 3" in caught.value.__notes__[-1]


async def test_what_will_not_pass_is_not_tried_again(runtime):
    async with runtime.client(retries=AT_ONCE) as client:
        with pytest.raises(httpx.UnsupportedProtocol) as caught:
            await client.get("ftp://127.0.0.1/")
    assert not hasattr(caught.value, "__notes__")


async def test_attempts_come_after_redirects_and_hooks_of_their_own(runtime, scripted):
    seen = []

    async def see_async(message):
        seen.append(message)

    redirect = respond(status=302, headers=[("Location", "/there")])
    server = scripted(answers(redirect, UNAVAILABLE, redirect, FINE))
    hook = see_async if runtime.is_async else seen.append
    async with runtime.client(retries=AT_ONCE, follow_redirects=True, event_hooks={"request": [hook]}) as client:
        response = await client.get(server.url)
    assert response.content == b"fine"
    assert [request.target for request in server.requests] == ["/", "/there", "/", "/there"]
    assert (len(seen), len(response.history)) == (4, 1)


async def test_the_total_deadline_holds_over_all_attempts(runtime, scripted):
    server = scripted(answers(UNAVAILABLE))
    patient = httpx.Retry(50, backoff=0, budget=None)
    async with runtime.client(retries=patient, timeout=httpx.Timeout(5.0, total=60.0)) as client:
        request = client.build_request("GET", server.url)
        response = await client.send(request)
        first = request.extensions["timeout"].deadline
        assert len(response.attempts) == 50
        await client.send(request)
        assert request.extensions["timeout"].deadline > first
    hopeless = httpx.Retry(50, backoff=0)
    server = scripted(answers(respond(status=503, headers=[("Retry-After", "30")])))
    async with runtime.client(retries=hopeless, timeout=httpx.Timeout(5.0, total=10.0)) as client:
        assert len((await client.get(server.url)).attempts) == 1


async def test_a_time_out_of_the_whole_is_final(runtime, scripted):
    server = scripted(lambda conn: conn.wait_closed())
    async with runtime.client(retries=AT_ONCE, timeout=httpx.Timeout(total=0.2)) as client:
        with pytest.raises(httpx.ReadTimeout) as caught:
            await client.get(server.url)
    assert len(server.connections) == 1
    assert "0.2 seconds" in str(caught.value) + "".join(caught.value.__notes__)


def test_retry_after_is_waited_for(scripted):
    arrived = []

    def answer(request):
        arrived.append(time.monotonic())
        return respond(status=503, headers=[("Retry-After", "1")]) if len(arrived) == 1 else FINE

    with httpx.Client(retries=AT_ONCE) as client:
        response = client.get(scripted(keep_alive(answer)).url)
    assert response.attempts[0].pause == 1
    assert arrived[1] - arrived[0] >= 0.99


async def test_a_server_that_wants_too_much_patience_has_the_last_word(runtime, scripted):
    server = scripted(answers(respond(status=429, headers=[("Retry-After", "61")])))
    async with runtime.client(retries=AT_ONCE) as client:
        assert len((await client.get(server.url)).attempts) == 1


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (503, {}, None),
        (503, {"Retry-After": "120"}, 120),
        (503, {"Retry-After": email.utils.formatdate(NOW + 90, usegmt=True)}, 90),
        (503, {"Retry-After": email.utils.formatdate(NOW - 90, usegmt=True)}, 0),
        (503, {"Retry-After": "soon"}, None),
        (503, {"Retry-After": "-5"}, None),
        (503, {"Retry-After": "9" * 400}, None),
        (429, {"RateLimit": '"default";r=0;t=30'}, 30),
        (429, {"RateLimit": "limit=100, remaining=0, reset=50"}, 50),
        (429, {"RateLimit-Remaining": "0", "RateLimit-Reset": "7"}, 7),
        (429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) + 40)}, 40),
        (429, {"X-RateLimit-Remaining": "12", "X-RateLimit-Reset": "40"}, None),
        (502, {"RateLimit-Remaining": "0", "RateLimit-Reset": "7"}, None),
        (429, {"Retry-After": "3", "RateLimit-Reset": "7"}, 3),
    ],
)
def test_when_the_server_wants_to_be_asked_again(status, headers, seconds):
    assert retry_after(httpx.Response(status, headers=headers), NOW) == seconds


def test_pauses_are_drawn_from_a_range_that_doubles():
    policy = httpx.Retry(backoff=1.0, max_backoff=5.0)
    for number, bound in enumerate([1, 2, 4, 5, 5], 1):
        drawn = [policy.pause(number, None, NOW) for _ in range(200)]
        assert 0 <= min(drawn) < bound / 4 < bound * 3 / 4 < max(drawn) <= bound
    assert policy.pause(10**6, None, NOW) <= 5.0
    asked = policy.pause(1, httpx.Response(503, headers={"Retry-After": "10"}), NOW)
    assert 10 <= asked <= 11


async def test_a_budget_keeps_retries_from_multiplying(runtime, scripted, caplog):
    caplog.set_level(logging.INFO, logger="httpx")
    server, other = scripted(answers(UNAVAILABLE)), scripted(answers(UNAVAILABLE))
    async with runtime.client(retries=httpx.Retry(3, backoff=0, budget=0.1)) as client:
        for _ in range(40):
            await client.get(server.url)
        assert 40 + 10 <= len(server.requests) <= 40 + 10 + 4
        assert f"Not retrying GET {server.url} after 503: too many requests to this origin were retried (budget=0.1)" in caplog.text
        assert len((await client.get(other.url)).attempts) == 3  # another origin has its own


async def test_each_retry_is_logged_without_secrets(runtime, scripted, caplog):
    caplog.set_level(logging.INFO, logger="httpx")
    server = scripted(answers(UNAVAILABLE, FINE))
    async with runtime.client(retries=AT_ONCE) as client:
        await client.get(server.url + "/path?key=canary")
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if line.startswith("Retrying")] == [
        f"Retrying GET {server.url}/path?[secure] in 0.00 s after 503 (attempt 2 of 3)"
    ]
    assert "canary" not in caplog.text


async def test_a_closed_client_gives_up(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        conn.wait_closed()

    server = scripted(script)

    async def closing():
        await runtime.in_thread(server.wait_for_requests, 1)
        await client.aclose()

    client = runtime.client(retries=AT_ONCE)

    async def asking():
        with pytest.raises(httpx.TransportError):
            await client.get(server.url)

    await runtime.gather(asking, closing)
    assert len(server.requests) == 1


def test_what_makes_no_sense_is_refused():
    for settings in ({"attempts": 0}, {"backoff": -1}, {"budget": -0.1}, {"max_retry_after": -1}):
        with pytest.raises(ValueError, match="="):
            httpx.Retry(**settings)


def test_a_policy_is_pickled_as_its_settings():
    policy = pickle.loads(pickle.dumps(httpx.Retry(5, statuses=[503], backoff=2.0)))
    assert repr(policy) == repr(httpx.Retry(5, statuses=[503], backoff=2.0))
