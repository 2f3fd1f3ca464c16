"""How many statements made-up tokens cost PostgreSQL: it writes each down, and they are counted."""

import contextlib
import re
import time
from collections.abc import Iterator

from ostiary import postgres_files
from ostiary.benchmarks import carried, load, probe, requests, servers, world
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.figures import Finding, Sample
from ostiary.benchmarks.generator import Order
from ostiary.benchmarks.requests import Target
from ostiary.benchmarks.servers import Auth
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import World

NAMES = ("statements",)
# The line on which auth hears what to forget beats four times a second, whatever is asked; it has another name.
STATEMENT = re.compile(r"^ostiary-auth[^:\n]* LOG:  (?:statement|execute)", re.MULTILINE)
RELOADED = 0.5  # seconds until every process of PostgreSQL has read its settings again
CONNECTIONS = 8
MADE_UP = 20_000
WARMING = 1.0  # seconds in which auth reads, once, what it asks of whom


def measure(built: World, terms: Terms) -> Iterator[Finding]:
    """Statements for each thousand made-up tokens."""
    gate = servers.free_port()
    with servers.auth(built, Auth(f"127.0.0.1:{gate}")):
        probe.until_there(gate, "the fast listener")
        if _sent(built, gate, WARMING).wrong:
            raise Unmeasured("a made-up token is not refused")
        with _written_down(built) as counted:
            sample = _sent(built, gate, terms.seconds)
        thousand = 1e3 * counted[0] / max(1, sample.requests)
    yield Finding("statements", f"statements for a thousand of {sample.requests:,} made-up tokens", thousand, at_most=0)


def _sent(built: World, gate: int, seconds: float) -> Sample:
    """Made-up tokens that were never seen before, sent at will."""
    made_up = (carried.gate_headers(token) for token in carried.garbage(MADE_UP))
    asked = (requests.get(Target(gate), "/gate/nginx", headers) for headers in made_up)
    file = requests.keep(built.folder / "statements.requests", asked)
    order = Order(gate, str(file), CONNECTIONS, seconds)
    return load.sample(load.finished(load.started(order)), refusals=True)


@contextlib.contextmanager
def _written_down(built: World) -> Iterator[list[int]]:
    """Let PostgreSQL write down all statements while the block runs; afterwards the list holds how many auth sent."""
    counted = [0]
    log = postgres_files.log(built.cluster.home)
    _tell(built, "log_line_prefix = '%a '", "log_statement = 'all'")
    before = log.stat().st_size
    try:
        yield counted
    finally:
        _tell(built, "log_statement = 'none'")
    with log.open("rb") as written:
        written.seek(before)
        counted[0] = len(STATEMENT.findall(written.read().decode(errors="replace")))


def _tell(built: World, *settings: str) -> None:
    for setting in settings:
        world.execute(built.superuser, f"ALTER SYSTEM SET {setting}")
    world.execute(built.superuser, "SELECT pg_reload_conf()")
    time.sleep(RELOADED)
