"""Sample people, roles and sites for `up --demo`: enough to see every list and state, added only on request."""

from dataclasses import dataclass
from datetime import timedelta

from ostiary_auth.tools import AuthWork
from ostiary_shared.events import Event
from ostiary_shared.models import Site, SiteRule
from ostiary_shared.permissions import END_USER, Permission
from ostiary_shared.store import audit, passwords, roles, sites, users
from ostiary_shared.store.audit import Target

REASON = "sample"
ROLES = {
    "editor": ("Writes and corrects pages of the team wiki.", frozenset[Permission]()),
    "billing": ("Sees the invoices in the shop.", frozenset[Permission]()),
    "helpdesk": ("Answers questions: sees people and why somebody was refused.", frozenset({
        Permission.USERS_READ, Permission.DENIALS_READ,
    })),
}  # fmt: skip
SITES = {
    ("Team wiki", "wiki.localhost"): (
        ("/public/", "anyone", ""),
        ("/editor/", "role", "editor"),
        ("/", "signed_in", ""),
    ),
    ("Shop", "shop.localhost"): (("/invoices/", "role", "billing"), ("/", "anyone", "")),
}


@dataclass(frozen=True)
class Sample:
    """Somebody who never existed."""

    name: str
    days: int  # since they joined
    seen: int | None = None  # hours since they were here
    roles: tuple[str, ...] = ()
    confirmed: bool = True
    locked: str = ""

    @property
    def email(self) -> str:
        """First name, at a domain that can never be anybody's (RFC 2606)."""
        return f"{self.name.split()[0].lower()}@example.test"


PEOPLE = (
    Sample("Amara Okafor", 412, 2, ("editor", "helpdesk")),
    Sample("Bruno Keller", 398, 30, ("editor",)),
    Sample("Chiara Fontana", 371, 5, ("billing",)),
    Sample("Daniel Osei", 350, 700),
    Sample("Elif Demir", 333, 1, ("support",)),
    Sample("Farid Haddad", 301, 52, ("auditor",)),
    Sample("Greta Lindqvist", 290, 12, ("editor", "billing")),
    Sample("Hiroshi Tanaka", 266, 3400),
    Sample("Ingrid Solberg", 251, 90, locked="Reported a stolen laptop; call before unlocking."),
    Sample("Joaquin Reyes", 230, 8),
    Sample("Kateryna Bondar", 214, 20, ("helpdesk",)),
    Sample("Liam Byrne", 199, 400),
    Sample("Mei Chen", 180, 4, ("editor",)),
    Sample("Nadia Rahman", 166, 26),
    Sample("Oskar Nowak", 150, 1900, locked="Left the company in spring."),
    Sample("Priya Raman", 131, 6, ("billing",)),
    Sample("Quentin Moreau", 118, 48),
    Sample("Rosa Almeida", 97, 15, ("editor",)),
    Sample("Samuel Adeyemi", 76, 33),
    Sample("Tereza Novotna", 54, 7),
    Sample("Umar Siddiqui", 31, 72),
    Sample("Vera Petrova", 12, None),
    Sample("Wen Li", 3, None, confirmed=False),
    Sample("Ximena Duarte", 1, None, confirmed=False),
)


async def add(work: AuthWork, password: str) -> None:
    """Add all samples; those confirmed can sign in with `password`. What is there already stays as it is."""
    await roles.seed(work.session)
    for name, (description, permissions) in ROLES.items():
        if role := await roles.add(work.session, name, description, permissions):
            await audit.record(work, Event.ROLE_CREATED, Target(role.id, name), reason=REASON)
    for sample in PEOPLE:
        await _add_person(work, sample, password)
    for (name, host), rules in SITES.items():
        await _add_site(work, Site(name=name, host=host), rules)


async def _add_person(work: AuthWork, sample: Sample, password: str) -> None:
    joined = work.now - timedelta(days=sample.days)
    user = await users.add(work.session, sample.email, sample.name, joined if sample.confirmed else None)
    if user is None:
        return
    await audit.record(work, Event.USER_CREATED, Target(user.id, user.email), reason=REASON)
    seen = None if sample.seen is None else work.now - timedelta(hours=sample.seen)
    await users.change(work.session, user.id, created_at=joined, last_seen_at=seen)
    if sample.confirmed:
        await passwords.put(work.session, user.id, await work.tools.passwords.hash(password), joined)
    for name in (END_USER, *sample.roles):
        role = await roles.find(work.session, name)
        if role and await roles.grant(work.session, roles.Grant(user.id, role.id, REASON), joined):
            await audit.record(work, Event.ROLE_GRANTED, Target(user.id, user.email), reason=name)
    if sample.locked:
        await users.change(work.session, user.id, locked_at=work.now, locked_reason=sample.locked)
        await audit.record(work, Event.USER_LOCKED, Target(user.id, user.email), reason=sample.locked)


async def _add_site(work: AuthWork, site: Site, rules: tuple[tuple[str, str, str], ...]) -> None:
    if await sites.at(work.session, site.host):
        return
    work.session.add(site)
    await work.session.flush()
    wanted = [SiteRule(path_prefix=prefix, asks=asks, value=value, methods=[]) for prefix, asks, value in rules]
    await sites.replace_rules(work.session, site.id, wanted)
    await audit.record(work, Event.SITE_CREATED, Target(site.id, site.host), reason=REASON)
