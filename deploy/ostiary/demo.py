"""The samples of `up --demo`: people, roles and sites with a history, enough to see every list and state."""

from dataclasses import replace
from datetime import timedelta

from ostiary import demo_history as history
from ostiary.demo_people import PEOPLE, Sample
from ostiary_auth.tools import AuthWork
from ostiary_shared.events import Event
from ostiary_shared.models import Role, Site, SiteRule, User
from ostiary_shared.permissions import END_USER, Permission
from ostiary_shared.store import audit, passwords, roles, sessions, sites, users
from ostiary_shared.store.audit import Target

REASON = "sample"
ROLES = {
    "editor": ("Writes and corrects pages of the team wiki.", frozenset[Permission]()),
    "billing": ("Sees the invoices in the shop.", frozenset[Permission]()),
    "helpdesk": ("Answers questions: sees people and why somebody was refused.", frozenset({
        Permission.USERS_READ, Permission.DENIALS_READ,
    })),
}  # fmt: skip
# On this machine under other ports: cookies make no difference between ports, so one sign-in opens them all.
SITES = {
    ("Team wiki", history.WIKI): (
        ("/public/", "anyone", "", ()),
        ("/editor/", "role", "editor", ()),
        ("/", "signed_in", "", ()),
    ),
    ("Shop", history.SHOP): (
        ("/invoices/", "role", "billing", ()),
        ("/checkout/", "signed_in", "", ()),
        ("/", "anyone", "", ("GET",)),
    ),
}
Rules = tuple[tuple[str, str, str, tuple[str, ...]], ...]


async def add(work: AuthWork, password: str) -> None:
    """Add all samples; those confirmed can sign in with `password`. What is there already stays as it is."""
    await roles.seed(work.session)
    for name, (description, permissions) in ROLES.items():
        if role := await roles.add(work.session, name, description, permissions):
            await audit.record(work, Event.ROLE_CREATED, Target(role.id, name), reason=REASON)
    for (name, host), rules in SITES.items():
        await _add_site(work, Site(name=name, host=host), rules)
    if await users.find(work.session, PEOPLE[0].email):
        return
    # The same password, so the same hash: sixty of them would take seconds.
    hashed = await work.tools.passwords.hash(password)
    known = {name: await roles.find(work.session, name) for name in (END_USER, "support", "auditor", *ROLES)}
    for place, sample in enumerate(PEOPLE):
        await _add_person(work, place, hashed if sample.confirmed else "", known)
    for letter in history.LETTERS:
        await history.write(work, letter)
    for refused in history.REFUSALS:
        await history.refuse(work, refused)


async def _add_person(work: AuthWork, place: int, hashed: str, known: dict[str, Role | None]) -> None:
    sample = PEOPLE[place]
    then = replace(work, now=work.now - timedelta(days=sample.days))
    user = await users.add(work.session, sample.email, sample.name, then.now if sample.confirmed else None)
    if user is None:
        return
    await audit.record(then, Event.USER_CREATED, Target(user.id, user.email), reason=REASON)
    if hashed:
        await passwords.put(work.session, user.id, hashed, then.now)
    await _grant(then, user, sample, known)
    seen = None if sample.seen is None else work.now - timedelta(hours=sample.seen)
    await users.change(work.session, user.id, created_at=then.now, last_seen_at=seen)
    if sample.seen is not None and sample.seen < history.REMEMBERED_HOURS:
        await history.sign_in(work, user, place, sample.seen)
    if sample.locked or sample.deleted:
        await _shut_out(replace(work, now=work.now - timedelta(hours=(sample.seen or 0) // 2)), user, sample)


async def _grant(then: AuthWork, user: User, sample: Sample, known: dict[str, Role | None]) -> None:
    if everybody := known[END_USER]:
        await roles.grant(then.session, roles.Grant(user.id, everybody.id, "Every new person gets it."), then.now)
    for held in sample.holds:
        role, end = known[held.role], None
        if role is None:
            continue
        if held.days is not None:
            end = then.now + timedelta(days=sample.days + held.days)
        await roles.grant(then.session, roles.Grant(user.id, role.id, held.reason, expires_at=end), then.now)
        given = {"role": held.role} | ({"until": end.isoformat(timespec="minutes")} if end else {})
        target = Target(user.id, user.email)
        await audit.record(then, Event.ROLE_GRANTED, target, reason=held.reason, changes=({}, given))


async def _shut_out(then: AuthWork, user: User, sample: Sample) -> None:
    event = Event.USER_LOCKED if sample.locked else Event.USER_DELETED
    if sample.locked:
        await users.change(then.session, user.id, locked_at=then.now, locked_reason=sample.locked)
    else:
        await users.change(then.session, user.id, deleted_at=then.now)
    await sessions.end_all(then.session, user.id, then.now, f"the account was {event.rpartition(':')[2]}")
    await audit.record(then, event, Target(user.id, user.email), reason=sample.locked or sample.deleted)


async def _add_site(work: AuthWork, site: Site, rules: Rules) -> None:
    if await sites.at(work.session, site.host):
        return
    work.session.add(site)
    await work.session.flush()
    wanted = [
        SiteRule(path_prefix=prefix, asks=asks, value=value, methods=list(methods))
        for prefix, asks, value, methods in rules
    ]
    await sites.replace_rules(work.session, site.id, wanted)
    await audit.record(work, Event.SITE_CREATED, Target(site.id, site.host), reason=REASON)
