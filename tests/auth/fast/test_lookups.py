"""Looks into the database are shared by those who wait, never by those who come after the statement has begun."""

import asyncio
from typing import Any

import pytest

from ostiary_auth.fast import lookup
from ostiary_auth.fast.lookup import FLIGHTS, Lookups
from ostiary_shared.tokens import SESSION, SITE


class Held:
    """A database that notes what it is asked, and answers when it may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[list[bytes]] = []
        self.go = asyncio.Event()
        self.fault: Exception | None = None
        monkeypatch.setattr(lookup, "find", self.find)

    async def find(self, _statements: Any, _kind: str, digests: list[bytes], _now: Any) -> dict[bytes, Any]:
        self.asked.append(digests)
        await self.go.wait()
        if self.fault:
            raise self.fault
        return {digest: b"found " + digest for digest in digests if digest != b"nobody"}


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


@pytest.fixture
def lookups(database: Held) -> Lookups:
    del database  # stands there before anybody asks
    return Lookups(None)  # type: ignore[arg-type]


async def begun(database: Held, statements: int) -> None:
    async with asyncio.timeout(10):
        while len(database.asked) < statements:  # noqa: ASYNC110 - a list is all there is
            await asyncio.sleep(0)


async def test_who_asks_at_once_shares_a_statement_and_each_hears_their_own(lookups: Lookups, database: Held) -> None:
    looks: list[Any] = [lookups.ask(SESSION, name) for name in (b"ada", b"bo", b"ada", b"nobody")]
    database.go.set()
    assert await asyncio.gather(*looks) == [b"found ada", b"found bo", b"found ada", None]
    assert database.asked == [[b"ada", b"bo", b"nobody"]]


async def test_who_comes_while_statements_are_under_way_waits_for_the_next(lookups: Lookups, database: Held) -> None:
    first = []
    for number in range(FLIGHTS):
        first.append(lookups.ask(SESSION, b"%d" % number))
        await begun(database, number + 1)
    later = [lookups.ask(SESSION, b"0"), lookups.ask(SESSION, b"ada"), lookups.ask(SESSION, b"bo")]
    assert later[0] is not first[0]  # that one may have read what has changed since
    await asyncio.sleep(0)
    assert len(database.asked) == FLIGHTS
    database.go.set()
    await asyncio.gather(*first, *later)
    assert sorted(database.asked[FLIGHTS]) == [b"0", b"ada", b"bo"]
    assert len(database.asked) == FLIGHTS + 1


async def test_one_kind_does_not_wait_for_another(lookups: Lookups, database: Held) -> None:
    looks = [lookups.ask(SESSION, b"a"), lookups.ask(SITE, b"b")]
    await begun(database, 2)
    database.go.set()
    await asyncio.gather(*looks)


async def test_a_crowd_is_asked_for_in_bounded_statements(lookups: Lookups, database: Held) -> None:
    looks = [lookups.ask(SESSION, b"%d" % number) for number in range(3 * lookup.MOST)]
    database.go.set()
    await asyncio.gather(*looks)
    assert max(map(len, database.asked)) == lookup.MOST


async def test_a_statement_that_fails_is_told_to_those_who_waited_for_it_alone(
    lookups: Lookups, database: Held
) -> None:
    database.fault = OSError("the database is gone")
    database.go.set()
    looks = [lookups.ask(SESSION, name) for name in (b"ada", b"bo")]
    said = await asyncio.gather(*looks, return_exceptions=True)
    assert [type(error) for error in said] == [OSError, OSError]
    database.fault = None
    again: Any = await lookups.ask(SESSION, b"ada")
    assert again == b"found ada"


async def test_who_gives_up_takes_nothing_from_the_others(lookups: Lookups, database: Held) -> None:
    async def wait() -> Any:
        return await asyncio.shield(lookups.ask(SESSION, b"ada"))

    one, other = asyncio.create_task(wait()), asyncio.create_task(wait())
    await begun(database, 1)
    one.cancel()
    database.go.set()
    assert await other == b"found ada"
    assert one.cancelled()
