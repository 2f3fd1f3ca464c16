"""Traces by OpenTelemetry, for whoever installed the extra: how `ostiary_shared.spans` are kept and sent.

Where to is OpenTelemetry's own business (OTEL_EXPORTER_OTLP_ENDPOINT and so on), and so is how many of them.
"""

import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from ostiary_shared import spans
from ostiary_shared.errors import Misconfigured
from ostiary_shared.release import VERSION

try:
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import Span as Kept
    from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as error:
    raise Misconfigured(
        f"OSTIARY_TRACING is on, and OpenTelemetry is not installed ({error.name}): "
        "install deploy/tracing.lock, or unset OSTIARY_TRACING."
    ) from None

NANO = 1_000_000_000
LONGEST_STATEMENT = 500
CARRIED = TraceContextTextMapPropagator()


def begin(service: str, processor: SpanProcessor | None = None) -> Callable[[], None]:
    """Keep spans from now on, in this process. What is returned sends the last of them, and ends it."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"ostiary-{service}", "service.version": VERSION})
    )
    provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
    spans.use(_Traces(provider.get_tracer("ostiary", VERSION)))

    def end() -> None:
        spans.use(spans.NOTHING)
        provider.shutdown()

    return end


class _Span:
    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def called(self, name: str) -> None:
        self._kept.update_name(name)

    def note(self, key: str, value: str | int) -> None:
        self._kept.set_attribute(key, value)

    def went_wrong(self, kind: str) -> None:
        _fail(self._kept, kind)


class _Traces:
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def serving(self, name: str, came_with: Mapping[str, str]) -> Iterator[_Span]:
        with self._current(name, SpanKind.SERVER, CARRIED.extract(came_with)) as span:
            yield span

    @contextmanager
    def asking(self, name: str) -> Iterator[_Span]:
        with self._current(name, SpanKind.CLIENT) as span:
            yield span

    def asked_database(self, statement: str, seconds: float, failed: str = "") -> None:
        if not trace.get_current_span().get_span_context().is_valid:
            return  # nobody's request: a heartbeat, say
        now = time.time_ns()
        words = statement.split(None, 1)
        span = self._tracer.start_span(
            words[0].upper() if words else "SQL",
            kind=SpanKind.CLIENT,
            start_time=now - int(seconds * NANO),
            attributes={"db.system.name": "postgresql", "db.query.text": statement.strip()[:LONGEST_STATEMENT]},
        )
        if failed:
            _fail(span, failed)
        span.end(now)

    def send_along(self, headers: MutableMapping[str, str]) -> None:
        CARRIED.inject(headers)

    @contextmanager
    def _current(self, name: str, kind: SpanKind, parent: Context | None = None) -> Iterator[_Span]:
        # What an exception says may be a value of somebody's: only its kind is noted.
        with self._tracer.start_as_current_span(
            name,
            context=parent,
            kind=kind,
            record_exception=False,
            set_status_on_exception=False,
        ) as kept:
            try:
                yield _Span(kept)
            except BaseException as error:
                _fail(kept, type(error).__name__)
                raise


def _fail(span: Kept, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))
