"""What many sessions have in common: roles, permissions, strength of the sign-in. Kept once and numbered."""

import json
from collections.abc import Sequence
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
    """Standing ↔ number."""

    def __init__(self) -> None:
        self.numbered: list[Standing] = []
        self._numbers: dict[Standing, int] = {}

    @property
    def full(self) -> bool:
        """Whether it is time to start afresh."""
        return len(self.numbered) >= MOST

    def number(self, who: Identity) -> int:
        """The number of somebody's standing."""
        key = Standing(who.roles, who.permissions, who.session.assurance)
        number = self._numbers.get(key)
        if number is None:
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
        listed(who.roles),
        listed(sorted(who.permissions)),
    )


def listed(words: Sequence[str]) -> bytes:
    """A list in JSON, as the app writes it."""
    return json.dumps(list(words), separators=(",", ":")).encode()
