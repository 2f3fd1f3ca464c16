"""nginx answering `return 204`: what one core of this machine can do at all, and so the measure of everything else."""

import contextlib
from collections.abc import Iterator

from ostiary.benchmarks import requests, servers
from ostiary.benchmarks.carried import gate_headers
from ostiary.benchmarks.contender import Contender, Expected
from ostiary.benchmarks.requests import Target
from ostiary.benchmarks.terms import REFERENCE, Terms
from ostiary.benchmarks.world import World

SAYS = "nginx, return 204"
NAMES = (REFERENCE,)
HERE = "nginx-itself"


@contextlib.contextmanager
def contenders(world: World, _terms: Terms) -> Iterator[list[Contender]]:
    """nginx, sent the very requests that the gate gets."""
    port = servers.free_port()
    inside = f"server {{ listen 127.0.0.1:{port}; location / {{ add_header X-Bench {HERE}; return 204; }} }}"
    file = requests.keep(
        world.folder / "nginx.requests",
        (requests.get(Target(port), "/gate", gate_headers(person.token)) for person in world.people),
    )
    with servers.nginx(inside, port) as server:
        yield [Contender(REFERENCE, SAYS, port, file, Expected(204, {"x-bench": HERE}), (server.pid,))]
