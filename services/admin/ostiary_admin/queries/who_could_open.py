"""Who could open a URL? The rule that decides over it, and everybody it would let in, as if they had just signed in."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, select

from ostiary_admin.queries import keyset, people
from ostiary_admin.queries.keyset import Asked, Page, Place
from ostiary_admin.tools import AdminWork
from ostiary_shared import site_address
from ostiary_shared.access import Asks, Check, Decision, Requirement, decide
from ostiary_shared.errors import FieldError, Invalid
from ostiary_shared.identity import Account
from ostiary_shared.models import Role, RoleGrant, RolePermission, User
from ostiary_shared.networks import Address
from ostiary_shared.site_rules import DEPENDS, AskedOf, Door, as_if_signed_in, asked_by
from ostiary_shared.store import sites, users


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request as it is typed: the whole address, the method, and from where if that is known."""

    url: str
    method: str = "GET"
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who could, and by what: a role and its grant, or simply being signed in."""

    id: UUID
    email: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The rule that decides and what it asks for. `everybody` means that nobody need sign in.

    `count` is how many could, counted no further than 10,001; `page` holds some of them. With `depends_on_address`
    the answer lacks where they come from: nobody is listed, and others may be let in from there.
    """

    rule: str
    demand: str
    everybody: bool
    count: int
    page: Page[Visitor]
    depends_on_address: bool = False


async def of(work: AdminWork, wanted: Wanted, place: Place) -> Answer:
    """The answer, with a page of people by their address. Raises Invalid naming `url` or `method`. Leaves no trace."""
    requirement = await _requirement(work, wanted)
    depends = requirement.asks is Asks.UNTOLD
    everybody = requirement.asks is Asks.ANYONE
    asked = _candidates(work, requirement)
    found, count = _NOBODY, 0
    if asked is not None:
        found = await _judged(work, requirement, asked, place)
        count = await keyset.count_up_to(work.session, asked) if found.items else 0
    return Answer(requirement.source, DEPENDS if depends else requirement.words(), everybody, count, found, depends)


async def _judged(work: AdminWork, requirement: Requirement, asked: Asked, place: Place) -> Page[Visitor]:
    page = await keyset.page_of(work.session, asked, people.ORDERS["email"], place, lambda row: UUID(str(row[0])))
    accounts = await users.accounts(work.session, page.items, work.now)
    judged = [(account, decide(as_if_signed_in(account, work.now), requirement, work.now)) for account in accounts]
    found = [_visitor(account, decision) for account, decision in judged if decision.allowed]
    return Page(found, page.next, page.previous) if found else _NOBODY


_NOBODY: Page[Visitor] = Page([], None, None)


async def _requirement(work: AdminWork, wanted: Wanted) -> Requirement:
    """What is asked for."""
    parts = site_address.parts_of(wanted.url)
    if parts is None:
        raise Invalid(FieldError("url", "Please enter the whole address, such as https://wiki.example.org/editor/."))
    host = site_address.without_default_port(parts.host.lower(), parts.scheme)
    if objection := site_address.objection_to_host(host) or site_address.objection_to_uri(parts.uri):
        raise Invalid(FieldError("url", f"The gate refuses this address from everybody: {objection}."))
    if site_address.objection_to_method(wanted.method):
        raise Invalid(FieldError("method", "Please enter a method such as GET."))
    found = await sites.with_rules(work.session, host)
    if found is None:
        return Requirement(Asks.NOWHERE, host, source=f"no site is set up for {host}")
    site, rules = found
    asked = AskedOf(parts.uri.partition("?")[0], wanted.method, wanted.address)
    return asked_by(Door(site.name, site.host, rules), asked)


def _candidates(work: AdminWork, requirement: Requirement) -> Asked | None:
    """Whom the decision may let in, so that it is not asked about all the others; None for nobody in particular."""
    match requirement.asks:
        case Asks.SIGNED_IN:
            holding: list[ColumnElement[bool]] = []
        case Asks.ROLE:
            holding = [Role.name == requirement.value]
        case Asks.ANY_ROLE:
            holding = [Role.name.in_(requirement.roles)]
        case Asks.ALL_ROLES:
            holding = [Role.name == name for name in requirement.roles]
        case Asks.PERMISSION:
            permitted = select(RolePermission.role_id).where(RolePermission.permission == requirement.value)
            holding = [Role.id.in_(permitted)]
        case _:
            return None
    usable = (User.deleted_at.is_(None), User.locked_at.is_(None), User.confirmed_at.is_not(None))
    held = select(RoleGrant.user_id).join(Role, Role.id == RoleGrant.role_id).where(*users.holds(work.now))
    return select(User.id).where(*usable, *(User.id.in_(held.where(which)) for which in holding))


def _visitor(account: Account, decision: Decision) -> Visitor:
    by = [step.seen for step in decision.steps if step.check in {Check.ROLE, Check.PERMISSION}]
    return Visitor(account.id, account.email, account.name, by[0] if by else "signed in")
