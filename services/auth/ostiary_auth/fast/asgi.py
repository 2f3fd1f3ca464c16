"""The first quick door: in front of the app on the main port, for what asks the three addresses by GET."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

from ostiary_auth import metrics
from ostiary_auth.fast.answers import ALLOWED, Answer, written
from ostiary_auth.fast.ask import DOORS, SESSION_JSON, Ask, Trusts
from ostiary_auth.fast.keeper import Keeper
from ostiary_auth.fast.tally import count
from ostiary_shared import request_id

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

REQUEST_ID = request_id.HEADER.lower().encode()


class QuickDoor:
    """Answers what the keeper can, and hands everything else to the app as it came."""

    def __init__(self, app: App, keeper: Keeper, trusts: Trusts) -> None:
        self.app = app
        self._keeper = keeper
        self._trusts = trusts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or whatever else a server may ask of an app."""
        keeper = self._keeper
        if not keeper.serving or scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        door = scope["raw_path"]
        if door not in DOORS or scope["query_string"]:
            await self.app(scope, receive, send)
            return
        peer = scope["client"][0] if scope.get("client") else None
        ask = Ask(door, scope["headers"], trusted=self._trusts(peer), peer=peer)
        answer = keeper.at_once(ask, time.monotonic()) or await in_the_end(ask, scope, keeper, self.app)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})


async def in_the_end(ask: Ask, scope: Scope, keeper: Keeper, app: App) -> Answer:
    """The answer that is not ready: from the database, else from the app, which is remembered."""
    began = time.perf_counter()
    answer = await keeper.in_time(ask)
    if answer is None:
        heard = keeper.replies.heard
        answer = await put_to(app, scope)
        keeper.told(ask, answer, heard)
        if ask.door == SESSION_JSON:  # the gate counts what it decides itself
            count(ask, answer.outcome, "app")
    elif answer.outcome != ALLOWED:
        count(ask, answer.outcome, "repeated")
    else:
        count(ask, ALLOWED, "database")
    _seconds(ask.door).observe(time.perf_counter() - began)
    return answer


@lru_cache
def _seconds(door: bytes) -> Any:
    return metrics.GATE_SECONDS.labels(door.decode())


async def put_to(app: App, scope: Scope) -> Answer:
    """What the app answers to a request without a body."""
    heard: list[MutableMapping[str, Any]] = []
    waiting = [{"type": "http.request", "body": b"", "more_body": False}]
    whole = asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        if waiting:
            return waiting.pop()
        # Sooner, a disconnect would cancel the view; without one Quart 0.23 never ends the request.
        await whole.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        heard.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            whole.set()

    await app(scope, receive, send)
    start = next(message for message in heard if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in heard if message["type"] == "http.response.body")
    # Said again to somebody else, it would name a request of another.
    headers = [(bytes(name), bytes(value)) for name, value in start["headers"] if name != REQUEST_ID]
    return written(start["status"], headers, body)
