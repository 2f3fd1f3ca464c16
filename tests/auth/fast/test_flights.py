"""Nobody is forgotten who asks in the very moment in which the looks that were under way end."""

import asyncio
from typing import Any

import pytest

from ostiary_auth.fast import lookup
from ostiary_auth.fast.lookup import FLIGHTS, Lookups
from ostiary_shared.tokens import SESSION


async def test_who_asks_as_the_last_look_ends_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    go = asyncio.Event()

    async def find(_statements: Any, _kind: str, digests: list[bytes], _now: Any) -> dict[bytes, Any]:
        await go.wait()
        return dict.fromkeys(digests, b"found")

    monkeypatch.setattr(lookup, "find", find)
    lookups = Lookups(None)  # type: ignore[arg-type]

    async def ask(name: bytes) -> Any:
        return await asyncio.shield(lookups.ask(SESSION, name))

    async def ask_when_it_is_time() -> Any:
        await go.wait()
        return await ask(b"late")

    early = []
    for number in range(FLIGHTS):
        early.append(asyncio.create_task(ask(b"%d" % number)))
        await asyncio.sleep(0.01)
    late = asyncio.create_task(ask_when_it_is_time())  # woken in the same turn of the loop as the looks, after them
    await asyncio.sleep(0.01)
    go.set()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*early, late) == [b"found"] * (FLIGHTS + 1)
