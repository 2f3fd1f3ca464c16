"""The two questions of `explain` about many people or many doors: who could open this, what could they open."""

from dataclasses import asdict, dataclass

import click

from ostiary import acting
from ostiary.options import Asked, printable, show
from ostiary_admin.queries import could_open, who_could_open
from ostiary_admin.queries.could_open import Opened, Part
from ostiary_admin.queries.keyset import MANY, Place
from ostiary_admin.queries.who_could_open import Answer, Visitor, Wanted
from ostiary_admin.tools import AdminWork
from ostiary_shared.site_rules import EXACT

__all__ = ["Wanted", "doors_of", "who"]

MOST = 1000  # people that are listed: who wants to read on asks the console


@dataclass(frozen=True, slots=True)
class _Found:
    """The first page's answer, and the people of all pages up to MOST."""

    answer: Answer
    people: list[Visitor]


def who(where: Asked, wanted: Wanted) -> bool:
    """Print who could open an address; whether anybody could."""
    found = acting.as_admin(where, lambda work: _all(work, wanted))
    answer = found.answer
    told = {"rule": answer.rule, "demand": answer.demand, "everybody": answer.everybody, "count": answer.count}
    told["depends_on_address"] = answer.depends_on_address
    where.answer({**told, "people": [asdict(visitor) for visitor in found.people]}, lambda: _print_people(found))
    return answer.everybody or bool(found.people)


def doors_of(where: Asked, person: str) -> bool:
    """Print what somebody could open, had they just signed in; whether any door opens."""
    opened = acting.as_admin(where, lambda work: _doors(work, person))
    where.answer({"person": person, "sites": [asdict(site) for site in opened]}, lambda: _print_doors(opened))
    return any(site.opening for site in opened)


async def _all(work: AdminWork, wanted: Wanted) -> _Found:
    answer = page = await who_could_open.of(work, wanted, Place())
    people = list(page.page.items)
    while page.page.next and len(people) < MOST:
        page = await who_could_open.of(work, wanted, Place(after=page.page.next))
        people += page.page.items
    return _Found(answer, people[:MOST])


async def _doors(work: AdminWork, person: str) -> list[Opened]:
    return await could_open.of(work, await could_open.whom(work, person))


def _print_people(found: _Found) -> None:
    answer = found.answer
    click.echo(printable(f"{answer.rule}: {answer.demand}"))
    if answer.everybody:
        click.echo("Anyone at all could open this, without signing in.")
    elif answer.depends_on_address:
        click.echo("Say where they come from: --from ADDRESS.")
    elif not found.people:
        click.echo("Nobody could open this.")
    else:
        show(("address", "name", "by what"), ((who.email, who.name, who.why) for who in found.people))
        total = f"more than {MANY}" if answer.count > MANY else str(answer.count)
        shown = f"; {len(found.people)} are listed" if answer.count > len(found.people) else ""
        click.echo(f"{total} could open this, had they just signed in{shown}.")


def _print_doors(opened: list[Opened]) -> None:
    if not opened:
        click.echo("No site is set up.")
    for site in opened:
        click.echo(printable(f"{site.name} ({site.host}): {site.opening} of {len(site.parts)} rules let them in"))
        for part in site.parts:
            click.echo(printable(f"  {'✓' if part.open else '✗'} {_covers(part)}: {part.why}"))
            if part.remedy:
                click.echo(printable(f"    → {part.remedy}"))


def _covers(part: Part) -> str:
    rule = part.rule
    where = f"{rule.path_prefix} alone" if rule.match == EXACT else rule.path_prefix
    origin = f" from {', '.join(map(str, rule.networks))}" if rule.networks else ""
    return f"rule {part.number} {where}{' ' + ' '.join(rule.methods) if rule.methods else ''}{origin}"
