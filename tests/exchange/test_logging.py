"""One line per request, in which nothing is secret."""

from __future__ import annotations

import logging

import pytest

import httpx


@pytest.mark.parametrize(
    ("tail", "logged"),
    [
        ("", ""),
        ("/json", "/json"),
        ("/json?token=canary&a=1", "/json?[secure]"),
        ("/json#part", "/json#part"),
        ("/json?q#f", "/json?[secure]"),
    ],
)
async def test_a_request_is_logged_in_one_line(runtime, app, caplog, tail, logged):
    caplog.set_level(logging.INFO, logger="httpx")
    async with runtime.client() as client:
        await client.get(app.url + tail)
    assert caplog.record_tuples == [("httpx", logging.INFO, f'HTTP Request: GET {app.url}{logged} "HTTP/1.1 200 OK"')]


async def test_no_secret_is_logged_at_any_level(runtime, app, caplog):
    caplog.set_level(logging.DEBUG)
    secrets = {"Authorization": "canary", "Cookie": "canary", "X-API-Key": "canary"}
    async with runtime.client(headers=secrets, cookies={"sid": "canary"}, auth=("user", "canary")) as client:
        await client.get(app.url.replace("://", "://user:canary@") + "/set-cookie/sid/canary?key=canary".replace("/sid/canary", "/sid/1"))
    assert "[secure]" in caplog.text
    assert "canary" not in caplog.text


def test_nothing_is_logged_by_default(app, caplog):
    httpx.get(app.url)
    assert caplog.records == []
