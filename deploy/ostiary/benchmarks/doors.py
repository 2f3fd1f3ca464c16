"""The gate and the session's JSON by both doors: the fast listener, and the main port before it comes to Quart."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle

from ostiary.benchmarks import carried, requests, servers
from ostiary.benchmarks.contender import Contender, Expected
from ostiary.benchmarks.requests import Target
from ostiary.benchmarks.servers import Auth
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import World

GARBAGE = 5_000
FORMS = 12_000  # more than are remembered
FAST, MAIN = "fast listener", "main port"
REMEMBERED = {
    "gate-fast": f"gate, session remembered, {FAST}",
    "gate-asgi": f"gate, session remembered, {MAIN}",
    "gate-forms": f"gate, session remembered, every question of a form of its own, {FAST}",
    "session-fast": f"session as JSON, {FAST}",
    "session-asgi": f"session as JSON, {MAIN}",
    "garbage": f"gate, made-up tokens: 401, {FAST}",
    "nobody": f"gate, no token: 401, {FAST}",
}
PLAIN = {"gate-layer": "gate, session remembered, by uvicorn as it is"}
FORGOTTEN = {
    "miss-fast": f"gate, nothing remembered, {FAST}",
    "miss-asgi": f"gate, nothing remembered, {MAIN}",
}
NAMES = (*REMEMBERED, *PLAIN, *FORGOTTEN)
# Room for one alone, and it is always somebody else.
NO_MEMORY = {"OSTIARY_MEMORY_SESSIONS": "1"}


@dataclass(frozen=True)
class Doors:
    """An auth server with one worker, and where its doors are."""

    world: World
    pid: int
    ports: dict[str, int]

    def contender(self, name: str, door: str, sent: Iterable[bytes], expected: Expected) -> Contender:
        file = requests.keep(self.world.folder / f"{name}.requests", sent)
        says = (REMEMBERED | PLAIN | FORGOTTEN)[name]
        return Contender(name, says, self.ports[door], file, expected, (self.pid,))

    def to(self, door: str) -> Target:
        return Target(self.ports[door])


@contextlib.contextmanager
def contenders(world: World, terms: Terms) -> Iterator[list[Contender]]:
    """Three auth servers: one that remembers, one that does so in uvicorn as it is, one that does not remember."""
    found: list[Contender] = []
    with contextlib.ExitStack() as stack:
        if terms.wants(*REMEMBERED):
            doors = stack.enter_context(_opened(world, {}))
            found += [*_hits(doors), *_refusals(doors)]
        if terms.wants(*PLAIN):
            server = stack.enter_context(servers.auth(world, Auth(plain=True)))
            doors = Doors(world, server.pid, {"layer": server.port})
            found.append(doors.contender("gate-layer", "layer", _asked(doors, "layer"), passed(world)))
        if terms.wants(*FORGOTTEN):
            found += _misses(stack.enter_context(_opened(world, NO_MEMORY)))
        yield [contender for contender in found if terms.wants(contender.name)]


@contextlib.contextmanager
def _opened(world: World, settings: dict[str, str]) -> Iterator[Doors]:
    gate = servers.free_port()
    with servers.auth(world, Auth(f"127.0.0.1:{gate}", settings=settings)) as server:
        yield Doors(world, server.pid, {"fast": gate, "asgi": server.port})


def passed(world: World) -> Expected:
    """What the gate says of the first of all people."""
    first = world.people[0]
    return Expected(200, {"remote-user": str(first.id), "remote-email": first.email, "remote-groups": "end-user"})


def asking(world: World, to: Target) -> Iterator[bytes]:
    """The gate's question about each of all people."""
    return (requests.get(to, "/gate", carried.gate_headers(person.token)) for person in world.people)


def _hits(doors: Doors) -> Iterator[Contender]:
    told = Expected(200, {"": doors.world.people[0].email})
    for door in doors.ports:
        yield doors.contender(f"gate-{door}", door, _asked(doors, door), passed(doors.world))
    yield doors.contender("gate-forms", "fast", _of_many_forms(doors), passed(doors.world))
    for door in doors.ports:
        cookies = (carried.cookie(person.token) for person in doors.world.people)
        sent = (requests.get(doors.to(door), "/api/v1/session", cookie) for cookie in cookies)
        yield doors.contender(f"session-{door}", door, sent, told)


def _asked(doors: Doors, door: str) -> Iterator[bytes]:
    return asking(doors.world, doors.to(door))


def _of_many_forms(doors: Doors) -> Iterator[bytes]:
    """As if each came from a browser of another make."""
    everybody = cycle(doors.world.people)
    for number, person in zip(range(FORMS), everybody, strict=False):
        headers = carried.gate_headers(person.token) | {"Accept-Language": f"en;q=0.{number}"}
        yield requests.get(doors.to("fast"), "/gate", headers)


def _refusals(doors: Doors) -> Iterator[Contender]:
    asked = [carried.gate_headers(token) for token in carried.garbage(GARBAGE)]
    for name, headers in (("garbage", asked), ("nobody", [carried.gate_headers()])):
        sent = (requests.get(doors.to("fast"), "/gate/nginx", each) for each in headers)
        yield doors.contender(name, "fast", sent, Expected(401))


def _misses(doors: Doors) -> Iterator[Contender]:
    for door in doors.ports:
        yield doors.contender(f"miss-{door}", door, asking(doors.world, doors.to(door)), passed(doors.world))
