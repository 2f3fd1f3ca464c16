"""What is told inside the network alone, on a port of its own: /metrics for Prometheus, /healthz and /readyz.

Alive says that the event loop turns, whatever is wrong around it; ready, that work may be sent here, and if not, why.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from ostiary_shared import metrics
from ostiary_shared.health import Health

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = tuple[int, str, bytes]

JSON = "application/json"
# Not at once: a lease is earned with the first heartbeat.
FIRST_SECONDS, LOOK_SECONDS = 1.0, 10.0

log = structlog.get_logger("ostiary")


class MetricsPort:
    """The app behind the port. Whoever reaches it is told: it must not be reachable from outside."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def __call__(self, scope: MutableMapping[str, Any], _receive: Any, send: Send) -> None:
        """One request."""
        status, content_type, body = await self._answer(scope)
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: MutableMapping[str, Any]) -> Answer:
        if scope["method"] not in {"GET", "HEAD"}:
            return 405, JSON, _json({"status": "ask by GET"})
        match scope["path"]:
            case "/healthz":
                return 200, JSON, _json({"status": "alive"})
            case "/readyz":
                report = await self._health.report()
                return 200 if report.ready else 503, JSON, _json(report.to_json())
            case "/metrics":
                accept = b",".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")
                # In a thread: put together from the files of several processes, they take a while.
                body, content_type = await asyncio.to_thread(metrics.exposition, accept)
                return 200, content_type, body
        return 404, JSON, _json({"status": "there are /metrics, /healthz and /readyz"})


async def look(health: Health) -> None:
    """Ask every part how it is from time to time, so that its figure is there to be read."""
    before: dict[str, str] = {}
    await asyncio.sleep(FIRST_SECONDS)
    while True:
        report = await health.report()
        now = report.vital | report.told
        for name, why in now.items():
            if bool(why) != bool(before.get(name, "")):
                (log.warning if why else log.info)("check", check=name, ok=not why, reason=why)
        before = now
        await asyncio.sleep(LOOK_SECONDS)


def _json(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"
