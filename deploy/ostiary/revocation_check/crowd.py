"""People with sessions and a role that a site asks for, written in bulk as the services would write them."""

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg

from ostiary.benchmarks.hashing import PASSWORD, hasher
from ostiary.benchmarks.people import SESSION_COLUMNS
from ostiary.revocation_check.judge import Right
from ostiary_shared import clock, tokens
from ostiary_shared.tokens import Token

__all__ = ["PASSWORD", "Crowd", "Holding", "Person", "ground"]

OPEN_HOST, ROLE_HOST, ROLE = "open.example.test", "role.example.test", "reader"
HOURS = timedelta(hours=20)
BATCH = 25
# Whoever is just losing something is asked about so often, for so many seconds. A refusal costs fifty times what an
# acceptance costs, so more would only slow down what is watched.
WHILE_TAKEN, AFTERWARDS, HOT_SECONDS = 2, 6, 3.0
_GROUND = """
    WITH r AS (INSERT INTO roles (name, description) VALUES ($3, '') ON CONFLICT DO NOTHING),
    s AS (INSERT INTO sites (name, host) VALUES ('Open', $1), ('Role', $2) RETURNING id, host)
    INSERT INTO site_rules (site_id, position, path_prefix, asks, value)
    SELECT id, 1, '/', CASE host WHEN $1 THEN 'signed_in' ELSE 'role' END, CASE host WHEN $1 THEN '' ELSE $3 END FROM s
"""


class Holding(Right):
    """A right, and the questions that show whether it is held."""

    __slots__ = ("questions",)

    def __init__(self, name: str, questions: tuple[bytes, ...]) -> None:
        super().__init__(name)
        self.questions = questions

    def question(self, turn: int) -> bytes:
        """One of the questions."""
        return self.questions[turn % len(self.questions)]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with three sessions; with the last they also enter where a role is asked for."""

    id: str
    grant: str
    tokens: tuple[str, str, str]
    sessions: tuple[str, str, str]
    holdings: tuple[Holding, Holding, Holding]
    entry: Holding


@dataclass(slots=True)
class Hot:
    """Something that is just being taken away, or was a moment ago: how often it is still to be asked about."""

    holding: Holding
    since: float
    left: int


@dataclass(slots=True)
class Crowd:
    """Everybody who is asked about. The newest are taken from first, so that they are often just being looked up."""

    url: str
    session_key: tokens.Key
    made: int = 0
    people: deque[Person] = field(default_factory=deque)
    living: list[Holding] = field(default_factory=list)
    hot: deque[Hot] = field(default_factory=deque)
    _turn: int = 0
    _hash: str = ""

    def some(self, count: int) -> list[Holding]:
        """Some of those who lose nothing now, in turn."""
        self._turn += count
        all_of_them = len(self.living)
        return [self.living[(self._turn + place) % all_of_them] for place in range(count if all_of_them else 0)]

    def losing(self, count: int, now: float) -> list[Holding]:
        """Those who lose something now or lost it a moment ago, the latest first."""
        while self.hot and (self.hot[0].left == 0 or self.hot[0].since < now - HOT_SECONDS):
            self.hot.popleft()
        chosen = [hot for hot in reversed(self.hot) if hot.left][:count]
        for hot in chosen:
            hot.left -= 1
        return [hot.holding for hot in chosen]

    def take(self, *, newest: bool) -> Person:
        """Somebody to take something from. They are asked about for a while, and then not any more."""
        person = self.people.pop() if newest else self.people.popleft()
        gone = {id(holding) for holding in (*person.holdings, person.entry)}
        self.living = [holding for holding in self.living if id(holding) not in gone]
        return person

    def watch(self, holdings: tuple[Holding, ...], *, over: bool) -> None:
        """Ask about these in the next seconds; `over` when the act has returned."""
        now = time.monotonic()
        self.hot.extend(Hot(holding, now, AFTERWARDS if over else WHILE_TAKEN) for holding in holdings)

    async def grow(self, connection: Any, count: int) -> None:
        """More people."""
        while count > 0:
            people = await self._add(connection, min(count, BATCH))
            self.people.extend(people)
            self.living.extend(holding for person in people for holding in (*person.holdings, person.entry))
            count -= len(people)

    async def _add(self, connection: Any, count: int) -> list[Person]:
        self._hash = self._hash or hasher().hash(PASSWORD)
        emails = [f"subject{self.made + number}@example.test" for number in range(count)]
        self.made += count
        minted = [tokens.mint(tokens.SESSION, self.session_key) for _ in range(3 * count)]
        async with connection.transaction():
            users = await connection.fetch(_USERS, emails)
            ids = [row["id"] for row in users]
            await connection.execute(_PASSWORDS, ids, self._hash)
            grants = {row["user_id"]: row["id"] for row in await connection.fetch(_GRANTS, ids, ROLE)}
            await connection.copy_records_to_table("sessions", records=_sessions(ids, minted), columns=SESSION_COLUMNS)
            found = await connection.fetch("SELECT id, token_digest FROM sessions WHERE user_id = ANY($1)", ids)
        rows = {row["token_digest"]: str(row["id"]) for row in found}
        return [
            _person(str(user), str(grants[user]), minted[3 * place : 3 * place + 3], rows)
            for place, user in enumerate(ids)
        ]


async def ground(url: str) -> None:
    """The sites and the role that everybody is asked about. `url` is the owner's."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_GROUND, OPEN_HOST, ROLE_HOST, ROLE)
    finally:
        await connection.close()


_USERS = """INSERT INTO users (email, name, confirmed_at) SELECT email, 'Subject', now() FROM unnest($1::text[]) email
            RETURNING id"""
_PASSWORDS = "INSERT INTO passwords (user_id, hash, adopted_at) SELECT id, $2, now() FROM unnest($1::uuid[]) id"
_GRANTS = """INSERT INTO role_grants (user_id, role_id, reason)
             SELECT u, r.id, 'a check' FROM unnest($1::uuid[]) u, roles r WHERE r.name = $2 RETURNING id, user_id"""


def _sessions(ids: list[Any], minted: list[Token]) -> list[tuple[Any, ...]]:
    now = clock.now()
    return [
        (ids[place // 3], token.digest, 1, ["password"], now, now, now, now + HOURS, HOURS, "192.0.2.7", "check")
        for place, token in enumerate(minted)
    ]


def _person(user: str, grant: str, minted: list[Token], rows: dict[bytes, str]) -> Person:
    first, second, third = (token.value for token in minted)
    holdings = tuple(
        Holding(f"session {rows[token.digest][-6:]}", (_session(token.value), _gate(token.value, OPEN_HOST)))
        for token in minted
    )
    entry = Holding(f"the role of {user[-6:]}", (_gate(third, ROLE_HOST),))
    ids = tuple(rows[token.digest] for token in minted)
    return Person(user, grant, (first, second, third), ids, holdings, entry)  # type: ignore[arg-type]


def _session(token: str) -> bytes:
    return (
        f"GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()


def _gate(token: str, host: str) -> bytes:
    return (
        f"GET /gate/nginx HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Proto: http\r\n"
        f"X-Forwarded-Host: {host}\r\nX-Forwarded-Uri: /\r\nX-Forwarded-For: 192.0.2.9\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()
