"""The OpenAI client, 2.54 (its last on HTTPX)."""

from __future__ import annotations

import io

import openai
import pytest

import httpx
from tests.ecosystem.chat import BROKEN, BUSY, LIMITED, failing_first, openai_answer
from tests.support.servers import respond_json

HELLO = [{"role": "user", "content": "Say hello."}]


def client_for(server, **settings):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="key", **settings)


def async_client_for(server, **settings):
    return openai.AsyncOpenAI(base_url=server.url + "/v1", api_key="key", **settings)


def test_a_chat_completion(serve):
    server = serve(openai_answer)
    with client_for(server) as client:
        completion = client.chat.completions.create(model="m1", messages=HELLO, temperature=0.5)
    assert completion.choices[0].message.content == "Hello, wörld!"
    assert completion.usage.total_tokens == 5
    sent = server.requests[0]
    assert sent.headers["authorization"] == "Bearer key"
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["user-agent"].startswith("OpenAI/Python")


async def test_a_chat_completion_of_the_async_client(serve):
    async with async_client_for(serve(openai_answer)) as client:
        completion = await client.chat.completions.create(model="m1", messages=HELLO)
    assert completion.choices[0].message.content == "Hello, wörld!"


def test_a_streamed_completion(serve):
    with client_for(serve(openai_answer)) as client, client.chat.completions.create(model="m1", messages=HELLO, stream=True) as stream:
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Hello, wörld!"


async def test_a_streamed_completion_of_the_async_client(serve):
    async with async_client_for(serve(openai_answer)) as client:
        stream = await client.chat.completions.create(model="m1", messages=HELLO, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Hello, wörld!"


async def test_a_stream_left_in_the_middle_frees_its_connection(serve):
    limits = httpx.Limits(max_connections=1)
    async with async_client_for(serve(openai_answer), http_client=openai.DefaultAsyncHttpxClient(limits=limits)) as client:
        for _ in range(3):
            async with await client.chat.completions.create(model="m1", messages=HELLO, stream=True) as stream:
                async for chunk in stream:
                    assert chunk.choices[0].delta.content == "Hello"
                    break


@pytest.mark.parametrize("file", [b"content", io.BytesIO(b"content"), ("notes.txt", b"content"), ("notes.txt", b"content", "text/plain")])
def test_a_file_is_uploaded(serve, file):
    with client_for(serve(openai_answer)) as client:
        uploaded = client.files.create(file=file, purpose="assistants")
    assert uploaded.bytes == 7


async def test_a_file_is_uploaded_from_its_path(serve, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"content")
    async with async_client_for(serve(openai_answer)) as client:
        uploaded = await client.files.create(file=path, purpose="assistants")
    assert (uploaded.filename, uploaded.bytes) == ("notes.txt", 7)


def test_a_file_is_downloaded_as_a_stream(serve, tmp_path):
    with client_for(serve(openai_answer)) as client:
        assert client.files.content("f1").read() == b"the file"
        with client.files.with_streaming_response.content("f1") as response:
            response.stream_to_file(tmp_path / "downloaded")
    assert (tmp_path / "downloaded").read_bytes() == b"the file"


def test_failures_are_retried(serve):
    server = serve(failing_first(openai_answer, BUSY, LIMITED, BROKEN))
    with client_for(server, max_retries=3) as client:
        assert client.chat.completions.create(model="m1", messages=HELLO).choices[0].message.content == "Hello, wörld!"
    assert [request.headers["x-stainless-retry-count"] for request in server.requests] == ["0", "1", "2", "3"]


async def test_failures_of_the_async_client_are_retried_until_there_are_too_many(serve):
    server = serve(failing_first(openai_answer, LIMITED, LIMITED))
    async with async_client_for(server, max_retries=1) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model="m1", messages=HELLO)
    assert caught.value.status_code == 429
    assert caught.value.body == {"message": "slow down"}
    assert len(server.requests) == 2


def test_an_error_has_its_response(serve):
    with (
        client_for(serve(lambda request: respond_json({"error": {"message": "no", "code": "c"}}, 400))) as client,
        pytest.raises(openai.BadRequestError) as caught,
    ):
        client.models.list()
    assert isinstance(caught.value.response, httpx.Response)
    assert (caught.value.code, caught.value.request.url.path) == ("c", "/v1/models")


def test_a_slow_server_is_a_timeout(app):
    with (
        openai.OpenAI(base_url=app.url + "/wait", api_key="key", timeout=0.05, max_retries=1) as client,
        pytest.raises(openai.APITimeoutError) as caught,
    ):
        client.get("/slow", cast_to=httpx.Response)
    assert isinstance(caught.value.__cause__, httpx.ReadTimeout)
    assert [request.path for request in app.requests] == ["/wait/slow"] * 2


async def test_a_timeout_may_be_given_for_each_request(app):
    async with openai.AsyncOpenAI(base_url=app.url + "/wait", api_key="key", max_retries=0) as client:
        with pytest.raises(openai.APITimeoutError):
            await client.with_options(timeout=httpx.Timeout(5, read=0.05)).get("/slow", cast_to=httpx.Response)


def test_a_server_that_is_not_there_is_a_connection_error(app):
    app.close()
    with openai.OpenAI(base_url=app.url, api_key="key", max_retries=0) as client, pytest.raises(openai.APIConnectionError) as caught:
        client.models.list()
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


def test_default_settings_are_those_of_httpx(serve):
    with client_for(serve(openai_answer)) as client:
        assert client.timeout == openai.DEFAULT_TIMEOUT
        assert client._client.timeout == openai.DEFAULT_TIMEOUT
    own = httpx.Client(timeout=7)
    with client_for(serve(openai_answer), http_client=own) as client:
        assert client.timeout == httpx.Timeout(7)  # a time-out of the client that was passed in is respected
        assert [model.id for model in client.models.list()] == ["m1"]


def test_raw_responses_and_extra_headers_and_queries(serve):
    server = serve(openai_answer)
    with client_for(server, default_headers={"X-Default": "d"}, default_query={"version": "1"}) as client:
        raw = client.models.with_raw_response.list(extra_headers={"X-Extra": "e"}, extra_query={"list": ["a", "b"]})
    assert raw.headers["content-type"] == "application/json"
    assert raw.elapsed.total_seconds() > 0
    assert [model.id for model in raw.parse()] == ["m1"]
    sent = server.requests[0]
    assert (sent.headers["x-default"], sent.headers["x-extra"]) == ("d", "e")
    assert sent.target == "/v1/models?version=1&list[]=a&list[]=b".replace("[", "%5B").replace("]", "%5D")


def test_redirects_are_followed(serve):
    def answer(request):
        if request.path == "/v1/models":
            return respond_json({}, 307, headers=[("Location", "/v2/models")])
        return openai_answer(request)

    with client_for(serve(answer)) as client:
        assert [model.id for model in client.models.list()] == ["m1"]
