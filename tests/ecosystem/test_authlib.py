"""Authlib's OAuth clients: subclasses of `httpx.Client` with `httpx.Auth` classes that read and rewrite requests."""

from __future__ import annotations

import time
import urllib.parse

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth1Client, AsyncOAuth2Client, OAuth1Client, OAuth2Client

import httpx
from tests.support.servers import respond, respond_json

TOKEN = {"access_token": "t1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r1"}


def provider(request):
    """An OAuth 2 provider and its protected resource."""
    if request.path == "/token":
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        if request.headers.get("authorization") != "Basic aWQ6c2VjcmV0":
            return respond_json({"error": "invalid_client"}, 401)
        if form["grant_type"] == "refresh_token":
            return respond_json({**TOKEN, "access_token": f"refreshed with {form['refresh_token']}"})
        if form.get("code", "code") != "code":
            return respond_json({"error": "invalid_grant", "error_description": "no such code"}, 400)
        return respond_json(TOKEN)
    if request.path == "/me":
        return respond_json({"authorization": request.headers.get("authorization"), "body": request.body.decode()})
    return respond(status=404)


def test_a_token_is_fetched_and_used(serve):
    url = serve(provider).url
    with OAuth2Client("id", "secret", scope="profile") as client:
        assert client.fetch_token(url + "/token")["access_token"] == "t1"
        assert client.get(url + "/me").json()["authorization"] == "Bearer t1"
        assert client.post(url + "/me", json={"a": 1}).json() == {"authorization": "Bearer t1", "body": '{"a":1}'}


async def test_an_async_client_fetches_a_token_and_uses_it(serve):
    url = serve(provider).url
    async with AsyncOAuth2Client("id", "secret") as client:
        assert (await client.fetch_token(url + "/token", grant_type="client_credentials"))["access_token"] == "t1"
        assert (await client.get(url + "/me")).json()["authorization"] == "Bearer t1"
        async with client.stream("GET", url + "/me") as response:
            assert b"Bearer t1" in await response.aread()


def test_the_authorization_code_flow_runs(serve):
    url = serve(provider).url
    with OAuth2Client("id", "secret", redirect_uri="https://app.example.org/back", code_challenge_method="S256") as client:
        address, state = client.create_authorization_url(url + "/authorize", code_verifier="v" * 43)
        assert httpx.URL(address).params["state"] == state
        token = client.fetch_token(
            url + "/token",
            authorization_response=f"https://app.example.org/back?code=code&state={state}",
            code_verifier="v" * 43,
        )
        assert token["access_token"] == "t1"
        with pytest.raises(OAuthError, match="no such code"):
            client.fetch_token(url + "/token", code="wrong")


def test_an_expired_token_is_refreshed(serve):
    url = serve(provider).url
    updates = []
    expired = {**TOKEN, "expires_at": time.time() - 10}
    with OAuth2Client(
        "id", "secret", token=expired, token_endpoint=url + "/token", update_token=lambda token, **kw: updates.append(token)
    ) as client:
        assert client.get(url + "/me").json()["authorization"] == "Bearer refreshed with r1"
    assert len(updates) == 1


async def test_an_async_client_refreshes_an_expired_token_once_for_all_tasks(serve):
    import asyncio

    server = serve(provider)
    expired = {**TOKEN, "expires_at": time.time() - 10}
    async with AsyncOAuth2Client("id", "secret", token=expired, token_endpoint=server.url + "/token") as client:
        responses = await asyncio.gather(*(client.get(server.url + "/me") for _ in range(5)))
    assert {response.json()["authorization"] for response in responses} == {"Bearer refreshed with r1"}
    assert [request.path for request in server.requests].count("/token") == 1


def test_settings_of_httpx_reach_the_client(serve):
    url = serve(provider).url
    settings = {"base_url": url, "headers": {"X-Kind": "a"}, "timeout": 3.0, "follow_redirects": True, "trust_env": False}
    with OAuth2Client("id", "secret", token=TOKEN, **settings) as client:
        assert client.get("/me").json()["authorization"] == "Bearer t1"
        assert client.timeout == httpx.Timeout(3.0)


def signed(request):
    authorization = request.headers["authorization"]
    assert authorization.startswith("OAuth ")
    assert "oauth_signature=" in authorization
    assert request.body in (b"", b"status=hello")
    return respond("oauth_token=o1&oauth_token_secret=s1", headers=[("Content-Type", "application/x-www-form-urlencoded")])


def test_oauth_1_signs_requests(serve):
    url = serve(signed).url
    with OAuth1Client("id", "secret") as client:
        assert client.fetch_request_token(url + "/request-token")["oauth_token"] == "o1"
        assert client.post(url + "/status", data={"status": "hello"}).status_code == 200


async def test_oauth_1_signs_requests_of_an_async_client(serve):
    url = serve(signed).url
    async with AsyncOAuth1Client("id", "secret") as client:
        assert (await client.fetch_request_token(url + "/request-token"))["oauth_token"] == "o1"
        assert (await client.post(url + "/status", data={"status": "hello"})).status_code == 200
