"""Each request has one id, one line and its place among the figures, whatever becomes of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from ostiary_shared import spans
from ostiary_shared.metrics import REGISTRY
from tests import canary
from tests.shared.web_app import Behind, settings, small_app

PROXY, STRANGER = {"client": ("10.0.0.9", 1)}, {"client": ("203.0.113.9", 1)}

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def client(*, addresses: bool = False, **more: Any) -> Any:
    """A browser of the small app."""
    chosen = settings(OSTIARY_LOG_ADDRESSES="true") if addresses else settings()
    canary.lines.clear()
    return small_app(Behind(**more), chosen).test_client()


def count(route: str, method: str, status: str) -> float:
    labels = {"service": "ostiary", "method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("ostiary_http_request_seconds_count", labels) or 0


async def ask(at: Any, path: str, base: dict[str, Any], **more: Any) -> Any:
    return await at.open(path, scope_base=base, **more)


@pytest.mark.parametrize("given", ["from-the-proxy", "0123456789abcdef", "a.b_c:d-e"])
async def test_an_id_is_believed_from_a_trusted_proxy_alone(given: str) -> None:
    at = client()
    answer = await ask(at, "/open", PROXY, headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given
    assert canary.lines_of("request", request_id=given, route="/open", status=200)
    answer = await ask(at, "/open", STRANGER, headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] != given
    assert len(answer.headers.getlist("X-Request-Id")) == 1


async def test_a_service_of_ours_is_believed_about_ids_and_nothing_else() -> None:
    at = small_app(
        Behind(), settings(OSTIARY_TRUSTED_SERVICES="203.0.113.0/28", OSTIARY_LOG_ADDRESSES="true")
    ).test_client()
    told = {"X-Request-Id": "from-the-console", "X-Forwarded-For": "198.51.100.7"}
    answer = await ask(at, "/open", STRANGER, headers=told)
    assert answer.headers["X-Request-Id"] == "from-the-console"
    assert canary.lines_of("request", request_id="from-the-console", address="203.0.113.9")
    assert not canary.lines_of("request", address="198.51.100.7")


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space in it", "ünicode-id", "semi;colon;id"])
async def test_an_id_that_could_be_more_than_one_is_replaced(given: str) -> None:
    answer = await ask(client(), "/open", PROXY, headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] != given


async def test_a_line_names_the_rule_and_never_what_was_asked_for() -> None:
    at = client()
    before = count("none", "GET", "4xx")
    for number in range(3):
        await at.get(f"/nobody/knows/ot_{'a' * 43}{number}?token=b")
    lines = canary.lines_of("request", route="none", status=404, method="GET")
    assert len(lines) == 3
    assert set(lines[0]) == {"timestamp", "level", "event", "service", "request_id", "method", "route", "status", "ms"}
    assert count("none", "GET", "4xx") == before + 3


async def test_a_made_up_method_makes_no_series_of_its_own() -> None:
    at = client()
    await at.open("/open", method="BREW")
    assert canary.lines_of("request", method="other")
    assert count("none", "other", "4xx") + count("/open", "other", "4xx") > 0


class Kept(type(spans.NOTHING)):  # type: ignore[misc]
    """Remembers how spans are begun, named and noted."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    @contextmanager
    def serving(self, name: str, came_with: Mapping[str, str]) -> Iterator[spans.Span]:
        self.said += [name, dict(came_with)]
        yield self

    def called(self, name: str) -> None:
        self.said.append(name)

    def note(self, key: str, value: str | int) -> None:
        self.said.append(value)


@pytest.fixture
def kept() -> Iterator[Kept]:
    tracer = Kept()
    spans.use(tracer)
    yield tracer
    spans.use(spans.NOTHING)


async def test_a_trace_is_gone_on_with_for_a_trusted_proxy_alone(kept: Kept) -> None:
    at = client()
    for base, believed in ((PROXY, {"traceparent": TRACE}), (STRANGER, {})):
        kept.said.clear()
        await ask(at, "/open", base, headers={"traceparent": TRACE})
        assert kept.said[:2] == ["GET", believed]


async def test_a_made_up_method_names_no_span(kept: Kept) -> None:
    await client().open("/open", method="BREW")
    assert kept.said[0] == "other"
    assert not [word for word in kept.said if "BREW" in str(word)]


async def test_health_is_counted_and_not_told() -> None:
    at = client()
    before = count("/readyz", "GET", "2xx")
    await at.get("/readyz")
    assert canary.lines_of("request") == []
    assert count("/readyz", "GET", "2xx") == before + 1


async def test_an_address_stands_in_a_line_only_where_that_is_wanted() -> None:
    at = client()
    await ask(at, "/open", STRANGER, headers={"User-Agent": "spy"})
    assert "203.0.113.9" not in str(canary.lines)
    at = client(addresses=True)
    await ask(at, "/open", PROXY, headers={"X-Forwarded-For": "203.0.113.9", "User-Agent": "spy"})
    assert canary.lines_of("request", address="203.0.113.9")
    assert "spy" not in str(canary.lines)


async def test_a_crash_has_its_traceback_and_the_id_that_the_visitor_sees() -> None:
    answer = await client().get("/crash", headers={"Accept": "application/json"})
    known = answer.headers["X-Request-Id"]
    assert (await answer.get_json())["request_id"] == known
    (line,) = canary.lines_of("crash", request_id=known, level="error")
    assert "Traceback" in line["exception"]
    assert canary.lines_of("request", request_id=known, status=500)


async def test_nothing_tells_figures_at_the_main_port() -> None:
    assert (await client().get("/metrics")).status_code == 404
