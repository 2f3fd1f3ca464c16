"""Traces: what took how long on the way of a request, from service to service (W3C Trace Context).

Nothing is traced until a tracer is put in (`use`), which `ostiary serve` does when the extra is installed and wanted.
Names are rules of routes and kinds of statements: no address, query, value or person is ever part of one.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Protocol


class Span(Protocol):
    """Something that takes time."""

    def called(self, name: str) -> None:
        """Name it, once that is known."""

    def note(self, key: str, value: str | int) -> None:
        """Add a fact, under a name of OpenTelemetry's conventions."""

    def went_wrong(self, kind: str) -> None:
        """Mark it as failed."""


class Tracer(Protocol):
    """What keeps spans."""

    @contextmanager
    def serving(self, name: str, came_with: Mapping[str, str]) -> Iterator[Span]:
        """A request being answered; `came_with` are its trace headers."""

    @contextmanager
    def asking(self, name: str) -> Iterator[Span]:
        """Something asked of another process."""

    def asked_database(self, statement: str, seconds: float, failed: str = "") -> None:
        """A statement that has just been answered, without its values; `failed` names the error, if any."""

    def send_along(self, headers: MutableMapping[str, str]) -> None:
        """Add the trace headers to a request to another service."""


class _Nothing:
    """Keeps nothing, and costs next to nothing."""

    def called(self, name: str) -> None: ...

    def note(self, key: str, value: str | int) -> None: ...

    def went_wrong(self, kind: str) -> None: ...

    @contextmanager
    def serving(self, name: str, came_with: Mapping[str, str]) -> Iterator[Span]:  # noqa: ARG002
        yield self

    @contextmanager
    def asking(self, name: str) -> Iterator[Span]:  # noqa: ARG002
        yield self

    def asked_database(self, statement: str, seconds: float, failed: str = "") -> None: ...

    def send_along(self, headers: MutableMapping[str, str]) -> None: ...


HEADERS = ("traceparent", "tracestate")
NOTHING = _Nothing()
_tracer: Tracer = NOTHING


def use(tracer: Tracer) -> None:
    """Keep spans from now on."""
    global _tracer  # noqa: PLW0603 - one process, one tracer
    _tracer = tracer


def tracing() -> bool:
    """Whether spans are kept."""
    return _tracer is not NOTHING


def tracer() -> Tracer:
    """What keeps the spans."""
    return _tracer
