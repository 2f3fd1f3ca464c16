"""What could somebody open? Every rule of every site, decided for one person as if they had just signed in."""

from dataclasses import dataclass
from uuid import UUID

from ostiary_admin.queries.sites import RuleRow, SiteWithRules
from ostiary_admin.queries.sites import with_rules as sites_with_rules
from ostiary_admin.tools import AdminWork
from ostiary_shared.access import Check, Decision, Requirement, decide
from ostiary_shared.errors import NotFound
from ostiary_shared.identity import Account
from ostiary_shared.site_rules import Door, as_if_signed_in, demanded
from ostiary_shared.store import users


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a site by its rule: whether it opens, what was found, and what would open it."""

    number: int
    rule: RuleRow
    open: bool
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A site, part by part, in the order in which its rules are asked. What no rule covers is closed to everybody."""

    id: UUID
    name: str
    host: str
    parts: list[Part]

    @property
    def opening(self) -> int:
        """How many of its parts open."""
        return sum(part.open for part in self.parts)


async def of(work: AdminWork, user_id: UUID) -> list[Opened]:
    """The answer for one person. Raises NotFound. Leaves no trace."""
    account = await users.account(work.session, user_id, work.now)
    if account is None:
        raise NotFound("There is no such person.")
    return [_opened(work, site, account) for site in await sites_with_rules(work)]


async def whom(work: AdminWork, who: str) -> UUID:
    """The id of the person with this address or id. Raises NotFound."""
    user = await users.find(work.session, who.strip()) if "@" in who and who.isprintable() else None
    try:
        found = user.id if user else UUID(who)
    except ValueError:
        found = None
    if found is None or await users.get(work.session, found) is None:
        raise NotFound(f"Nobody here has the address or id {who}.")
    return found


def _opened(work: AdminWork, site: SiteWithRules, account: Account) -> Opened:
    door = Door(site.name, site.host, site.rules)
    presented = as_if_signed_in(account, work.now)
    parts = []
    for index, rule in enumerate(site.rules):
        requirement = demanded(door, index)
        parts.append(_part(index + 1, rule, requirement, decide(presented, requirement, work.now)))
    return Opened(site.id, site.name, site.host, parts)


def _part(number: int, rule: RuleRow, requirement: Requirement, decision: Decision) -> Part:
    """Told by the step that shut it, or by the role that opens it; else by what the rule says."""
    telling = [step for step in decision.steps if step.passed is False or step.check in {Check.ROLE, Check.PERMISSION}]
    if not telling:
        return Part(number, rule, decision.allowed, requirement.words(), "")
    return Part(number, rule, decision.allowed, f"{telling[0].title} {telling[0].seen}", telling[0].remedy)
