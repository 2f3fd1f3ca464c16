"""Is a process ready for work, and what is wrong with it? Each part says so itself, in words.

`vital` parts decide whether it is sent any work; the others are told, and are nothing that sending it none would mend.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ostiary_shared import metrics

# What is wrong with a part now, for the operator; empty when it is well.
Check = Callable[[], Awaitable[str]]

ENDING = "This process was told to end."

_WELL = metrics.gauge(
    "ostiary_check_ok",
    "1 while a part is well, 0 while it is not; /readyz on the internal port says why.",
    "service",
    "check",
    over_processes="livemin",
)


@dataclass(frozen=True, slots=True)
class Report:
    """What each part said."""

    vital: dict[str, str]
    told: dict[str, str]

    @property
    def ready(self) -> bool:
        """Whether work may be sent here."""
        return not any(self.vital.values())

    def to_json(self) -> dict[str, object]:
        """The report for people and programs: `reason` is why not."""
        parts = self.vital | self.told
        found = {name: {"ok": False, "reason": why} if why else {"ok": True} for name, why in parts.items()}
        if self.ready:
            return {"status": "ready", "checks": found}
        return {"status": "not ready", "reason": " ".join(filter(None, self.vital.values())), "checks": found}


@dataclass(frozen=True, slots=True)
class Health:
    """The parts of this process, by name; once it is `ending`, it is sent no more work."""

    vital: dict[str, Check] = field(default_factory=dict)
    told: dict[str, Check] = field(default_factory=dict)
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    async def report(self) -> Report:
        """Ask every part, one after the other; each answers in seconds whatever is wrong."""
        ending = {"ending": ENDING} if self.ending.is_set() else {}
        report = Report(
            {name: await check() for name, check in self.vital.items()} | ending,
            {name: await check() for name, check in self.told.items()},
        )
        for name, why in (report.vital | report.told).items():
            _WELL.labels(metrics.service(), name).set(0 if why else 1)
        return report
