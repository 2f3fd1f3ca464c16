"""The revisions in their order, and what each says of itself: since which release, and with whom it lives.

Each migration's module declares `since` (the release that brought it), `lives_with` (the oldest revision whose code may
go on serving on it) and `loses` (what going back would throw away), or `no_way_back`, a sentence.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection

HERE = Path(__file__).parent
# Called on the connection of a migration when a statement of it is done: with the statement, before the commit.
Observe = Callable[[Connection, str], object]


@dataclass(frozen=True, slots=True)
class Step:
    """One migration."""

    revision: str
    title: str
    since: str
    lives_with: str
    module: Path
    no_way_back: str = ""
    loses: dict[str, str] = field(default_factory=dict)
    """What would be lost, and the query that counts it."""


def config(connection: Connection | None = None, observe: Observe | None = None) -> Config:
    """Alembic's settings: where the chain is, the connection to run it on, and who is told of each statement."""
    made = Config()
    made.set_main_option("script_location", str(HERE))
    made.attributes["connection"] = connection
    made.attributes["observe"] = observe
    return made


def steps() -> tuple[Step, ...]:
    """All of them, the oldest first."""
    script = ScriptDirectory.from_config(config())
    return tuple(step_of(revision) for revision in reversed(list(script.walk_revisions())))


def step_of(revision: Script) -> Step:
    """What a revision's module says."""
    module = revision.module
    return Step(
        revision.revision,
        (revision.doc or "").rstrip("."),
        module.since,
        module.lives_with,
        Path(revision.path),
        getattr(module, "no_way_back", ""),
        getattr(module, "loses", {}),
    )


def release_of(revision: str | None) -> str:
    """The first release whose code knows the chain up to a revision; empty for an empty database or a later one."""
    return next((step.since for step in steps() if step.revision == revision), "")


def head_of(release: str) -> str:
    """The newest revision that a release knows; empty when this code does not know the release."""
    known = [step.revision for step in steps() if numbered(step.since) <= numbered(release)]
    return known[-1] if known and numbered(release) <= numbered(steps()[-1].since) else ""


def numbered(release: str) -> tuple[int, ...]:
    """A release's number, to be compared."""
    return tuple(int(part) for part in release.split("."))
