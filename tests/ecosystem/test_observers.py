"""Libraries that watch requests: OpenTelemetry, Logfire, Sentry, New Relic, Datadog.

They patch clients and transports of the whole process; the last two cannot take that back, and run in one of their own.
"""

from __future__ import annotations

import logfire
import logfire.testing
import pytest
import sentry_sdk
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import AsyncOpenTelemetryTransport, HTTPXClientInstrumentor, SyncOpenTelemetryTransport
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentry_sdk.integrations.httpx import HttpxIntegration

import httpx
from tests.ecosystem.apart import run_apart

# ---- OpenTelemetry


@pytest.fixture
def spans():
    return InMemorySpanExporter()


@pytest.fixture
def provider(spans):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


@pytest.fixture
def instrumented(provider):
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield
    instrumentor.uninstrument()


def test_requests_of_all_clients_are_traced(instrumented, spans, app):
    with httpx.Client() as client:
        client.get(app.url + "/json")
        client.get(app.url + "/redirect/1", follow_redirects=True)
    httpx.post(app.url + "/status/500")
    assert [span.attributes["http.status_code"] for span in spans.get_finished_spans()] == [200, 302, 200, 500]
    assert spans.get_finished_spans()[0].attributes["http.url"] == app.url + "/json"
    trace_id = spans.get_finished_spans()[0].context.trace_id
    assert app.requests[0].headers["traceparent"].split("-")[1] == trace.format_trace_id(trace_id)


async def test_requests_of_async_clients_are_traced(instrumented, spans, app):
    async with httpx.AsyncClient() as client:
        await client.get(app.url + "/json")
        async with client.stream("GET", app.url + "/stream/3") as response:
            assert len([line async for line in response.aiter_lines()]) == 3
    assert [span.name for span in spans.get_finished_spans()] == ["GET", "GET"]
    assert all("traceparent" in request.headers for request in app.requests)


def test_failures_are_traced(instrumented, spans, app):
    app.close()
    with httpx.Client() as client, pytest.raises(httpx.ConnectError):
        client.get(app.url)
    (span,) = spans.get_finished_spans()
    assert not span.status.is_ok
    assert span.events[0].attributes["exception.type"].endswith("ConnectError")


async def test_one_client_is_traced_and_its_hooks_are_called(provider, spans, app):
    seen = []
    client = httpx.AsyncClient(mounts={"http://127.0.0.1": httpx.AsyncHTTPTransport()})

    async def request_hook(span, info):
        seen.append((info.method, str(info.url)))

    async def response_hook(span, info, answer):
        seen.append(answer.status_code)

    HTTPXClientInstrumentor().instrument_client(client, tracer_provider=provider, request_hook=request_hook, response_hook=response_hook)
    await client.get(app.url + "/json")
    HTTPXClientInstrumentor().uninstrument_client(client)
    await client.get(app.url + "/json")
    await client.aclose()
    assert len(spans.get_finished_spans()) == 1
    assert seen == [(b"GET", app.url + "/json"), 200]


def test_transports_are_wrapped_one_by_one(provider, spans, app):
    with httpx.Client(transport=SyncOpenTelemetryTransport(httpx.HTTPTransport(), tracer_provider=provider)) as client:
        assert client.get(app.url + "/json").json()["number"] == 42
    assert len(spans.get_finished_spans()) == 1


async def test_async_transports_are_wrapped_one_by_one(provider, spans, app):
    transport = AsyncOpenTelemetryTransport(httpx.AsyncHTTPTransport(), tracer_provider=provider)
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(app.url + "/json")).json()["number"] == 42
    assert len(spans.get_finished_spans()) == 1


def test_what_a_client_tells_itself_is_not_told_twice(instrumented, provider, spans, app):
    with httpx.Client(follow_redirects=True) as client:
        httpx.OpenTelemetry(tracer_provider=provider).watch(client)
        client.get(app.url + "/redirect/1")
    httpx.get(app.url + "/json")
    assert [span.instrumentation_scope.name for span in spans.get_finished_spans()] == [
        "httpx",
        "httpx",
        "opentelemetry.instrumentation.httpx",
    ]


# ---- Logfire


def test_logfire_captures_bodies_and_headers(app):
    exporter = logfire.testing.TestExporter()
    logfire.configure(send_to_logfire=False, console=False, metrics=False, additional_span_processors=[SimpleSpanProcessor(exporter)])
    with httpx.Client() as client:
        logfire.instrument_httpx(client, capture_all=True)
        client.post(app.url + "/echo", json={"a": 1})
    attributes = exporter.exported_spans_as_dict()[0]["attributes"]
    assert attributes["http.request.body.text"] == '{"a":1}'
    assert attributes["http.response.header.content-type"] == ("application/json",)


# ---- Sentry


@pytest.fixture
def sentry():
    events = []

    class Transport(sentry_sdk.Transport):
        def capture_envelope(self, envelope):
            events.extend(item.payload.json for item in envelope.items if item.payload.json)

    sentry_sdk.init(
        "http://key@127.0.0.1:1/1",
        transport=Transport,
        traces_sample_rate=1.0,
        integrations=[HttpxIntegration()],
        default_integrations=False,
    )
    yield events
    sentry_sdk.init(default_integrations=False)


def test_sentry_traces_requests_and_leaves_a_breadcrumb(sentry, app):
    with sentry_sdk.start_transaction(name="t"), httpx.Client() as client:
        client.get(app.url + "/json", params={"q": "1"})
        sentry_sdk.capture_message("look")
    message, transaction = sentry
    (crumb,) = message["breadcrumbs"]["values"]
    assert (crumb["type"], crumb["data"]["http.response.status_code"], crumb["data"]["http.query"]) == ("http", 200, "q=1")
    (span,) = transaction["spans"]
    assert (span["op"], span["description"]) == ("http.client", f"GET {app.url}/json")
    assert "sentry-trace" in app.requests[0].headers


async def test_sentry_traces_requests_of_async_clients(sentry, app):
    with sentry_sdk.start_transaction(name="t"):
        async with httpx.AsyncClient() as client:
            await client.get(app.url + "/status/404")
    (transaction,) = sentry
    assert transaction["spans"][0]["data"]["http.response.status_code"] == 404
    assert "baggage" in app.requests[0].headers


# ---- New Relic

NEW_RELIC = """
    import asyncio, json, sys
    import newrelic.agent
    newrelic.agent.initialize()
    import httpx

    url, hooked, trace = sys.argv[1], [], {}
    application = newrelic.agent.register_application(timeout=10)

    async def ask():
        async with httpx.AsyncClient() as client:
            return (await client.get(url + "/headers")).json()

    with newrelic.agent.BackgroundTask(application, "task") as transaction:
        with httpx.Client(event_hooks={"response": [lambda response: hooked.append(response.status_code)]}) as client:
            sent = client.get(url + "/headers").json()
            calls = list(client.event_hooks["response"])
        asked = asyncio.run(ask())
    names = [type(call).__name__ for call in calls]
    print(json.dumps({"sent": sorted(sent), "asked": sorted(asked), "hooked": hooked, "calls": len(names)}))
"""


def test_new_relic_traces_requests(app):
    environment = {"NEW_RELIC_DEVELOPER_MODE": "true", "NEW_RELIC_LICENSE_KEY": "0" * 40, "NEW_RELIC_APP_NAME": "test"}
    told = run_apart(NEW_RELIC, app.url, environment=environment)
    assert "newrelic" in told["sent"] or "traceparent" in told["sent"]
    assert "newrelic" in told["asked"] or "traceparent" in told["asked"]
    assert told["hooked"] == [200]
    assert told["calls"] == 2  # New Relic's own hook comes first


NEW_RELIC_HOOK = """
    import json, sys
    import newrelic.agent
    newrelic.agent.initialize()
    import httpx
    from newrelic.api.external_trace import ExternalTrace

    statuses = []
    process = ExternalTrace.process_response
    ExternalTrace.process_response = lambda self, status, headers: (statuses.append(status), process(self, status, headers))[1]
    application = newrelic.agent.register_application(timeout=10)
    with newrelic.agent.BackgroundTask(application, "task"), httpx.Client() as client:
        client.get(sys.argv[1] + "/status/404")
    print(json.dumps(statuses))
"""


def test_new_relics_hook_is_called_without_any_hooks_of_ones_own(app):
    environment = {"NEW_RELIC_DEVELOPER_MODE": "true", "NEW_RELIC_LICENSE_KEY": "0" * 40, "NEW_RELIC_APP_NAME": "test"}
    assert run_apart(NEW_RELIC_HOOK, app.url, environment=environment) == [404]


# ---- Datadog

DATADOG = """
    import asyncio, json, sys
    import ddtrace
    from ddtrace.trace import TraceFilter, tracer

    finished = []

    class Collect(TraceFilter):
        def process_trace(self, trace):
            finished.extend(trace)
            return None

    tracer.configure(trace_processors=[Collect()])
    ddtrace.patch(httpx=True)
    import httpx

    async def ask():
        async with httpx.AsyncClient() as client:
            return (await client.get(sys.argv[1] + "/headers")).json()

    with httpx.Client() as client:
        sent = client.get(sys.argv[1] + "/headers").json()
        client.get(sys.argv[1] + "/redirect/1", follow_redirects=True)
    asked = asyncio.run(ask())
    spans = [(span.name, span.get_tag("http.status_code"), span.get_tag("http.url")) for span in finished]
    print(json.dumps({"sent": sorted(sent), "asked": sorted(asked), "spans": spans}))
"""


def test_datadog_traces_requests(app):
    told = run_apart(DATADOG, app.url, environment={"DD_TRACE_STARTUP_LOGS": "false", "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false"})
    assert "x-datadog-trace-id" in told["sent"]
    assert "x-datadog-trace-id" in told["asked"]
    spans = [(name, status) for name, status, _ in told["spans"] if name == "http.request"]
    assert spans == [("http.request", "200")] * 3
    assert told["spans"][0][2] == app.url + "/headers"
