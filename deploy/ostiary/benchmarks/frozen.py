"""How long the gate answers from memory when its line to the database falls silent without breaking."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator

from ostiary.benchmarks import carried, people, probe, requests, servers, world
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.figures import Finding
from ostiary.benchmarks.requests import Target
from ostiary.benchmarks.servers import Auth
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import World
from ostiary_shared import tokens

NAMES = ("frozen",)
LINE = "SELECT pid FROM pg_stat_activity WHERE application_name = 'ostiary-lease'"
REVOKE = "UPDATE sessions SET ended_at = now(), ended_reason = 'a measurement' WHERE token_digest = $1"
EVERY = 0.005  # seconds between two questions
LONGEST = 10.0
SETTLED = 1.5
AT_MOST_MS = 1_500.0


def measure(built: World, terms: Terms) -> Iterator[Finding]:
    """Freeze the line, revoke, and ask the gate until it has noticed; as often as there are rounds."""
    gate = servers.free_port()
    minted = people.more_sessions(built.owner, built.session_key, built.people, terms.rounds)
    with servers.auth(built, Auth(f"127.0.0.1:{gate}")):
        probe.until_there(gate, "the fast listener")
        windows = [_window(built, gate, token) for token in minted]
    says = f"line to the database frozen, then revoked: passed last after, worst of {len(windows)}"
    yield Finding("frozen", says, 1e3 * max(windows), "ms", at_most=AT_MOST_MS)


def _window(built: World, gate: int, token: str) -> float:
    """Seconds from the freeze to the last time that the revoked session was let in."""
    time.sleep(SETTLED)  # the line is in order again
    question = requests.get(Target(gate), "/gate/nginx", carried.gate_headers(token))
    with probe.connected(gate) as connection:
        if probe.asked(connection, question).status != 200:
            raise Unmeasured("the gate does not let a living session in")
        with _frozen(built):
            began = last = time.monotonic()
            world.execute(built.owner, REVOKE, tokens.digest(token))
            while time.monotonic() < began + LONGEST:
                if probe.asked(connection, question).status != 200:
                    return last - began
                last = time.monotonic()
                time.sleep(EVERY)
    raise Unmeasured(f"a revoked session is let in {LONGEST:g} s after the line was frozen")


@contextlib.contextmanager
def _frozen(built: World) -> Iterator[None]:
    """PostgreSQL's side of every line stands still: nothing is said, and nothing is closed."""
    pids = [row["pid"] for row in world.execute(built.superuser, LINE)]
    if not pids:
        raise Unmeasured("there is no line to freeze")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
