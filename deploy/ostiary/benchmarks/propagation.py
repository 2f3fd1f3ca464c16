"""How soon a revocation is in force in eight processes, at 20, 200 and 1,000 a second, and how long receipts take."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from ostiary.benchmarks import people, world
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.figures import Finding, percentile
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import World
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions, make_engine, make_sessions
from ostiary_shared.store import sessions as session_rows
from ostiary_shared.work import Caller, open_work

NAMES = ("propagation",)
LISTENERS = 8
RATES = (20, 200, 1_000)
RECEIPTS = 10  # a second, beside the others
ROUNDS = 2.5  # times as long as a turn: at 20 a second a turn alone would hold too few
HANDS = 8  # connections that revoke
START_SECONDS = 30.0
KEY_HEX = 32
P99_MS = 15.0
REVOKE = "UPDATE sessions SET ended_at = now(), ended_reason = 'a measurement' WHERE token_digest = $1"


@dataclass
class Revoked:
    """When each token, by its key in hex, was revoked: begun, committed, and, with a receipt, in force everywhere."""

    begun: dict[str, float] = field(default_factory=dict)
    committed: dict[str, float] = field(default_factory=dict)
    in_force: dict[str, float] = field(default_factory=dict)


def measure(built: World, terms: Terms) -> Iterator[Finding]:
    """The figures of each rate."""
    seconds = ROUNDS * terms.seconds
    for rate in RATES:
        wanted = int((rate + RECEIPTS) * seconds) + LISTENERS
        minted = deque(people.more_sessions(built.owner, built.session_key, built.people, wanted))
        listeners = [_listener(built, number) for number in range(LISTENERS)]
        try:
            _until_registered(built)
            revoked = asyncio.run(_revoke(built, minted, rate, seconds))
            time.sleep(1)  # for what is late; it counts with its own time
        finally:
            heard = [_told(listener) for listener in listeners]
        yield from _figures(rate, revoked, heard)


def _listener(built: World, number: int) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "ostiary.benchmarks.listener", built.auth, f"bench-{number}"]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _told(listener: "subprocess.Popen[str]") -> dict[str, float]:
    said, _ = listener.communicate()
    heard: dict[str, float] = json.loads(said) if said else {}
    return heard


def _until_registered(built: World) -> None:
    """Wait until every listener hears its own heartbeats."""
    deadline = time.monotonic() + START_SECONDS
    while world.execute(built.owner, "SELECT count(*) FROM replicas WHERE beats > 1")[0][0] < LISTENERS:
        if time.monotonic() > deadline:
            raise Unmeasured("the listeners did not register")
        time.sleep(0.1)


async def _revoke(built: World, minted: deque[str], rate: int, seconds: float) -> Revoked:
    revoked = Revoked()
    engine = make_engine(built.auth, "bench")
    try:
        async with contextlib.AsyncExitStack() as stack:
            hands: list[Any] = [await asyncpg.connect(built.auth) for _ in range(HANDS)]
            for hand in hands:
                stack.push_async_callback(hand.close)
            until = time.monotonic() + seconds
            await asyncio.gather(
                _with_receipts(make_sessions(engine), minted, revoked, until),
                *(_by_hand(hand, minted, revoked, (rate / HANDS, number, until)) for number, hand in enumerate(hands)),
            )
    finally:
        await engine.dispose()
    return revoked


async def _by_hand(hand: Any, minted: deque[str], revoked: Revoked, pace: tuple[float, int, float]) -> None:
    rate, number, until = pace
    due = time.monotonic() + number / rate / HANDS
    while due < until and minted:
        await asyncio.sleep(due - time.monotonic())
        due += 1 / rate
        digest = tokens.digest(minted.popleft())
        key = digest.hex()[:KEY_HEX]
        revoked.begun[key] = time.monotonic()
        await hand.execute(REVOKE, digest)
        revoked.committed[key] = time.monotonic()


async def _with_receipts(opened: Sessions, minted: deque[str], revoked: Revoked, until: float) -> None:
    """As the services do it: the block is left when no replica grants the session any more."""
    while time.monotonic() < until and minted:
        digest = tokens.digest(minted.popleft())
        key = digest.hex()[:KEY_HEX]
        revoked.begun[key] = time.monotonic()
        async with open_work(opened, tools=None, caller=Caller.at_the_machine()) as work:
            await session_rows.end_by_token(work.session, digest, clock.now(), "a measurement")
        revoked.in_force[key] = time.monotonic()
        await asyncio.sleep(1 / RECEIPTS)


def _figures(rate: int, revoked: Revoked, heard: Sequence[Mapping[str, float]]) -> Iterator[Finding]:
    name, says = f"propagation-{rate}", f"{rate:,} revocations a second, eight processes"
    aim = P99_MS if rate == max(RATES) else None
    known = {key: [times[key] for times in heard if key in times] for key in revoked.begun}
    everywhere = [
        1e3 * (max(known[key]) - begun) for key, begun in revoked.begun.items() if len(known[key]) == len(heard)
    ]
    receipts = [1e3 * (at - revoked.begun[key]) for key, at in revoked.in_force.items()]
    late = sum(time > at for key, at in revoked.in_force.items() for time in known[key])
    yield Finding(f"{name}-p50", f"{says}: in force in all, p50", percentile(everywhere, 50), "ms")
    yield Finding(f"{name}-p99", f"{says}: in force in all, p99", percentile(everywhere, 99), "ms", at_most=aim)
    yield Finding(f"{name}-max", f"{says}: in force in all, the slowest", max(everywhere, default=0.0), "ms")
    missed = sum(len(heard) - len(times) for times in known.values())
    yield Finding(f"{name}-missed", f"{says}: never heard, of {len(known) * len(heard):,}", missed, at_most=0)
    yield Finding(f"{name}-stale", f"{says}: forgotten after the receipt", late, at_most=0)
    yield Finding(f"{name}-receipt-p50", f"{says}: a receipt takes, p50", percentile(receipts, 50), "ms")
    yield Finding(f"{name}-receipt-p99", f"{says}: a receipt takes, p99", percentile(receipts, 99), "ms")
