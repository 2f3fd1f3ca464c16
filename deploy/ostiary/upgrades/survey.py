"""What an upgrade finds: where the database stands, what is to be done, and who is at work on it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ostiary.database import REPLICAS
from ostiary_shared import migrations
from ostiary_shared.database import connect
from ostiary_shared.migrations import chain
from ostiary_shared.migrations.chain import Step
from ostiary_shared.release import VERSION

FIRST = "0.1.0"  # the one release that did not yet tell the database which it is
_CONNECTED = "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()"
_OURS = re.compile(r"ostiary-(auth|admin|courier)(?: (\d+\.\d+\.\d+))?")


@dataclass(frozen=True, slots=True)
class Running:
    """A service of a release that is connected to the database."""

    service: str
    release: str

    def __str__(self) -> str:
        return f"{self.service} {self.release}"


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found. `release` is the oldest whose code knows the whole schema that is there."""

    revision: str
    release: str
    head: str
    pending: tuple[Step, ...]
    running: tuple[Running, ...]
    replicas: tuple[str, ...]
    size: int

    @property
    def skipped(self) -> tuple[str, ...]:
        """Releases between the one that made the schema and ours, whose schemas are passed through."""
        return tuple(dict.fromkeys(step.since for step in self.pending if step.since != VERSION))

    @property
    def strangers(self) -> tuple[str, ...]:
        """Why the services that run could not go on serving afterwards, one sentence each."""
        return tuple(sentence for one in self.running if (sentence := _strange(one, self.pending)))

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "from": {"release": self.release, "revision": self.revision},
            "to": {"release": VERSION, "revision": self.head},
            "skipped": list(self.skipped),
            "pending": [
                {"revision": step.revision, "title": step.title, "since": step.since, "lives_with": step.lives_with}
                for step in self.pending
            ],
            "running": [{"service": one.service, "release": one.release} for one in self.running],
            "replicas": list(self.replicas),
            "database_bytes": self.size,
        }


async def look(url: str, state: migrations.MigrationState) -> Survey:
    """Read it all, changing nothing."""
    connection = await connect(url, timeout=10)
    try:
        names = [row[0] for row in await connection.fetch(_CONNECTED)]
        known = await connection.fetchval("SELECT to_regclass('replicas') IS NOT NULL")
        replicas = [row[0] for row in await connection.fetch(REPLICAS)] if known else []
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
    finally:
        await connection.close(timeout=5)
    running = tuple(sorted(set(_running(names)), key=str))
    revision = state.current or ""
    return Survey(
        revision, _made_by(revision), state.head, state.pending, running, tuple(replicas), size
    )  # fmt: skip


def _running(names: Iterable[str | None]) -> Iterable[Running]:
    for name in names:
        if found := _OURS.fullmatch(name or ""):
            yield Running(found[1], found[2] or FIRST)


def _made_by(revision: str) -> str:
    """The newest release whose schema this is, as far as this code knows: later ones may have changed nothing."""
    return chain.release_of(revision)


def _strange(one: Running, pending: tuple[Step, ...]) -> str:
    if chain.numbered(one.release) > chain.numbered(VERSION):
        return f"{one} runs, which is newer than this release, {VERSION}: upgrade with the code of {one.release}."
    known = chain.head_of(one.release)
    unfit = [step for step in pending if step.lives_with > known]
    if not unfit:
        return ""
    first = unfit[0]
    return (
        f"{one} runs and cannot serve on revision {first.revision}: stop it before the upgrade, or upgrade to the "
        f"release that brought revision {first.lives_with} first, and roll the services to that."
    )
