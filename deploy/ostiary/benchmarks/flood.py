"""The gate while sign-ins flood in at ten times what can be hashed: its slowest answers, calm and during the flood."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from ostiary.benchmarks import carried, load, machine, probe, requests, servers, sign_ins
from ostiary.benchmarks.figures import Finding, Sample
from ostiary.benchmarks.generator import Order
from ostiary.benchmarks.requests import Target
from ostiary.benchmarks.servers import Auth
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import World

NAMES = ("flood",)
PROBES = 200.0  # a second: enough to see, too few to weigh
PROBING, FLOODING = 8, 256  # connections
TIMES = 10.0
AT_MOST = 4.0
REMEMBERED = 500
RISING = 0.5  # seconds until a flood is one


def measure(world: World, terms: Terms) -> Iterator[Finding]:
    """Medians of calm and flooded rounds, which alternate."""
    gate = servers.free_port()
    rate = TIMES * sign_ins.bare(terms.seconds)
    with servers.auth(world, Auth(f"127.0.0.1:{gate}", core=None, settings=sign_ins.settings())) as server:
        probe.until_there(gate, "the fast listener")
        probing = Order(gate, str(_questions(world, gate)), PROBING, terms.seconds, PROBES)
        flooding = Order(
            server.port,
            str(sign_ins.requests_of(world, Target(server.port))),
            FLOODING,
            terms.seconds + 2 * RISING,
            rate,
        )
        _probed(probing)
        calm, flooded = [], []
        for _ in range(terms.rounds):
            machine.wait_for_quiet(machine.PATIENCE)
            calm.append(_probed(probing))
            flooded.append(_flooded(probing, flooding))
    yield from _figures(rate, calm, flooded)


def _questions(world: World, gate: int) -> Path:
    asked = (
        requests.get(Target(gate), "/gate/nginx", carried.gate_headers(person.token))
        for person in world.people[:REMEMBERED]
    )
    return requests.keep(world.folder / "flood.requests", asked)


def _probed(probing: Order) -> Sample:
    return load.sample(load.finished(load.started(probing)), refusals=False)


def _flooded(probing: Order, flooding: Order) -> tuple[Sample, int]:
    """The probe within a flood, and how many of the flood got in."""
    flood = load.started(flooding)
    time.sleep(RISING)
    sample = _probed(probing)
    return sample, load.finished(flood)["statuses"].get("200", 0)


def _figures(rate: float, calm: list[Sample], flooded: list[tuple[Sample, int]]) -> Iterator[Finding]:
    samples = [sample for sample, _ in flooded]
    times = [after.p99_ms / before.p99_ms for before, after in zip(calm, samples, strict=True) if before.p99_ms]
    yield Finding("gate-calm-p50", "gate, calm: p50", median(sample.p50_ms for sample in calm), "ms")
    yield Finding("gate-calm-p99", "gate, calm: p99", median(sample.p99_ms for sample in calm), "ms")
    says = f"gate, {rate:,.0f} sign-ins a second asked for"
    yield Finding("gate-flood-p50", f"{says}: p50", median(sample.p50_ms for sample in samples), "ms")
    yield Finding("gate-flood-p99", f"{says}: p99", median(sample.p99_ms for sample in samples), "ms")
    yield Finding("gate-flood/calm", f"{says}: p99, times calm", median(times or [0.0]), "×", at_most=AT_MOST)
    yield Finding("gate-flood-wrong", f"{says}: wrong answers of the gate", sum(s.wrong for s in samples), at_most=0)
    yield Finding("flood-let-in", f"{says}: let in, a round", median(count for _, count in flooded))
