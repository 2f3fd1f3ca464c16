"""Who opens this? The rule of a site that would decide over a request, and what it would say to a person. No trace."""

from dataclasses import dataclass

from ostiary_admin.queries.sites import SiteWithRules
from ostiary_admin.tools import AdminWork
from ostiary_shared import site_address
from ostiary_shared.access import Asks, Decision, Requirement, decide
from ostiary_shared.errors import FieldError, Invalid
from ostiary_shared.identity import Account, Presented
from ostiary_shared.networks import address_of
from ostiary_shared.site_rules import AskedOf, Door, as_if_signed_in, asked_by, told_as_if
from ostiary_shared.store import sessions, users


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a site: a path, with a query or without, by whom and from where; both may be left open."""

    path: str
    method: str
    email: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What the deciding rule asks for. `decision` is there when it was asked about a person.

    With `depends_on_address` neither tells much: another rule may decide, depending on where the visitor comes from.
    """

    requirement: Requirement
    decision: Decision | None = None
    depends_on_address: bool = False


async def of(work: AdminWork, site: SiteWithRules, asked: Request) -> Tried:
    """What the gate would say, to the session that the person used last. Raises Invalid naming what is wrong.

    Whoever is not signed in anywhere is told of as if they had just signed in, as by `explain`.
    """
    faults = []
    if objection := site_address.objection_to_uri(asked.path):
        faults.append(FieldError("path", f"Please enter the part of the address behind the host: {objection}."))
    if site_address.objection_to_method(asked.method):
        faults.append(FieldError("method", "Please enter a method such as GET."))
    origin = address_of(asked.address)
    if asked.address and origin is None:
        faults.append(FieldError("address", "Please enter an IP address such as 192.0.2.7."))
    account = await _account(work, asked.email) if asked.email else None
    if asked.email and account is None:
        faults.append(FieldError("email", "Nobody has this address."))
    if faults:
        raise Invalid(*faults)
    door = Door(site.name, site.host, site.rules)
    requirement = asked_by(door, AskedOf(asked.path.partition("?")[0], asked.method, origin))
    depends = requirement.asks is Asks.UNTOLD
    if account is None or depends:
        return Tried(requirement, depends_on_address=depends)
    return Tried(requirement, await _decision(work, account, requirement))


async def _decision(work: AdminWork, account: Account, requirement: Requirement) -> Decision:
    living = await sessions.living(work.session, account.id, work.now)
    if not living:
        return told_as_if(decide(as_if_signed_in(account, work.now), requirement, work.now))
    presented = Presented(carried=True, session=sessions.facts(living[0]), account=account)
    return decide(presented, requirement, work.now)


async def _account(work: AdminWork, email: str) -> Account | None:
    user = await users.find(work.session, email)
    return await users.account(work.session, user.id, work.now) if user else None
