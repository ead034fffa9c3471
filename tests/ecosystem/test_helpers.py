"""Auth, retries, other transports, and the clients of services: Supabase, Elastic, Hugging Face, Telegram."""

from __future__ import annotations

import datetime
import hashlib
import urllib.parse

import elastic_transport
import httpx_auth
import huggingface_hub
import postgrest
import pytest
import storage3
import supabase_functions
import supabase_functions.errors
import telegram
from httpx_aiohttp import HttpxAiohttpClient
from httpx_oauth.oauth2 import OAuth2
from httpx_retries import Retry, RetryTransport

import httpx
from tests.support.servers import respond, respond_json

# ---- httpx-auth


def test_api_keys_and_basic_credentials_are_added(app):
    auth = httpx_auth.HeaderApiKey("h1", "X-Api-Key") + httpx_auth.QueryApiKey("q1", "key") + httpx_auth.Basic("ada", "secret")
    with httpx.Client(auth=auth) as client:
        echoed = client.get(app.url + "/echo", params={"a": "1"}).json()
    assert echoed["target"] == "/echo?a=1&key=q1"
    assert echoed["headers"]["x-api-key"] == "h1"
    assert echoed["headers"]["authorization"] == "Basic YWRhOnNlY3JldA=="


def tokens(request):
    if request.path == "/token":
        assert dict(urllib.parse.parse_qsl(request.body.decode()))["grant_type"] == "client_credentials"
        return respond_json({"access_token": "t1", "token_type": "Bearer", "expires_in": 3600})
    return respond_json({"authorization": request.headers["authorization"]})


async def test_oauth_tokens_are_fetched_once(serve):
    server = serve(tokens)
    httpx_auth.OAuth2.token_cache.clear()
    auth = httpx_auth.OAuth2ClientCredentials(server.url + "/token", client_id="id", client_secret="secret")
    async with httpx.AsyncClient(auth=auth) as client:
        assert (await client.get(server.url + "/a")).json()["authorization"] == "Bearer t1"
        assert (await client.get(server.url + "/b")).json()["authorization"] == "Bearer t1"
    assert [request.path for request in server.requests] == ["/token", "/a", "/b"]


def test_aws_signatures_cover_the_body(app):
    auth = httpx_auth.AWS4Auth(access_id="AKID", secret_key="secret", region="eu-central-1", service="s3")
    with httpx.Client(auth=auth) as client:
        headers = client.put(app.url + "/echo/a%20b", content=b"body", params={"x": "1 2"}).json()["headers"]
    assert headers["x-amz-content-sha256"] == hashlib.sha256(b"body").hexdigest()
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")


# ---- httpx-retries


def test_failures_are_retried(serve):
    statuses = [503, 429, 200]
    server = serve(lambda request: respond(status=statuses.pop(0), headers=[("Retry-After", "0")]))
    with httpx.Client(transport=RetryTransport(retry=Retry(total=5, backoff_factor=0))) as client:
        response = client.get(server.url)
    assert response.status_code == 200
    assert response.extensions["retry"].attempts_made == 2


async def test_lost_connections_are_retried_by_an_async_client(scripted_failures):
    transport = RetryTransport(httpx.AsyncHTTPTransport(), retry=Retry(total=3, backoff_factor=0))
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(scripted_failures.url)).text == "finally"
    assert len(scripted_failures.requests) == 3


@pytest.fixture
def scripted_failures():
    from tests.support.servers import ScriptedServer

    def script(conn):
        conn.read_request()
        if conn.number >= 2:
            conn.send(respond("finally"))

    with ScriptedServer(script) as server:
        yield server


def test_retries_end(serve):
    server = serve(lambda request: respond(status=502))
    with httpx.Client(transport=RetryTransport(retry=Retry(total=2, backoff_factor=0))) as client:
        assert client.get(server.url).status_code == 502
    assert len(server.requests) == 3


# ---- httpx-oauth and httpx-aiohttp


async def test_an_oauth_code_is_exchanged_for_a_token(serve):
    server = serve(
        lambda request: respond_json({"access_token": "t1", "code": dict(urllib.parse.parse_qsl(request.body.decode()))["code"]})
    )
    token = await OAuth2("id", "secret", server.url + "/authorize", server.url + "/token").get_access_token(
        "c1", "https://app.example.org/"
    )
    assert token["access_token"] == "t1"
    assert token["code"] == "c1"


async def test_aiohttp_is_a_transport(app):
    async with HttpxAiohttpClient(follow_redirects=True) as client:
        assert (await client.get(app.url + "/redirect/1")).json()["number"] == 42
        assert (await client.post(app.url + "/echo", json={"a": 1})).json()["body"] == '{"a":1}'
        async with client.stream("GET", app.url + "/stream/3") as response:
            assert len([line async for line in response.aiter_lines()]) == 3


# ---- Supabase


def test_supabase_functions_are_invoked(serve):
    server = serve(lambda request: respond_json({"body": request.body.decode()}))
    client = supabase_functions.SyncFunctionsClient(server.url, {"apiKey": "k1"}, http_client=None)
    assert client.invoke("hello", {"body": {"name": "Ada"}, "responseType": "json"}) == {"body": '{"name":"Ada"}'}
    assert server.requests[0].headers["apikey"] == "k1"


async def test_supabase_functions_are_invoked_asynchronously(serve):
    server = serve(lambda request: respond_json({"error": "not allowed"}, 403))
    client = supabase_functions.AsyncFunctionsClient(server.url, {"apiKey": "k1"})
    with pytest.raises(supabase_functions.errors.FunctionsHttpError, match="not allowed"):
        await client.invoke("hello")


def test_supabases_key_does_not_follow_a_redirect_to_another_origin(serve, app):
    server = serve(lambda request: respond(status=302, headers=[("Location", app.url + "/headers")]))
    client = supabase_functions.SyncFunctionsClient(server.url, {"apiKey": "k1", "Authorization": "Bearer t1"})
    received = client.invoke("hello", {"responseType": "json"})
    assert server.requests[0].headers["apikey"] == "k1"
    assert "apikey" not in received
    assert "authorization" not in received


def database(request):
    if request.headers.get("prefer") == "return=representation":
        return respond_json([{"id": 2}], 201)
    return respond_json([{"id": 1}], headers=[("Content-Range", "0-0/1")])


async def test_postgrest_queries_and_inserts(serve):
    server = serve(database)
    async with postgrest.AsyncPostgrestClient(server.url) as client:
        assert (await client.from_("items").select("*").eq("id", 1).execute()).data == [{"id": 1}]
    assert server.requests[0].target == "/items?select=%2A&id=eq.1"
    client = postgrest.SyncPostgrestClient(server.url)
    assert client.from_("items").insert({"name": "a"}).execute().data == [{"id": 2}]
    assert server.requests[1].body == b'{"name":"a"}'


def test_storage3_uploads_and_downloads(serve):
    server = serve(lambda request: respond(b"content") if request.method == "GET" else respond_json({"Key": "bucket/a.txt", "Id": "1"}))
    client = storage3.create_client(server.url, {"apiKey": "k1"}, is_async=False)
    client.from_("bucket").upload("a.txt", b"content")
    assert b"content" in server.requests[0].body
    assert client.from_("bucket").download("a.txt") == b"content"


# ---- Elastic


def test_an_elastic_node_sends_requests(app):
    node = elastic_transport.HttpxHttpNode(elastic_transport.NodeConfig("http", "127.0.0.1", app.port, http_compress=True))
    response = node.perform_request("POST", "/echo?a=1", body=b"{}" * 1000, headers={"content-type": "application/json"})
    assert response.meta.status == 200
    assert app.requests[0].headers["content-encoding"] == "gzip"
    node.close()


async def test_an_elastic_node_tells_time_outs_from_refusals(silent, app):
    node = elastic_transport.HttpxAsyncHttpNode(elastic_transport.NodeConfig("http", "127.0.0.1", silent.port))
    with pytest.raises(elastic_transport.ConnectionTimeout):
        await node.perform_request("GET", "/", request_timeout=0.05)
    await node.close()
    app.close()
    node = elastic_transport.HttpxAsyncHttpNode(elastic_transport.NodeConfig("http", "127.0.0.1", app.port))
    with pytest.raises(elastic_transport.ConnectionError):
        await node.perform_request("GET", "/")
    await node.close()


# ---- Hugging Face


def hub(request):
    etag = '"' + hashlib.sha1(b"weights").hexdigest() + '"'
    if request.path == "/api/models/us/model":
        return respond_json({"id": "us/model", "modelId": "us/model", "sha": "c" * 40, "siblings": [{"rfilename": "a.bin"}]})
    if request.path == "/us/model/resolve/main/a.bin":
        location = f"http://{request.headers['host']}/store/a.bin".replace("127.0.0.1", "localhost")  # another host: the storage
        headers = [("X-Repo-Commit", "c" * 40), ("ETag", etag), ("Location", location), ("X-Linked-Size", "7"), ("X-Linked-ETag", etag)]
        return respond(status=302, headers=headers)
    if request.path == "/store/a.bin":
        return respond(b"weights", headers=[("ETag", etag)])
    return respond_json({"error": "Repository not found"}, 404, headers=[("X-Error-Code", "RepoNotFound")])


def test_the_hub_is_asked_and_files_are_downloaded(serve, tmp_path):
    url = serve(hub).url
    api = huggingface_hub.HfApi(endpoint=url, token=False)
    assert api.model_info("us/model").siblings[0].rfilename == "a.bin"
    path = huggingface_hub.hf_hub_download("us/model", "a.bin", endpoint=url, cache_dir=tmp_path, token=False)
    with open(path, "rb") as file:
        assert file.read() == b"weights"
    with pytest.raises(huggingface_hub.errors.RepositoryNotFoundError):
        api.model_info("us/other")


# ---- Telegram


def bot_api(request):
    method = request.path.rpartition("/")[2]
    user = {"id": 1, "is_bot": True, "first_name": "Bot", "username": "our_bot"}
    if method == "getMe":
        return respond_json({"ok": True, "result": user})
    if method == "sendDocument":
        assert request.headers["content-type"].startswith("multipart/form-data")
        assert b"content of the file" in request.body
    chat = {"id": 5, "type": "private"}
    message = {"message_id": 7, "date": 1, "chat": chat, "text": "sent " + str(len(request.body))}
    return respond_json({"ok": True, "result": message})


async def test_a_telegram_bot_sends_messages_and_files(serve):
    url = serve(bot_api).url
    async with telegram.Bot("1:token", base_url=url + "/bot") as bot:
        assert bot.username == "our_bot"
        message = await bot.send_message(5, "hello")
        assert message.date == datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.UTC)
        assert (await bot.send_document(5, b"content of the file", filename="a.txt")).message_id == 7


async def test_a_telegram_bot_tells_time_outs_from_errors(silent, serve):
    from telegram.request import HTTPXRequest

    request = HTTPXRequest(read_timeout=0.05)
    bot = telegram.Bot("1:token", base_url=silent.url + "/bot", request=request, get_updates_request=HTTPXRequest())
    with pytest.raises(telegram.error.TimedOut):
        await bot.get_me()
    await request.shutdown()
    url = serve(lambda request: respond_json({"ok": False, "description": "Unauthorized"}, 401)).url
    with pytest.raises(telegram.error.InvalidToken):
        await telegram.Bot("1:token", base_url=url + "/bot").initialize()
