"""The extension `upload_progress`: how much of a request's body has gone out."""

from __future__ import annotations

import io

import pytest

import httpx
from tests.support.http2 import keep_alive_http2


@pytest.mark.parametrize(
    ("content", "total"),
    [
        (lambda: {"content": b"x" * 1_000_000}, 1_000_000),
        (lambda: {"content": b"small"}, 5),
        (lambda: {"content": io.BytesIO(b"x" * 1_000_000)}, 1_000_000),
        (lambda: {"content": [b"x" * 1000] * 5}, None),
        (lambda: {"json": [1, 2, 3]}, 7),
    ],
)
@pytest.mark.parametrize("http2", [False, True])
async def test_it_is_told_how_much_has_gone_out(runtime, app, scripted, content, total, http2):
    told = []
    url = scripted(keep_alive_http2(lambda fields, body: body[:0])).url if http2 else app.url + "/echo"
    async with runtime.client(transport=runtime.transport(http1=not http2, http2=http2)) as client:
        response = await client.post(url, **content(), extensions={"upload_progress": lambda *now: told.append(now)})
    assert response.status_code == 200
    assert told == sorted(told, key=lambda now: now[0])
    assert {now[1] for now in told} == {total}
    assert told[-1][0] == (total or 5000)


async def test_without_content_it_is_not_called(runtime, app):
    async with runtime.client() as client:
        await client.get(app.url, extensions={"upload_progress": lambda *now: pytest.fail("called")})


async def test_what_it_raises_ends_the_request(no_leaks, runtime, app):
    class Enough(Exception):
        pass

    def progress(sent, total):
        raise Enough

    async with runtime.client() as client:
        with pytest.raises(Enough):
            await client.post(app.url + "/echo", content=b"x" * 1_000_000, extensions={"upload_progress": progress})
        assert client.pool_stats().in_use == 0


def test_a_form_with_a_file(app):
    told = []
    with httpx.Client() as client:
        client.post(
            app.url + "/echo", files={"a": io.BytesIO(b"x" * 300_000)}, extensions={"upload_progress": lambda *now: told.append(now)}
        )
    assert told[-1][0] == told[-1][1] > 300_000
