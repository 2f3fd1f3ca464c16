"""What this process counts and measures, for Prometheus: the figures of both services, and how they are read.

Callers say what happened in plain words; that a library keeps the figures, and how several processes of one service add
theirs up, is known here alone. docs/operating/observe.md lists them all.
"""

import os
from collections.abc import Callable

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from ostiary_shared.metrics import shapes

# When each counter began adds a line to each of them and nothing to what is known.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
# Several processes of one service each write into files of this folder, named before the library is loaded.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"


def counter(name: str, text: str, *labels: str) -> Counter:
    """A counter of ours; its name ends in `_total`."""
    return Counter(name, text, labels, registry=REGISTRY)


def gauge(name: str, text: str, *labels: str, over_processes: str = "livesum") -> Gauge:
    """A gauge of ours; `over_processes` says what it is of several: livesum, livemin, livemax or livemostrecent."""
    return Gauge(name, text, labels, registry=REGISTRY, multiprocess_mode=over_processes)  # type: ignore[arg-type]


def histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...] = shapes.REQUEST) -> Histogram:
    """A histogram of ours; its name ends in `_seconds`."""
    return Histogram(name, text, labels, registry=REGISTRY, buckets=buckets)


_REQUESTS = histogram(
    "ostiary_http_request_seconds",
    "How long the app took to answer, by the rule of the route (`none` for an address that is none of ours).",
    "service", "method", "route", "status",
)  # fmt: skip
_RUNNING = gauge("ostiary_http_requests_in_progress", "Requests that the app is answering now.", "service")
_ERRORS = counter(
    "ostiary_errors_total",
    "What went wrong on our side: crash, database_away, lost_race or quick_look (the app found the answer then).",
    "service", "kind",
)  # fmt: skip
_THROTTLED = counter("ostiary_throttle_refusals_total", "Requests that came too often, by the limit.", "limit")
_REVOKED = histogram(
    "ostiary_revocation_seconds",
    "How long it took until what was taken away was refused by every replica.",
    buckets=shapes.REVOCATION,
)
_LAPSED = counter(
    "ostiary_revocation_lapsed_replicas_total", "Replicas that did not acknowledge a revocation: their lease ran out."
)
_POOL_SECONDS = histogram(
    "ostiary_database_wait_seconds", "How long work waited for a connection to PostgreSQL.", "service", "pool",
    buckets=shapes.WAIT,
)  # fmt: skip
_POOL_TIMEOUTS = counter(
    "ostiary_database_timeouts_total", "Work that was given up for want of a connection.", "service", "pool"
)
_POOL_USED = gauge("ostiary_database_connections_in_use", "Connections that work is being done on.", "service", "pool")
_POOL_SIZE = gauge("ostiary_database_connections_limit", "Connections there may be at the most.", "service", "pool")

_SCHEMA = gauge(
    "ostiary_schema_revision", "The number of the schema that the database is on.", "service",
    over_processes="livemax",
)  # fmt: skip
_DIED = counter("ostiary_worker_deaths_total", "Workers that ended unasked, and were replaced.", "service")

_service = "ostiary"


def name_service(service: str) -> None:
    """Say which service this process is: the label of the figures that all services have."""
    global _service  # noqa: PLW0603 - one process, one service
    _service = service


def service() -> str:
    """Which service this process is."""
    return _service


def begun() -> None:
    """A request came to the app."""
    _RUNNING.labels(_service).inc()


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """The app is done with a request. `route` is the rule, never what was asked for."""
    _RUNNING.labels(_service).dec()
    known = method if method in METHODS else "other"
    _REQUESTS.labels(_service, known, route or NO_ROUTE, f"{status // 100}xx").observe(seconds)


def failed(kind: str) -> None:
    """Something went wrong on our side."""
    _ERRORS.labels(_service, kind).inc()


def throttled(limit: str) -> None:
    """Somebody came too often. `limit` is its name in the table of limits."""
    _THROTTLED.labels(limit).inc()


def revoked(seconds: float, lapsed: int) -> None:
    """Something was taken away, and is refused everywhere by now."""
    _REVOKED.observe(seconds)
    _LAPSED.inc(lapsed)


def connected(pool: str, seconds: float) -> None:
    """Work has its connection."""
    _POOL_SECONDS.labels(_service, pool).observe(seconds)


def not_connected(pool: str) -> None:
    """Work was given up for want of a connection."""
    _POOL_TIMEOUTS.labels(_service, pool).inc()


def worker_died() -> None:
    """A process of ours ended unasked."""
    _DIED.labels(_service).inc()


def on_schema(revision: str) -> None:
    """The database is on this schema."""
    if revision.isdigit():
        _SCHEMA.labels(_service).set(int(revision))


def pool_sampler(pool: str, used: Callable[[], int], limit: int) -> Callable[[], None]:
    """What notes how many connections of a pool are in use, whenever it is called."""

    def sample() -> None:
        _POOL_USED.labels(_service, pool).set(used())
        _POOL_SIZE.labels(_service, pool).set(limit)

    return sample


def exposition(accept: str = "") -> tuple[bytes, str]:
    """All figures as Prometheus reads them, and their content type; with several processes, of all together."""
    registry = REGISTRY
    folder = os.environ.get(FOLDER)  # noqa: TID251 - the library's own way of being told
    if folder:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
