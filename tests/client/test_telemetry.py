"""`httpx.OpenTelemetry`: spans and durations by the semantic conventions, in the exporters of opentelemetry-sdk."""

from __future__ import annotations

import pickle

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import httpx
from tests.client.test_import import modules_after
from tests.support.servers import keep_alive, respond


class Collected:
    """What a telemetry of the test has told."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meters = MeterProvider([self._reader])

    def watch(self, client, **settings):
        httpx.OpenTelemetry(tracer_provider=self.tracers, meter_provider=self.meters, **settings).watch(getattr(client, "wrapped", client))

    @property
    def spans(self):
        return self._spans.get_finished_spans()

    @property
    def durations(self):
        found = self._reader.get_metrics_data()
        if found is None:
            return []
        (metric,) = found.resource_metrics[0].scope_metrics[0].metrics
        assert (metric.name, metric.unit) == ("http.client.request.duration", "s")
        return list(metric.data.data_points)


@pytest.fixture
def collected():
    found = Collected()
    yield found
    found.tracers.shutdown()
    found.meters.shutdown()


async def test_a_request_is_a_span_by_the_conventions(runtime, app, collected):
    async with runtime.client() as client:
        collected.watch(client)
        await client.get(app.url + "/json?key=canary#part")
    (span,) = collected.spans
    assert (span.name, span.kind, span.status.status_code) == ("GET", SpanKind.CLIENT, StatusCode.UNSET)
    timings = {name: span.attributes[name] for name in span.attributes if name.startswith("httpx.timings.")}
    assert {name: value for name, value in span.attributes.items() if name not in timings} == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": app.port,
        "url.full": f"{app.url}/json?key=REDACTED",
        "url.scheme": "http",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "network.peer.address": "127.0.0.1",
        "network.peer.port": app.port,
    }
    assert timings["httpx.timings.wait"] > 0
    assert span.instrumentation_scope.schema_url == "https://opentelemetry.io/schemas/1.23.1"


async def test_durations_are_counted_by_attributes_of_few_values(runtime, app, collected):
    async with runtime.client() as client:
        collected.watch(client)
        for path in ("/bytes/1", "/bytes/2", "/status/503"):
            await client.get(app.url + path)
    good, bad = sorted(collected.durations, key=lambda point: point.attributes["http.response.status_code"])
    assert good.count == 2
    assert good.attributes == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": app.port,
        "url.scheme": "http",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
    }
    assert bad.attributes["error.type"] == "503"
    assert good.explicit_bounds[0] == 0.005


async def test_each_redirect_and_each_retry_has_a_span_that_says_which_one_it_is(runtime, app, collected):
    async with runtime.client(follow_redirects=True, retries=httpx.Retry(2, backoff=0)) as client:
        collected.watch(client)
        await client.get(app.url + "/redirect/2")
        await client.get(app.url + "/status/503")
    found = [(span.attributes["http.response.status_code"], span.attributes.get("http.request.resend_count")) for span in collected.spans]
    assert found == [(302, None), (302, 1), (200, 2), (503, None), (503, 1)]
    assert {span.status.status_code for span in collected.spans[3:]} == {StatusCode.ERROR}


async def test_a_server_is_told_of_the_trace_that_its_request_belongs_to(runtime, app, collected):
    tracer = collected.tracers.get_tracer("the program")
    async with runtime.client() as client:
        collected.watch(client)
        with tracer.start_as_current_span("work") as parent:
            await client.get(app.url + "/json", headers={"traceparent": "somebody else's"})
    span = next(span for span in collected.spans if span.name == "GET")
    assert span.parent.span_id == parent.get_span_context().span_id
    told = app.requests[0].headers["traceparent"]
    assert told.startswith(f"00-{trace.format_trace_id(span.context.trace_id)}-{trace.format_span_id(span.context.span_id)}-")


async def test_a_server_that_is_not_to_be_told_is_not(runtime, app, collected):
    async with runtime.client() as client:
        collected.watch(client, propagate=False)
        token = context.attach(baggage.set_baggage("user", "canary"))
        try:
            await client.get(app.url + "/json")
        finally:
            context.detach(token)
    assert app.requests[0].headers.keys().isdisjoint({"traceparent", "baggage"})
    assert len(collected.spans) == 1


async def test_what_fails_says_how(runtime, app, collected):
    app.close()
    async with runtime.client() as client:
        collected.watch(client)
        with pytest.raises(httpx.ConnectError):
            await client.get(app.url)
    (span,), (duration,) = collected.spans, collected.durations
    assert span.attributes["error.type"] == duration.attributes["error.type"] == "httpx.ConnectError"
    assert span.status.status_code is StatusCode.ERROR
    assert span.events[0].attributes["exception.type"] == "httpx.ConnectError"
    assert "http.response.status_code" not in span.attributes


async def test_a_span_ends_with_the_body(runtime, app, collected):
    async with runtime.client() as client:
        collected.watch(client)
        async with client.stream("GET", app.url + "/bytes/5000000") as response:
            assert collected.spans == ()
            assert len(await response.aread()) == 5_000_000
        async with client.stream("GET", app.url + "/bytes/5000000"):
            pass
    assert [span.status.status_code for span in collected.spans] == [StatusCode.UNSET] * 2
    assert sum(duration.count for duration in collected.durations) == 2
    assert collected.spans[0].attributes["httpx.timings.body"] > 0


async def test_a_body_that_is_cut_short_is_a_failure(runtime, scripted, collected):
    def cut(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 70_000)

    async with runtime.client() as client:
        collected.watch(client)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(scripted(cut).url)
    (span,) = collected.spans
    assert (span.attributes["http.response.status_code"], span.attributes["error.type"]) == (200, "httpx.RemoteProtocolError")


async def test_methods_of_ones_own_do_not_multiply_the_series(runtime, scripted, collected):
    server = scripted(keep_alive(lambda request: respond()))
    async with runtime.client() as client:
        collected.watch(client)
        await client.request("BREW", server.url)
    (span,), (duration,) = collected.spans, collected.durations
    assert (span.name, span.attributes["http.request.method"]) == ("HTTP", "_OTHER")
    assert span.attributes["http.request.method_original"] == "BREW"
    assert duration.attributes["http.request.method"] == "_OTHER"


@pytest.mark.parametrize(
    ("query", "hidden", "shown"),
    [
        ("a=1&b=2", "a=REDACTED&b=REDACTED", "a=1&b=2"),
        ("canary", "REDACTED", "canary"),
        (
            "a=1&sig=canary&X-Amz-Signature=canary",
            "a=REDACTED&sig=REDACTED&X-Amz-Signature=REDACTED",
            "a=1&sig=REDACTED&X-Amz-Signature=REDACTED",
        ),
    ],
)
@pytest.mark.parametrize("with_queries", [False, True])
def test_credentials_do_not_get_into_urls(app, collected, query, hidden, shown, with_queries):
    with httpx.Client() as client:
        collected.watch(client, with_queries=with_queries)
        client.get(f"http://user:canary@127.0.0.1:{app.port}/json?{query}")
    assert collected.spans[0].attributes["url.full"] == f"{app.url}/json?{shown if with_queries else hidden}"


async def test_waiting_for_a_rate_limit_is_not_the_servers_doing(runtime, app, collected):
    async with runtime.client(rate_limit=httpx.RateLimit(0.001, burst=1), timeout=httpx.Timeout(5, total=5)) as client:
        collected.watch(client)
        await client.get(app.url + "/json")
        with pytest.raises(httpx.PoolTimeout):
            await client.get(app.url + "/json")
    assert len(collected.spans) == 1


def test_who_tells_of_http_already_is_not_told_twice(app, collected):
    with httpx.Client() as client:
        collected.watch(client)
        collected.watch(client)
        client.get(app.url + "/json")
        token = context.attach(context.set_value(context._SUPPRESS_INSTRUMENTATION_KEY, True))
        try:
            client.get(app.url + "/json")
        finally:
            context.detach(token)
    assert len(collected.spans) == 1


async def test_spans_of_an_application_in_the_same_process_are_below_that_of_its_request(collected):
    tracer = collected.tracers.get_tracer("the application")

    async def application(scope, receive, send):
        with tracer.start_as_current_span("serve"):
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    async with httpx.AsyncClient(transport=httpx.ASGITransport(application)) as client:
        collected.watch(client)
        await client.get("http://app.example/")
    spans = {span.name: span for span in collected.spans}
    assert spans["serve"].parent.span_id == spans["GET"].context.span_id
    assert spans["GET"].attributes["server.port"] == 80


def test_a_websocket_is_a_span_until_it_is_open(scripted, collected):
    from tests.support.websocket import echo

    server = scripted(lambda conn: echo(conn, conn.read_request()))
    with httpx.Client() as client:
        collected.watch(client)
        with client.websocket(server.url.replace("http", "ws")) as socket:
            socket.send("hello")
            assert socket.receive() == "hello"
            assert [span.attributes["http.response.status_code"] for span in collected.spans] == [101]


def test_the_copy_of_a_client_is_not_watched(app, collected):
    with httpx.Client(rate_limit=httpx.RateLimit(100)) as client:
        collected.watch(client)
        copy = pickle.loads(pickle.dumps(client))
    with copy:
        copy.get(app.url + "/json")
    assert collected.spans == ()


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry", None)
    with pytest.raises(ImportError, match=r"pip install 'httpx\[otel\]'"):
        httpx.OpenTelemetry()


def test_nobody_else_imports_it():
    assert not {name for name in modules_after("import httpx; httpx.HAR; httpx.Client().close()") if name.startswith("opentelemetry")}
