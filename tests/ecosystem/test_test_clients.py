"""The test clients of Starlette, FastAPI and Litestar: subclasses of `httpx.Client` on transports of their own."""

from __future__ import annotations

import contextlib

import fastapi
import litestar
import litestar.testing
import pytest
from fastapi.testclient import TestClient as FastAPIClient
from litestar.datastructures import UploadFile as LitestarUpload
from litestar.enums import RequestEncodingType
from litestar.params import Body
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

import httpx

# ---- Starlette


async def show(request: Request):
    return JSONResponse(
        {
            "method": request.method,
            "path": request.url.path,
            "query": dict(request.query_params),
            "agent": request.headers["user-agent"],
            "host": request.headers["host"],
            "cookies": request.cookies,
            "body": (await request.body()).decode(),
        }
    )


async def upload(request: Request):
    async with request.form() as form:
        return JSONResponse({"name": form["file"].filename, "content": (await form["file"].read()).decode(), "kind": form["kind"]})


async def log_in(request: Request):
    response = RedirectResponse("/show", 303)
    response.set_cookie("session", "s1")
    return response


async def stream(request: Request):
    async def parts():
        for number in range(3):
            yield f"line {number}\n"

    return StreamingResponse(parts(), media_type="text/plain")


async def fail(request: Request):
    raise ValueError("the application failed")


async def chat(websocket):
    await websocket.accept()
    await websocket.send_json({"got": await websocket.receive_text(), "agent": websocket.headers["user-agent"]})
    await websocket.close()


events: list[str] = []


@contextlib.asynccontextmanager
async def lifespan(application):
    events.append("started")
    yield {"ready": True}
    events.append("stopped")


APPLICATION = Starlette(
    routes=[
        Route("/show", show, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/log-in", log_in, methods=["POST"]),
        Route("/stream", stream),
        Route("/fail", fail),
        Route("/ready", lambda request: PlainTextResponse(str(request.state.ready))),
        WebSocketRoute("/chat", chat),
    ],
    lifespan=lifespan,
)


def test_requests_reach_the_application():
    client = TestClient(APPLICATION)
    shown = client.get("/show", params={"q": "snail"}).json()
    assert shown["query"] == {"q": "snail"}
    assert shown["agent"] == "testclient"
    assert shown["host"] == "testserver"
    assert client.post("/show", json={"a": 1}).json()["body"] == '{"a":1}'
    assert client.put("/show", content=b"raw").json()["body"] == "raw"
    assert client.post("/show", data={"a": "1", "b": ["2", "3"]}).json()["body"] == "a=1&b=2&b=3"
    assert client.delete("/show").json()["method"] == "DELETE"
    assert client.head("/show").headers["content-type"] == "application/json"


def test_files_are_uploaded():
    response = TestClient(APPLICATION).post("/upload", files={"file": ("notes.txt", b"notes")}, data={"kind": "text"})
    assert response.json() == {"name": "notes.txt", "content": "notes", "kind": "text"}


def test_redirects_are_followed_and_cookies_are_kept():
    client = TestClient(APPLICATION, base_url="http://www.example.org")
    response = client.post("/log-in")
    assert response.url == "http://www.example.org/show"
    assert [hop.status_code for hop in response.history] == [303]
    assert response.json()["cookies"] == {"session": "s1"}
    assert client.cookies["session"] == "s1"
    assert client.post("/log-in", follow_redirects=False).status_code == 303


def test_an_absolute_base_url_and_a_root_path_are_respected():
    client = TestClient(APPLICATION, base_url="https://example.org:8443", headers={"user-agent": "custom"}, cookies={"a": "1"})
    shown = client.get("/show").json()
    assert (shown["host"], shown["agent"], shown["cookies"]) == ("example.org:8443", "custom", {"a": "1"})


def test_responses_stream():
    with TestClient(APPLICATION).stream("GET", "/stream") as response:
        assert list(response.iter_lines()) == ["line 0", "line 1", "line 2"]


def test_exceptions_of_the_application_are_raised_or_become_500():
    with pytest.raises(ValueError, match="the application failed"):
        TestClient(APPLICATION).get("/fail")
    assert TestClient(APPLICATION, raise_server_exceptions=False).get("/fail").status_code == 500


def test_the_lifespan_runs_within_the_with_block():
    events.clear()
    with TestClient(APPLICATION) as client:
        assert events == ["started"]
        assert client.get("/ready").text == "True"
    assert events == ["started", "stopped"]


def test_websockets_are_spoken():
    with TestClient(APPLICATION).websocket_connect("/chat") as session:
        session.send_text("hello")
        assert session.receive_json() == {"got": "hello", "agent": "testclient"}


def test_unknown_hosts_stay_unresolved_and_errors_have_their_response():
    response = TestClient(APPLICATION).get("/nowhere")
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()
    assert caught.value.response.status_code == 404


async def test_an_async_client_asks_the_application_through_the_asgi_transport():
    transport = httpx.ASGITransport(app=APPLICATION)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        assert (await client.get("/show", params={"q": "1"})).json()["query"] == {"q": "1"}
        async with client.stream("GET", "/stream") as response:
            assert [line async for line in response.aiter_lines()] == ["line 0", "line 1", "line 2"]
        with pytest.raises(ValueError, match="the application failed"):
            await client.get("/fail")


# ---- FastAPI

api = fastapi.FastAPI()


@api.get("/items/{item_id}")
def read_item(item_id: int, q: str | None = None):
    return {"item_id": item_id, "q": q}


@api.post("/files")
async def create_file(file: fastapi.UploadFile, kind: str = fastapi.Form()):
    return {"name": file.filename, "size": len(await file.read()), "kind": kind}


@api.get("/secure")
def secure(token: str = fastapi.Header(alias="X-Token")):
    if token != "right":
        raise fastapi.HTTPException(400, "wrong token")
    return {"ok": True}


def test_fastapi_validates_what_its_client_sends():
    client = FastAPIClient(api)
    assert client.get("/items/5?q=a b").json() == {"item_id": 5, "q": "a b"}
    assert client.get("/items/five").status_code == 422
    assert client.post("/files", files={"file": ("a.bin", b"12345")}, data={"kind": "x"}).json() == {
        "name": "a.bin",
        "size": 5,
        "kind": "x",
    }
    assert client.get("/secure", headers={"X-Token": "right"}).json() == {"ok": True}
    assert client.get("/secure", headers={"X-Token": "wrong"}).json() == {"detail": "wrong token"}


# ---- Litestar


@litestar.get("/hello")
async def hello(name: str) -> dict[str, str]:
    return {"hello": name}


@litestar.post("/form")
async def form(data: dict[str, str] = Body(media_type=RequestEncodingType.URL_ENCODED)) -> dict[str, str]:  # noqa: B008
    return data


@litestar.post("/upload")
async def litestar_upload(data: LitestarUpload = Body(media_type=RequestEncodingType.MULTI_PART)) -> dict[str, str]:  # noqa: B008
    return {"name": data.filename, "content": (await data.read()).decode()}


@litestar.get("/session")
async def session(request: litestar.Request) -> dict[str, str]:
    return dict(request.cookies)


def test_litestars_client_asks_its_application():
    with litestar.testing.create_test_client([hello, form, litestar_upload, session]) as client:
        assert client.get("/hello", params={"name": "Ada"}).json() == {"hello": "Ada"}
        assert client.post("/form", data={"a": "1"}).json() == {"a": "1"}
        assert client.post("/upload", files={"data": ("n.txt", b"notes")}).json() == {"name": "n.txt", "content": "notes"}
        client.cookies.set("a", "1")
        assert client.get("/session").json() == {"a": "1"}


async def test_litestars_async_client_asks_its_application():
    async with litestar.testing.AsyncTestClient(litestar.Litestar([hello])) as client:
        assert (await client.get("/hello", params={"name": "Ada"})).json() == {"hello": "Ada"}


async def test_litestars_request_factory_encodes_bodies():
    factory = litestar.testing.RequestFactory()
    assert await factory.post("/", data={"a": "1"}).json() == {"a": "1"}
    form = await factory.post("/", data={"a": "1"}, request_media_type=RequestEncodingType.MULTI_PART).form()
    assert form["a"] == "1"
    form = await factory.post("/", data={"a": "1"}, request_media_type=RequestEncodingType.URL_ENCODED).form()
    assert form["a"] == "1"
