"""The run: clients ask, others take away, a nemesis breaks things, and the judge hears all of it."""

import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from ostiary.revocation_check import acts, crowd, fleet, nemesis
from ostiary.revocation_check.crowd import Crowd
from ostiary.revocation_check.fleet import Fleet, Place, Replica
from ostiary.revocation_check.judge import Judge
from ostiary.revocation_check.nemesis import Nemesis
from ostiary.revocation_check.report import Counts, Report
from ostiary.revocation_check.wire import Line
from ostiary_shared import clock, tokens

AT_ONCE, FEW = 32, 3
LINE_LASTS = 40  # questions in a row; a new line may lead to another worker
ANSWER_SECONDS = 4.0
EVERY_HASH = 40  # acts
LAST_LOOK = 1.5  # seconds in which those who were revoked last are still asked about
_ADMIN = """
    WITH u AS (
        INSERT INTO users (email, name, confirmed_at) VALUES ('checker@example.test', 'C', now()) RETURNING id
    ),
    g AS (INSERT INTO role_grants (user_id, role_id, reason) SELECT u.id, r.id, 'a check' FROM u, roles r
          WHERE r.name = 'admin')
    INSERT INTO sessions (user_id, token_digest, assurance, methods, created_at, authenticated_at, last_seen_at,
                          expires_at, idle_limit)
    SELECT id, $1, 1, '{password}', $2, $2, $2, $2::timestamptz + interval '20 hours', interval '20 hours' FROM u"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of it: at least so many operations and seconds, with so many clients and people."""

    operations: int
    seconds: float = 20.0
    most_seconds: float = 3600.0
    workers: int = 2
    lines: int = 3
    revokers: int = 6
    people: int = 60
    pause: float = 0.05
    faults: bool = True


@dataclass(frozen=True, slots=True)
class Door:
    """Where a client asks: of those who are just losing something (`hot`), or of all others."""

    replica: Replica
    port: int
    hot: bool


@dataclass(slots=True)
class Run:
    """What everybody in it shares."""

    plan: Plan
    fleet: Fleet
    crowd: Crowd
    judge: Judge
    admin: str
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    acts: Counter[str] = field(default_factory=Counter)
    receipts: list[int] = field(default_factory=list)
    by_replica: Counter[str] = field(default_factory=Counter)
    odd: Counter[int] = field(default_factory=Counter)
    turns: "count[int]" = field(default_factory=count)


async def check(place: Place, plan: Plan, tell: Callable[[str], None] = lambda _: None) -> Report:
    """Run it. `place` has a migrated database with the first roles and nobody in it."""
    with tempfile.TemporaryDirectory(prefix="ostiary-check-") as folder:
        await crowd.ground(place.owner)
        people = Crowd(place.owner, tokens.derive((place.secret,), "session"))
        connection = await asyncpg.connect(place.owner)
        try:
            await people.grow(connection, plan.people)
            admin = tokens.mint(tokens.SESSION, people.session_key)
            await connection.execute(_ADMIN, admin.digest, clock.now())
            async with fleet.sailing(place, Path(folder), plan.workers) as sailing:
                run = Run(plan, sailing, people, Judge(), admin.value)
                return await _watch(run, connection, place, tell)
        finally:
            await connection.close()


async def _watch(run: Run, connection: Any, place: Place, tell: Callable[[str], None]) -> Report:
    since, haunted = time.monotonic(), Nemesis(run.fleet, place.superuser)
    quiet = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        talking = [
            group.create_task(_converse(run, door))
            for replica in run.fleet.auths
            for number in range(run.plan.lines)
            for door in (
                Door(replica, replica.gate, hot=False),
                Door(replica, (replica.port, replica.gate)[number % 2], hot=True),
            )
        ]
        taking = [group.create_task(_take(run, quiet)) for _ in range(run.plan.revokers)]
        growing = group.create_task(_grow(run, connection, quiet))
        breaking = group.create_task(nemesis.haunt(haunted, quiet)) if run.plan.faults else None
        while not _enough(run, time.monotonic() - since):
            await asyncio.sleep(0.5)
            tell(f"{run.judge.operations:,} asked, {run.judge.revocations:,} taken away, {run.judge.wrong} wrong")
        quiet.set()
        await asyncio.gather(*taking, growing, *([breaking] if breaking else []))
        await _end_everything(run)
        await asyncio.sleep(LAST_LOOK)
        run.stop.set()
        await asyncio.gather(*talking)
    seconds = time.monotonic() - since
    counts = Counts(dict(run.acts), dict(haunted.done), dict(run.by_replica), dict(run.odd))
    return Report(seconds, run.judge, counts, run.receipts, run.fleet.skewed)


def _enough(run: Run, seconds: float) -> bool:
    plan = run.plan
    return seconds > plan.most_seconds or (run.judge.operations >= plan.operations and seconds >= plan.seconds)


async def _converse(run: Run, door: Door) -> None:
    """One client at one door, which comes back when its line breaks."""
    while not run.stop.is_set():
        line = await _connected(run, door)
        for _ in range(LINE_LASTS):
            if line is None or line.broken or run.stop.is_set():
                break
            chosen = run.crowd.losing(FEW, time.monotonic()) if door.hot else run.crowd.some(AT_ONCE)
            if not chosen:
                await asyncio.sleep(0.005)
                continue
            run.by_replica[door.replica.name] += len(chosen)
            try:
                await asyncio.wait_for(line.ask(chosen, next(run.turns)), ANSWER_SECONDS)
            except TimeoutError:
                line.hang_up()
        if line:
            line.hang_up()


async def _connected(run: Run, door: Door) -> Line | None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            _, line = await asyncio.get_running_loop().create_connection(
                lambda: Line(run.judge, door.replica.name, run.odd), "127.0.0.1", door.port
            )
    except (OSError, TimeoutError):
        await asyncio.sleep(0.05)
        return None
    return line


async def _take(run: Run, quiet: asyncio.Event) -> None:
    """Take something from one person after another."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        while not quiet.is_set():
            if len(run.crowd.people) < run.plan.people // 2:
                await asyncio.sleep(0.02)
                continue
            turn = next(run.turns)
            person = run.crowd.take(newest=bool(turn % 2))
            chosen = acts.SLOW if turn % EVERY_HASH == 0 else acts.ACTS[turn % len(acts.ACTS)]
            await _one(run, http, chosen(person), turn)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(quiet.wait(), run.plan.pause)


async def _one(run: Run, http: aiohttp.ClientSession, act: acts.Act, turn: int) -> None:
    for holding in act.takes:
        run.judge.taking(holding, time.monotonic())
    run.crowd.watch(act.takes, over=False)  # reads that race with it
    receipt = await acts.do(http, run.fleet, act, run.admin, turn)
    returned = time.monotonic()
    if receipt is None:
        run.judge.perhaps_revoked()
        return
    run.acts[act.name] += 1
    if receipt >= 0:
        run.receipts.append(receipt)
    for holding in act.takes:
        run.judge.revoked(holding, returned)
    run.crowd.watch(act.takes, over=True)


async def _end_everything(run: Run) -> None:
    """The last act: the operator ends whatever is still alive."""
    everybody = tuple(run.crowd.living)
    for holding in everybody:
        run.judge.taking(holding, time.monotonic())
    if not await acts.end_everything(run.fleet):
        run.judge.perhaps_revoked()
        return
    returned = time.monotonic()
    run.acts["end everything"] += 1
    for holding in everybody:
        run.judge.revoked(holding, returned)


async def _grow(run: Run, connection: Any, quiet: asyncio.Event) -> None:
    while not quiet.is_set():
        missing = run.plan.people - len(run.crowd.people)
        if missing > crowd.BATCH // 2:
            await run.crowd.grow(connection, missing)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(quiet.wait(), 0.05)
