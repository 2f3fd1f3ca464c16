"""What a door asks of whoever wants in, as a value and in words. Whether somebody meets it is decided in `access`."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Asks(StrEnum):
    """Who may enter."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    ROLE = "role"
    ANY_ROLE = "any_role"
    ALL_ROLES = "all_roles"
    PERMISSION = "permission"
    NOBODY = "nobody"  # no rule matched: closed unless opened
    NOWHERE = "nowhere"  # nobody has set up a site of that name
    UNTOLD = "untold"  # the rule asks where the visitor comes from, and nobody says


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a door asks for. `source` says in words where the demand is written down.

    `value` is the one role or permission, `roles` those of which any or all are asked for, `assurance` how strong
    the sign-in must be, and `fresh` how long ago it may be.
    """

    asks: Asks
    value: str = ""
    assurance: int = 1
    source: str = ""
    roles: tuple[str, ...] = ()
    fresh: timedelta | None = None

    def words(self) -> str:
        """The demand as part of a sentence."""
        strength = f", signed in at level {self.assurance} or higher" if self.assurance > 1 else ""
        age = f", signed in within {minutes(self.fresh)}" if self.fresh else ""
        return f"{_WORDS[self.asks].format(value=self.value, roles=', '.join(self.roles))}{strength}{age}"


SIGNED_IN = Requirement(Asks.SIGNED_IN)

_WORDS = {
    Asks.ANYONE: "anyone may enter",
    Asks.SIGNED_IN: "anyone signed in may enter",
    Asks.ROLE: "asks for the role {value}",
    Asks.ANY_ROLE: "asks for one of the roles {roles}",
    Asks.ALL_ROLES: "asks for all of the roles {roles}",
    Asks.PERMISSION: "asks for the permission {value}",
    Asks.NOBODY: "nobody may enter",
    Asks.NOWHERE: "nobody may enter",
    Asks.UNTOLD: "asks where the visitor comes from, which is not known",
}


def minutes(age: timedelta) -> str:
    """An age that somebody chose, in words: `1 minute`, `90 minutes`."""
    count = int(age.total_seconds() // 60)
    return "1 minute" if count == 1 else f"{count} minutes"
