"""Traces: one from admin through auth to the database, named by rules, with nothing about anybody in it."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ostiary import tracing
from ostiary_shared import spans
from ostiary_shared.errors import Misconfigured
from tests.system.conftest import Site

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    """Spans, kept here; asked for before the site, which is made with it."""
    exporter = InMemorySpanExporter()
    end = tracing.begin("test", SimpleSpanProcessor(exporter))
    yield exporter
    end()


async def test_one_trace_leads_from_admin_through_auth_to_the_database(kept: InMemorySpanExporter, site: Site) -> None:
    admin = await site.person("root@example.test", "admin", "end-user")
    kept.clear()
    headers = {**admin.bearer, "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "X-Request-Id": "traced-request"}
    # No password is hashed in it: on a busy machine that takes longer than admin waits.
    answer = await site.ask("POST", "/admin/api/v1/service-clients?next=secret", headers=headers, json={"name": "Wiki"})
    assert answer.status == 201, answer.text
    async with asyncio.timeout(30):  # a span ends when its answer has left, so perhaps after it has come
        while "POST /admin/api/v1/service-clients" not in {span.name for span in kept.get_finished_spans()}:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    found = [span for span in kept.get_finished_spans() if span.context and f"{span.context.trace_id:032x}" == TRACE]
    (asked,) = (span for span in found if span.name == "POST /admin/api/v1/service-clients")
    (carried_on,) = (span for span in found if span.name == "POST /api/v1/service-clients")
    passed = {_id(span): span for span in found if span.name == "POST auth"}
    assert _parent(asked) == 0x00F067AA0BA902B7
    assert _parent(passed[_parent(carried_on)]) == _id(asked)
    statements = [span for span in found if (span.attributes or {}).get("db.system.name") == "postgresql"]
    assert {_parent(span) for span in statements} >= {_id(asked), _id(carried_on)}
    assert {span.name for span in statements} >= {"SELECT", "INSERT"}
    assert (asked.attributes or {})["ostiary.request_id"] == "traced-request"
    told = json.dumps([[span.name, {**(span.attributes or {})}] for span in kept.get_finished_spans()], default=str)
    for secret in (answer.json["secret"], "Wiki", "example.test", "next=", admin.token, str(admin.id)):
        assert secret not in told


async def test_what_fails_is_marked_without_a_word_of_what_it_said(kept: InMemorySpanExporter) -> None:
    with contextlib.suppress(ValueError), spans.tracer().serving("GET", {}):
        spans.tracer().asked_database("SELECT 1 / 0", 0.01, "DivisionByZeroError")
        raise ValueError("geheim")
    statement, request = kept.get_finished_spans()
    assert (request.attributes or {})["error.type"] == "ValueError"
    assert (statement.attributes or {})["error.type"] == "DivisionByZeroError"
    assert not request.events
    assert not request.status.is_ok


def test_without_the_extra_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "ostiary.tracing")
    with pytest.raises(Misconfigured, match=r"install deploy/tracing\.lock, or unset OSTIARY_TRACING"):
        import ostiary.tracing  # noqa: F401


def test_unless_it_is_wanted_nothing_is_traced() -> None:
    assert not spans.tracing()
    headers: dict[str, str] = {}
    with spans.tracer().asking("GET auth"):
        spans.tracer().send_along(headers)
    assert headers == {}


def _id(span: ReadableSpan) -> int:
    return span.context.span_id if span.context else 0


def _parent(span: ReadableSpan) -> int:
    return span.parent.span_id if span.parent else 0
