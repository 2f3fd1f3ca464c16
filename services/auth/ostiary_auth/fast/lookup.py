"""Who carries this token? One statement past SQLAlchemy.

The facts come back as the same frozen values that every decision looks at.
"""

import asyncio
from asyncio import Future
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from ostiary_shared import clock
from ostiary_shared.access import signed_in
from ostiary_shared.identity import Account, HeldRole, Identity, Presented, SessionFacts, narrowed
from ostiary_shared.statements import Statements
from ostiary_shared.store.sessions import ROTATION_GRACE
from ostiary_shared.tokens import PERSONAL, SESSION, SITE

_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)

_PERSON = """u.id AS user_id, u.email, u.name, u.confirmed_at, u.locked_at, u.locked_reason, u.deleted_at,
    held.roles, held.ends, held.permits"""
_HELD = """CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(r.name ORDER BY r.name), '{}') AS roles,
        coalesce(array_agg(g.expires_at ORDER BY r.name), '{}') AS ends,
        coalesce(array_agg(coalesce(
            (SELECT string_agg(p.permission, ' ') FROM role_permissions p WHERE p.role_id = r.id), ''
        ) ORDER BY r.name), '{}') AS permits
    FROM role_grants g JOIN roles r ON r.id = g.role_id
    WHERE g.user_id = u.id AND g.ended_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $2)
) held"""
_SESSION = """s.id, s.assurance, s.methods, s.created_at, s.authenticated_at, s.last_seen_at, s.expires_at,
    s.idle_limit, s.ended_at, s.ended_reason"""
_ASKED = "unnest($1::bytea[]) asked(digest)"
# Put together from our own words alone.
STATEMENTS = {
    SESSION: f"""SELECT asked.digest, {_SESSION}, s.token_digest = asked.digest AS current, s.rotated_at, '' AS host,
            {_PERSON}
        FROM {_ASKED} JOIN sessions s
            ON s.token_digest = asked.digest OR (s.previous_digest = asked.digest AND s.rotated_at > $3)
        JOIN users u ON u.id = s.user_id {_HELD}""",  # noqa: S608
    SITE: f"""SELECT asked.digest, {_SESSION}, true AS current, s.rotated_at, t.host, {_PERSON}
        FROM {_ASKED} JOIN site_sessions t ON t.token_digest = asked.digest AND $3::timestamptz IS NOT NULL
        JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id {_HELD}""",  # noqa: S608
    PERSONAL: f"""SELECT asked.digest, t.id, 1 AS assurance, ARRAY['api_token'] AS methods, t.created_at,
            t.created_at AS authenticated_at, t.created_at AS last_seen_at, t.expires_at,
            t.expires_at - t.created_at AS idle_limit, t.revoked_at AS ended_at, t.revoked_reason AS ended_reason,
            true AS current, NULL::timestamptz AS rotated_at, '' AS host, t.scopes, {_PERSON}
        FROM {_ASKED} JOIN api_tokens t ON t.token_digest = asked.digest AND $3::timestamptz IS NOT NULL
        JOIN users u ON u.id = t.user_id {_HELD}""",  # noqa: S608
}  # fmt: skip
# How many looks of a kind are under way at once; who comes meanwhile waits for the next, and many share that.
FLIGHTS = 2
MOST = 100


@dataclass(slots=True)
class Found:
    """What a token stands for, and who that is if the session lives and the account is in order.

    `host` is where alone it counts; at `ends_at` something of it ends by itself. `kept` is the record that the keeper
    made of it, in one version of what it knows.
    """

    presented: Presented
    who: Identity | None
    machine: bool
    host: str
    ends_at: datetime
    kept: bytes | None = None
    version: int = -1


class Lookups:
    """Looks into the database, one for all who ask while others are under way.

    Whoever asks is answered by a statement that begins afterwards: it sees all that had happened by then.
    """

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._waiting: dict[str, dict[bytes, Future[Found | None]]] = {kind: {} for kind in STATEMENTS}
        self._flights: dict[str, set[asyncio.Task[None]]] = {kind: set() for kind in STATEMENTS}

    def ask(self, kind: str, digest: bytes) -> "Future[Found | None]":
        """What a token stands for, to be waited for behind a shield: others may wait for it, too."""
        waiting, flights = self._waiting[kind], self._flights[kind]
        future = waiting.get(digest)
        if future is None:
            future = waiting[digest] = asyncio.get_running_loop().create_future()
            if len(flights) < FLIGHTS:
                flight = asyncio.create_task(self._fly(kind))
                flights.add(flight)
                flight.add_done_callback(flights.discard)
        return future

    async def _fly(self, kind: str) -> None:
        await self._serve(kind)
        # At once: until a callback did it, whoever asks would count on a look that takes nobody along any more.
        self._flights[kind].discard(asyncio.current_task())

    async def _serve(self, kind: str) -> None:
        waiting = self._waiting[kind]
        while waiting:
            taken = dict(islice(waiting.items(), MOST))
            for digest in taken:
                del waiting[digest]
            try:
                found = await find(self._statements, kind, list(taken), clock.now())
            except BaseException as error:
                _fail(taken.values(), error)
                if not isinstance(error, Exception):
                    raise
            else:
                _tell(taken, found)


async def find(statements: Statements, kind: str, digests: list[bytes], now: datetime) -> dict[bytes, Found]:
    """The sessions or tokens with these digests, alive or not, and whose they are."""
    rows = await statements.rows(STATEMENTS[kind], digests, now, now - ROTATION_GRACE)
    return {row["digest"]: _found(row, kind, now) for row in rows}


def _found(row: Mapping[str, Any], kind: str, now: datetime) -> Found:
    account, session = _account(row), _session(row)
    if kind == PERSONAL:
        account = narrowed(account, row["scopes"])
    late = [] if row["current"] else [row["rotated_at"] + ROTATION_GRACE]
    ends = min([session.idle_until(), *(end for end in row["ends"] if end), *late], default=_FOR_EVER)
    presented = Presented(carried=True, session=session, account=account)
    return Found(presented, signed_in(presented, now), kind == PERSONAL, row["host"], ends)


def _tell(taken: dict[bytes, "Future[Found | None]"], found: dict[bytes, Found]) -> None:
    for digest, future in taken.items():
        if not future.done():
            future.set_result(found.get(digest))


def _fail(futures: Iterable["Future[Found | None]"], error: BaseException) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            future.exception()  # nobody may be left to hear it


def _session(row: Mapping[str, Any]) -> SessionFacts:
    return SessionFacts(
        id=row["id"],
        assurance=row["assurance"],
        methods=tuple(row["methods"]),
        created_at=row["created_at"],
        authenticated_at=row["authenticated_at"],
        last_seen_at=row["last_seen_at"],
        expires_at=row["expires_at"],
        idle_limit=row["idle_limit"],
        ended_at=row["ended_at"],
        ended_reason=row["ended_reason"],
    )


def _account(row: Mapping[str, Any]) -> Account:
    # Since when and by whom a role is held only shows in refusals, which the app itself words.
    held = zip(row["roles"], row["permits"], row["ends"], strict=True)
    return Account(
        id=row["user_id"],
        email=row["email"],
        name=row["name"],
        confirmed_at=row["confirmed_at"],
        locked_at=row["locked_at"],
        locked_reason=row["locked_reason"],
        deleted_at=row["deleted_at"],
        held=tuple(
            HeldRole(name, frozenset(permits.split()), row["created_at"], "", until) for name, permits, until in held
        ),
    )
