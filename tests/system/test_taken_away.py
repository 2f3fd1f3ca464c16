"""Every way to take something away, at real replicas: when it returns no process accepts, and a receipt is kept."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from ostiary.benchmarks.servers import environment
from ostiary.revocation_check import acts, crowd, fleet
from ostiary.revocation_check.acts import API, CONSOLE, NEW_PASSWORD, Act
from ostiary.revocation_check.crowd import OPEN_HOST, Crowd, Holding, Person
from ostiary.revocation_check.fleet import Fleet, Place
from ostiary.revocation_check.run import _ADMIN
from ostiary_shared import clock, tokens
from tests.conftest import AUTH_SECRET, Databases
from tests.system.proxied import END

WORKERS = 2
LINES = 2  # to each of its two ports
PATIENCE = 20
RECOVERY = """INSERT INTO one_time_tokens (purpose, token_digest, email, user_id, subject, expires_at)
              SELECT 'recover', $1, email, id, '{}', now() + '1 hour' FROM users WHERE id = $2::text::uuid"""
RECEIPT = """SELECT e.event, cardinality(r.acknowledged) AS heard, cardinality(r.lapsed) AS silent
             FROM audit_events e LEFT JOIN receipts r ON r.audit_event_id = e.id
             ORDER BY e.id DESC LIMIT 1"""


@dataclass
class House:
    """The replicas, who asks them, and the administrator."""

    fleet: Fleet
    crowd: Crowd
    owner: asyncpg.Connection
    http: aiohttp.ClientSession
    admin: str
    turns: int = 0

    async def person(self) -> Person:
        await self.crowd.grow(self.owner, 1)
        return self.crowd.people.pop()

    async def call(self, act: Act) -> Any:
        """One request, of the administrator unless it has a token; its JSON, or None where there is none."""
        self.turns += 1
        assert self.fleet.admin
        place = self.fleet.admin if act.console else self.fleet.auths[self.turns % 2]
        headers = {
            "Authorization": f"Bearer {act.token or self.admin}",
            "Accept": "application/json",
            "X-Forwarded-For": f"10.0.0.{self.turns}",
        }
        async with self.http.request(act.method, place.url + act.path, headers=headers, json=act.body) as answer:
            assert answer.status in {200, 201, 204}, (act.name, await answer.text())
            return await answer.json() if answer.status != 204 else None

    async def command(self, *words: str) -> None:
        """Something that the operator does."""
        settings = environment(self.fleet.auths[0].settings)
        line = (sys.executable, "-P", "-m", "ostiary", *words, "--json")
        process = await asyncio.create_subprocess_exec(*line, env=settings, stdout=asyncio.subprocess.DEVNULL)
        assert await process.wait() == 0

    @contextlib.asynccontextmanager
    async def windows(self) -> AsyncIterator["list[Window]"]:
        """Lines to every process, by both its doors."""
        ports = [port for replica in self.fleet.auths for port in (replica.gate, replica.port)] * LINES
        lines = [Window(*await asyncio.open_connection("127.0.0.1", port)) for port in ports]
        try:
            yield lines
        finally:
            for line in lines:
                line.writer.close()

    async def kept(self) -> tuple[str, int, int]:
        """The last audit row, and how many replicas its receipt names: heard, silent."""
        row = await self.owner.fetchrow(RECEIPT)
        return row["event"], row["heard"], row["silent"]


@dataclass
class Window:
    """A line that stays with one process."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, question: bytes) -> tuple[int, dict[str, str]]:
        """The status and the headers of the answer."""
        self.writer.write(question)
        async with asyncio.timeout(PATIENCE):
            lines = (await self.reader.readuntil(END)).decode("latin-1").rstrip("\r\n").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            await self.reader.readexactly(int(headers["content-length"]))
        return int(lines[0].split(" ")[1]), headers


@pytest.fixture
async def house(database: Databases, tmp_path: Path) -> AsyncIterator[House]:
    place = Place(database.auth, database.admin, database.owner, database.superuser, AUTH_SECRET)
    await crowd.ground(place.owner)
    people = Crowd(place.owner, tokens.derive((place.secret,), "session"))
    admin = tokens.mint(tokens.SESSION, people.session_key)
    owner = await asyncpg.connect(place.owner)
    try:
        await owner.execute(_ADMIN, admin.digest, clock.now())
        async with fleet.sailing(place, tmp_path, WORKERS) as sailing, aiohttp.ClientSession() as http:
            yield House(sailing, people, owner, http, admin.value)
    finally:
        await owner.close()


def own_session(person: Person) -> Act:
    """They end one of their sessions from another."""
    path = f"{API}/account/sessions/{person.sessions[1]}"
    return Act("own session", "DELETE", path, person.holdings[1:2], person.tokens[0])


def set_password(person: Person) -> Act:
    """An administrator sets another password."""
    everything = (*person.holdings, person.entry)
    return Act("set password", "PATCH", f"{CONSOLE}/users/{person.id}", everything, body={"password": NEW_PASSWORD})


def set_address(person: Person) -> Act:
    """An administrator changes the address."""
    body = {"email": f"moved-{person.id}@example.test"}
    return Act("set address", "PATCH", f"{CONSOLE}/users/{person.id}", (*person.holdings, person.entry), body=body)


ACTS: tuple[Callable[[Person], Act], ...] = (
    *dict.fromkeys(acts.ACTS),
    acts.SLOW,
    own_session,
    set_password,
    set_address,
)


async def recovery(house: House) -> Act:
    """They have lost the password, and set another."""
    person, token = await house.person(), tokens.mint(tokens.ONE_TIME)
    await house.owner.execute(RECOVERY, token.digest, person.id)
    body = {"token": token.value, "password": NEW_PASSWORD}
    return Act("recovery", "POST", f"{API}/recover/reset", (*person.holdings, person.entry), "nobody", body)


async def program(house: House) -> Act:
    """They revoke an API token."""
    person = await house.person()
    wish = {"name": "ci", "days": 1, "scopes": [], "current_password": crowd.PASSWORD}
    made = await house.call(Act("", "POST", f"{API}/account/tokens", (), person.tokens[0], wish))
    holding = Holding("the program", (crowd._session(made["token"]),))
    return Act("API token", "DELETE", f"{API}/account/tokens/{made['id']}", (holding,), person.tokens[0])


async def permission(house: House) -> Act:
    """A role is to permit something no longer that a site asks for."""
    person = await house.person()
    rule = {"path_prefix": "/", "asks": "permission", "value": "audit:read"}
    await house.call(Act("", "PUT", f"{CONSOLE}/roles/{crowd.ROLE}", (), body={"permissions": ["audit:read"]}))
    await house.call(Act("", "POST", f"{CONSOLE}/sites", (), body={"name": "A", "host": "a.test", "rules": [rule]}))
    holding = Holding("the permission", (crowd._gate(person.tokens[2], "a.test"),))
    return Act("permission", "PUT", f"{CONSOLE}/roles/{crowd.ROLE}", (holding,), body={"permissions": []})


async def rule(house: House) -> Act:
    """A site is to ask for more than it did."""
    return Act("rule", "PUT", *await _site(house, "b.test"), body={"name": "B", "host": "b.test", "rules": []})


async def site(house: House) -> Act:
    """A site is forgotten."""
    return Act("site", "DELETE", *await _site(house, "c.test"))


async def _site(house: House, host: str) -> tuple[str, tuple[Holding, ...]]:
    person = await house.person()
    rule = {"path_prefix": "/", "asks": "signed_in"}
    made = await house.call(Act("", "POST", f"{CONSOLE}/sites", (), body={"name": "B", "host": host, "rules": [rule]}))
    return f"{CONSOLE}/sites/{made['id']}", (Holding("the site", (crowd._gate(person.tokens[0], host),)),)


async def _is_over_everywhere(house: House, act: Act, doing: Callable[[], Awaitable[Any]]) -> Any:
    """Every process has all of it in memory; it is taken away; no process says yes any more."""
    questions = [question for holding in act.takes for question in holding.questions]
    async with house.windows() as windows:
        for window in windows:
            assert {(await window.ask(question))[0] for question in questions} == {200}, act.name
        done = await doing()
        statuses = {(await window.ask(question))[0] for question in questions for window in windows}
    assert statuses <= {401, 403}, (act.name, statuses)
    return done


async def test_nothing_that_was_taken_away_is_accepted_by_any_process(house: House) -> None:
    """Signing out, sessions, people, passwords, addresses, roles, permissions, rules, sites, programs, keys, all."""
    wanted = [make(await house.person()) for make in ACTS]
    wanted += [await make(house) for make in (recovery, program, permission, rule, site)]
    everybody = len(house.fleet.auths) * WORKERS
    for act in wanted:
        done = await _is_over_everywhere(house, act, partial(house.call, act))
        event, heard, silent = await house.kept()
        assert (heard, silent) == (everybody, 0), (act.name, event)
        if done is not None:  # signing out answers 204
            assert len(done["receipt"]["acknowledged"]) == everybody, act.name
    await _signs_no_more(house)
    assert await house.kept() == ("system:signing-key:made", everybody, 0)
    person = await house.person()
    everything = Act("everything", "", "", (*person.holdings, person.entry))
    await _is_over_everywhere(house, everything, partial(house.command, "sessions", "end-all", "--yes"))
    assert await house.kept() == ("operator:sessions:ended", everybody, 0)


async def _signs_no_more(house: House) -> None:
    """A key that may have got out is withdrawn: no process sends along what it signed, nor signs with it again."""
    question = crowd._gate((await house.person()).tokens[0], OPEN_HOST)
    async with house.windows() as windows:
        before = {_key(await window.ask(question)) for window in windows}
        await house.command("keys", "rotate", "--withdraw")
        after = {_key(await window.ask(question)) for window in windows}
    assert (len(before), len(after)) == (1, 1)
    assert before != after


def _key(answer: tuple[int, dict[str, str]]) -> str:
    """Under which key the assertion was signed: its first part says so."""
    return answer[1]["x-ostiary-assertion"].split(".")[0]
