"""Sign-ins beside the bare hashes they are made of: the same build, figures and threads, in alternating rounds."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from ostiary.benchmarks import carried, load, machine, probe, requests, servers
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.figures import Finding
from ostiary.benchmarks.generator import Order
from ostiary.benchmarks.hashing import PASSWORD
from ostiary.benchmarks.requests import Target
from ostiary.benchmarks.servers import Auth
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import World

NAMES = ("sign-ins",)
CONNECTIONS = 16
AT_LEAST = 0.9


def threads() -> int:
    """How many hashes are computed at once, on both sides: one core is left to everything else."""
    return max(1, machine.cores() - 1)


def settings() -> dict[str, str]:
    """What tells auth the same."""
    return {"OSTIARY_ARGON2_THREADS": str(threads())}


def bare(seconds: float) -> float:
    """Hashes a second that a process does which does nothing else."""
    words = [sys.executable, "-m", "ostiary.benchmarks.hashing", str(threads()), str(seconds)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Unmeasured(f"hashing alone failed: {done.stderr.strip()[-300:]}")
    return float(json.loads(done.stdout))


def requests_of(world: World, to: Target) -> Path:
    """Everybody's sign-in, each from an address of its own, so that no limit of an office is met."""
    file = world.folder / "sign-in.requests"
    asked = []
    for number, person in enumerate(world.people):
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        body = json.dumps({"email": person.email, "password": PASSWORD}).encode()
        asked.append(requests.post(to, "/api/v1/login", {"X-Forwarded-For": address}, body))
    return requests.keep(file, asked)


def check(port: int, file: Path) -> None:
    """See that somebody gets in."""
    answer = probe.ask(port, requests.kept(file)[-1])
    if answer.status != 200 or carried.COOKIE not in answer.headers.get("set-cookie", ""):
        raise Unmeasured(f"a sign-in is answered by {answer.status}: {answer.body[:200]}")


def measure(world: World, terms: Terms) -> Iterator[Finding]:
    """Sign-ins a second, bare hashes a second, and the median of their ratios."""
    rates, hashes, wrong = [], [], 0
    with servers.auth(world, Auth(core=None, settings=settings())) as server:
        file = requests_of(world, Target(server.port))
        check(server.port, file)
        for _ in range(terms.rounds):
            machine.wait_for_quiet(machine.PATIENCE)
            hashes.append(bare(terms.seconds))
            sample = load.made(Order(server.port, str(file), CONNECTIONS, terms.seconds), core=None)
            rates.append(sample.per_second)
            wrong += sample.wrong
    says = f"{threads()} hashing at once, argon2id 19 MiB t=2"
    yield Finding("sign-ins", f"sign-ins a second, {says}", median(rates), "/s")
    yield Finding("hashes", f"bare hashes a second, {says}", median(hashes), "/s")
    shares = [rate / hashed for rate, hashed in zip(rates, hashes, strict=True) if hashed]
    yield Finding("sign-ins/hashes", "sign-ins: share of the bare hashes", median(shares), "×", at_least=AT_LEAST)
    yield Finding("sign-ins-wrong", "sign-ins that were refused or lost", wrong, at_most=0)
