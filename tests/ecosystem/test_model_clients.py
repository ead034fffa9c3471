"""Clients of other model providers: Groq, Ollama, LiteLLM, Mistral, Google."""

from __future__ import annotations

import json

import groq
import litellm
import mistralai
import ollama
import pytest
from google import genai

import httpx
from tests.ecosystem.chat import BUSY, LIMITED, anthropic_answer, failing_first, ollama_answer, openai_answer
from tests.support.servers import respond_chunked, respond_json

HELLO = [{"role": "user", "content": "Say hello."}]

# ---- Groq


def test_groq_completes_a_chat(serve):
    with groq.Groq(base_url=serve(failing_first(openai_answer, BUSY, LIMITED)).url, api_key="key") as client:
        completion = client.chat.completions.create(model="m1", messages=HELLO)
        assert completion.choices[0].message.content == "Hello, wörld!"
        stream = client.chat.completions.create(model="m1", messages=HELLO, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Hello, wörld!"


async def test_groq_completes_a_chat_asynchronously(serve):
    async with groq.AsyncGroq(base_url=serve(openai_answer).url, api_key="key") as client:
        completion = await client.chat.completions.create(model="m1", messages=HELLO)
        assert completion.choices[0].message.content == "Hello, wörld!"
        stream = await client.chat.completions.create(model="m1", messages=HELLO, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Hello, wörld!"


def test_groq_tells_time_outs_from_errors(app, serve):
    with groq.Groq(base_url=app.url + "/wait", api_key="key", timeout=0.05, max_retries=0) as client, pytest.raises(groq.APITimeoutError):
        client.get("/slow", cast_to=httpx.Response)
    with groq.Groq(base_url=serve(lambda request: respond_json({}, 404)).url, api_key="key") as client, pytest.raises(groq.NotFoundError):
        client.models.list()


# ---- Ollama


def test_ollama_chats_and_lists_models(serve):
    client = ollama.Client(host=serve(ollama_answer).url)
    assert client.chat(model="m1", messages=HELLO).message.content == "Hello, wörld!"
    assert "".join(part.message.content for part in client.chat(model="m1", messages=HELLO, stream=True)) == "Hello, wörld!"
    assert client.generate(model="m1", prompt="Say hello.").response == "Hello, wörld!"
    assert client.list().models[0].model == "m1"
    with pytest.raises(ollama.ResponseError, match="model 'unknown' not found") as caught:
        client.chat(model="unknown", messages=HELLO)
    assert caught.value.status_code == 404


async def test_ollama_chats_asynchronously(serve):
    client = ollama.AsyncClient(host=serve(ollama_answer).url, headers={"X-Kind": "a"})
    assert (await client.chat(model="m1", messages=HELLO)).message.content == "Hello, wörld!"
    parts = [part.message.content async for part in await client.chat(model="m1", messages=HELLO, stream=True)]
    assert "".join(parts) == "Hello, wörld!"


def test_ollama_says_when_there_is_no_server(app):
    app.close()
    with pytest.raises(ConnectionError, match="Failed to connect to Ollama"):
        ollama.Client(host=app.url).list()


# ---- LiteLLM


def test_litellm_completes_through_openais_client(serve):
    url = serve(openai_answer).url
    completion = litellm.completion(model="openai/m1", messages=HELLO, api_base=url, api_key="key")
    assert completion.choices[0].message.content == "Hello, wörld!"
    stream = litellm.completion(model="openai/m1", messages=HELLO, api_base=url, api_key="key", stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Hello, wörld!"


def test_litellm_completes_through_its_own_handler(serve):
    url = serve(anthropic_answer).url
    completion = litellm.completion(model="anthropic/m1", messages=HELLO, api_base=url, api_key="key")
    assert completion.choices[0].message.content == "Hello, wörld!"
    stream = litellm.completion(model="anthropic/m1", messages=HELLO, api_base=url, api_key="key", stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Hello, wörld!"


async def test_litellm_completes_asynchronously(serve):
    url = serve(ollama_answer).url
    completion = await litellm.acompletion(model="ollama_chat/m1", messages=HELLO, api_base=url)
    assert completion.choices[0].message.content == "Hello, wörld!"


async def test_litellms_httpx_handlers_send_requests(app, monkeypatch):
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler, HTTPHandler

    monkeypatch.setattr(litellm, "disable_aiohttp_transport", True)
    handler = AsyncHTTPHandler(timeout=5.0)
    assert (await handler.post(app.url + "/echo", json={"a": 1})).json()["body"] == '{"a":1}'
    assert (await handler.get(app.url + "/redirect/1", follow_redirects=True)).json()["number"] == 42
    with pytest.raises(httpx.HTTPStatusError):
        await handler.post(app.url + "/status/418")
    await handler.close()
    sync = HTTPHandler(timeout=5.0)
    assert sync.post(app.url + "/echo", data=json.dumps({"a": 1})).json()["body"] == '{"a": 1}'
    sync.close()


def test_litellms_errors_are_its_own(serve, silent):
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion(model="anthropic/m1", messages=HELLO, api_base=serve(anthropic_answer).url, api_key="wrong")
    with pytest.raises(litellm.Timeout):
        litellm.completion(model="anthropic/m1", messages=HELLO, api_base=silent.url, api_key="key", timeout=0.05, num_retries=0)


# ---- Mistral and Google


def test_mistral_completes_a_chat(serve):
    with mistralai.Mistral(api_key="key", server_url=serve(openai_answer).url) as client:
        assert client.chat.complete(model="m1", messages=HELLO).choices[0].message.content == "Hello, wörld!"
        stream = client.chat.stream(model="m1", messages=HELLO)
        assert "".join(event.data.choices[0].delta.content or "" for event in stream) == "Hello, wörld!"


async def test_mistral_completes_a_chat_asynchronously(serve):
    async with mistralai.Mistral(api_key="key", server_url=serve(openai_answer).url) as client:
        completion = await client.chat.complete_async(model="m1", messages=HELLO)
    assert completion.choices[0].message.content == "Hello, wörld!"


def gemini(request):
    parts = [{"candidates": [{"content": {"role": "model", "parts": [{"text": word}]}}]} for word in ("Hello, ", "wörld!")]
    if "stream" not in request.path:
        return respond_json({"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello, wörld!"}]}}]})
    lines = [b"data: " + json.dumps(part).encode() + b"\r\n\r\n" for part in parts]
    return respond_chunked(lines, headers=[("Content-Type", "text/event-stream")])


async def test_gemini_generates_content(serve):
    options = genai.types.HttpOptions(base_url=serve(gemini).url, httpx_async_client=httpx.AsyncClient())
    client = genai.Client(api_key="key", http_options=options)
    assert client.models.generate_content(model="m1", contents="Say hello.").text == "Hello, wörld!"
    assert "".join(part.text for part in client.models.generate_content_stream(model="m1", contents="Hi")) == "Hello, wörld!"
    assert (await client.aio.models.generate_content(model="m1", contents="Say hello.")).text == "Hello, wörld!"
    stream = await client.aio.models.generate_content_stream(model="m1", contents="Say hello.")
    assert "".join([part.text async for part in stream]) == "Hello, wörld!"
    await client.aio.aclose()
    client.close()
