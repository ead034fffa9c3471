"""One client, many threads or tasks: each gets its own answers, and the cookies of all."""

from __future__ import annotations

import pytest

import httpx
from tests.support.servers import respond_json

pytestmark = pytest.mark.usefixtures("no_leaks")


async def test_everybody_gets_the_answer_to_their_own_question(runtime, scripted):
    def script(conn):
        while True:
            request = conn.read_request()
            cookie = [("Set-Cookie", f"c{request.path[1:]}=1; Path=/")] if request.path.endswith("7") else []
            conn.send(respond_json({"target": request.target}, headers=cookie))

    server = scripted(script)
    async with runtime.client(limits=httpx.Limits(max_connections=5), timeout=60) as client:

        def asker(number):
            async def ask():
                for round_ in range(25):
                    response = await client.get(f"{server.url}/{round_}", params={"asker": number})
                    assert response.json() == {"target": f"/{round_}?asker={number}"}

            return ask

        await runtime.gather(*map(asker, range(16)))
        assert sorted(client.cookies) == ["c17", "c7"]
    assert len(server.connections) <= 5
