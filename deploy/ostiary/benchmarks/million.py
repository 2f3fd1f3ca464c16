"""Throughput with a million sessions remembered, beside ten thousand: one server each, alternating rounds."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import psutil

from ostiary.benchmarks import carried, contender, figures, machine, people, probe, requests, servers
from ostiary.benchmarks.contender import Contender, Expected
from ostiary.benchmarks.figures import Finding, Sample
from ostiary.benchmarks.requests import Target
from ostiary.benchmarks.servers import Auth
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import World

NAMES = ("million",)
FEW, MANY = 10_000, 1_000_000
AT_LEAST = 0.75
WARM_SECONDS = 900.0
# The gate signs an assertion twice a minute for everybody whom it lets in. A million people who all come twice a minute
# would measure the signing, so the gate is asked for `FEW` of them, from all over the crowd; the JSON for everybody.
ASKED = {"session": "session as JSON, everybody in turn", "gate": f"gate, {FEW:,} people from all over"}


@dataclass(frozen=True)
class Crowd:
    """A server that remembers all these tokens."""

    size: int
    pid: int
    port: int
    tokens: Sequence[str]

    def contenders(self, world: World) -> Iterator[Contender]:
        """One for each kind of question."""
        to, some = Target(self.port), self.tokens[:: max(1, len(self.tokens) // FEW)]
        session = (requests.get(to, "/api/v1/session", carried.cookie(token)) for token in self.tokens)
        gate = (requests.get(to, "/gate", carried.gate_headers(token)) for token in some)
        for kind, asked, says in (("session", session, {"": '"user"'}), ("gate", gate, {"remote-groups": "end-user"})):
            name = f"{kind}-{self.size}"
            file = requests.keep(world.folder / f"{name}.requests", asked)
            yield Contender(name, ASKED[kind], self.port, file, Expected(200, says), (self.pid,))


def measure(world: World, terms: Terms) -> Iterator[Finding]:
    """The share that remains, the size of each process, for both kinds of question."""
    with contextlib.ExitStack() as stack:
        crowds = [stack.enter_context(_crowd(world, size)) for size in (FEW, MANY)]
        everybody = [each for crowd in crowds for each in crowd.contenders(world)]
        for each in everybody:
            contender.check(each)
            contender.warm(each, WARM_SECONDS)
        rounds = []
        for _ in range(terms.rounds):
            machine.wait_for_quiet(machine.PATIENCE)
            rounds.append({each.name: contender.turn(each, terms.seconds, []) for each in everybody})
        yield from _figures(rounds)
        for crowd in crowds:
            size = psutil.Process(crowd.pid).memory_info().rss / 1e6
            yield Finding(f"million-size-{crowd.size}", f"auth process with {crowd.size:,} sessions", size, "MB")


@contextlib.contextmanager
def _crowd(world: World, size: int) -> Iterator[Crowd]:
    gate = servers.free_port()
    tokens = people.more_sessions(world.owner, world.session_key, world.people, size)
    room = {"OSTIARY_MEMORY_SESSIONS": str(2 * size)}
    with servers.auth(world, Auth(f"127.0.0.1:{gate}", settings=room)) as server:
        probe.until_there(gate, "the fast listener")
        yield Crowd(size, server.pid, gate, tokens)


def _figures(rounds: Sequence[Mapping[str, Sample]]) -> Iterator[Finding]:
    for kind, says in ASKED.items():
        few, many = f"{kind}-{FEW}", f"{kind}-{MANY}"
        for name, size in ((few, FEW), (many, MANY)):
            rate = median(turns[name].per_second for turns in rounds)
            yield Finding(f"million-{name}", f"{says}: a second, {size:,} remembered", rate, "/s")
        share = figures.ratio(rounds, many, few)
        yield Finding(f"million-{kind}", f"{says}: share that remains", share, "×", at_least=AT_LEAST)
        wrong = sum(turns[many].wrong + turns[few].wrong for turns in rounds)
        yield Finding(f"million-{kind}-wrong", f"{says}: wrong answers", wrong, at_most=0)
