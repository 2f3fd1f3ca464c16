"""Every site and its rules in memory, until the database tells that they changed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from ostiary_shared.networks import Network
from ostiary_shared.site_rules import Door
from ostiary_shared.statements import Statements

_STATEMENT = """
    SELECT s.name, s.host, r.path_prefix, r.match, r.methods, r.networks, r.asks, r.value, r.roles, r.assurance,
        r.fresh_minutes
    FROM sites s LEFT JOIN site_rules r ON r.site_id = s.id ORDER BY s.host, r.position
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as `site_rules` reads it."""

    path_prefix: str
    match: str
    methods: Sequence[str]
    networks: Sequence[Network]
    asks: str
    value: str
    roles: Sequence[str]
    assurance: int
    fresh_minutes: int | None


class Sites:
    """Host → door. Reading them anew goes on until nothing has changed meanwhile."""

    def __init__(self) -> None:
        self.doors: dict[str, Door] | None = None
        self._version = 0
        self._loading: asyncio.Task[dict[str, Door]] | None = None

    def stale(self) -> None:
        """Forget them: something has changed, or may have."""
        self.doors = None
        self._version += 1

    async def load(self, statements: Statements) -> dict[str, Door]:
        """All of them, read by one for everybody who waits."""
        if self.doors is not None:
            return self.doors
        if self._loading is None:
            self._loading = asyncio.create_task(self._load(statements))
            self._loading.add_done_callback(self._loaded)
        return await asyncio.shield(self._loading)

    async def _load(self, statements: Statements) -> dict[str, Door]:
        while True:
            version = self._version
            doors = await read(statements)
            if version == self._version:
                self.doors = doors
                return doors

    def _loaded(self, task: "asyncio.Task[dict[str, Door]]") -> None:
        self._loading = None
        if not task.cancelled():
            task.exception()  # whoever waited has it, too


async def read(statements: Statements) -> dict[str, Door]:
    """All sites, from the database."""
    found: dict[str, tuple[str, list[Rule]]] = {}
    for name, host, path, *rest in await statements.rows(_STATEMENT):
        rules = found.setdefault(host, (name, []))[1]
        rules += [Rule(path, *rest)] if path is not None else []
    return {host: Door(name, host, rules) for host, (name, rules) in found.items()}
