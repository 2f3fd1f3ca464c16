"""What many sessions have in common: roles, permissions, strength of the sign-in. Kept once and numbered."""

import json
from dataclasses import dataclass, field

from ostiary_auth.gate.answers import groups_header
from ostiary_shared.identity import Identity

MOST = 20_000


@dataclass(frozen=True, slots=True)
class Standing:
    """The part of an identity that decides access, and how it is written in answers."""

    roles: tuple[str, ...]
    permissions: frozenset[str]
    assurance: int
    groups: bytes = field(compare=False, default=b"")
    roles_json: bytes = field(compare=False, default=b"")
    permissions_json: bytes = field(compare=False, default=b"")


class Standings:
    """Standing ↔ number. Full, it takes no more: then sessions are not remembered until all are forgotten."""

    def __init__(self) -> None:
        self.numbered: list[Standing] = []
        self._numbers: dict[Standing, int] = {}

    def number(self, who: Identity) -> int | None:
        """The number of somebody's standing; None when there is no room for another one."""
        key = Standing(who.roles, who.permissions, who.session.assurance)
        number = self._numbers.get(key)
        if number is None and len(self.numbered) < MOST:
            number = self._numbers[key] = len(self.numbered)
            self.numbered.append(_written(who))
        return number

    def clear(self) -> None:
        """Start afresh. Only together with forgetting every record that names a number."""
        self.numbered.clear()
        self._numbers.clear()


def _written(who: Identity) -> Standing:
    return Standing(
        who.roles,
        who.permissions,
        who.session.assurance,
        groups_header(who).encode(),
        _json(list(who.roles)),
        _json(sorted(who.permissions)),
    )


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
