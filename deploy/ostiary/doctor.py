"""`doctor`: looks at a set-up as it runs, and says of each fault what to write instead."""

import asyncio
import sys
from dataclasses import asdict

import click
from rich.console import Console
from rich.markup import escape

from ostiary import environments
from ostiary.acting import NO_PORT
from ostiary.checkups import Found, State, database, fault, fine, mail, probing, sick, site, skipped, through
from ostiary.faults import FINDING, Refusal
from ostiary.options import Asked, asked, printable
from ostiary.telling import told
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import probe_key
from ostiary_shared.settings import SettingsError

MARKS = {
    State.FINE: "[green]✓[/]",
    State.WARNING: "[yellow]![/]",
    State.FAULT: "[red]✗[/]",
    State.SKIPPED: "[dim]-[/]",
}


@click.command()
@asked
@click.option(
    "--through", "urls", multiple=True, metavar="URL", help="Ask by this address, as a stranger would; may be repeated."
)
@click.option("--mail-to", default="", metavar="ADDRESS", help="Send one test mail there.")
def doctor(where: Asked, urls: tuple[str, ...], mail_to: str) -> None:
    """Look at everything that Ostiary needs, and say what is wrong and what to do.

    It reads the settings of auth from the environment, or takes the data folder of ./ostiary up. With --through it asks
    by the addresses that people use: OSTIARY_PUBLIC_URL itself, or a page of a protected site. Forged headers go along,
    and auth tells what arrived. Exit status 1 when something is at fault.
    """
    for url in urls:
        if not probing.origin_of(url):
            raise Refusal(f"--through {url}: write an address such as https://login.example.org.")
    with told(), where.database() as database_url:
        settings, found = _settings(where, database_url)
        found += asyncio.run(_examined(settings, database_url, urls, mail_to))
    where.answer([asdict(one) for one in found], lambda: _print(found))
    sys.exit(FINDING if sick(found) else 0)


def _settings(where: Asked, url: str) -> tuple[AuthSettings | None, list[Found]]:
    if not where.database_url:
        return environments.auth(where.home, url, NO_PORT), [fine("settings", f"those of {where.home}")]
    try:
        settings = AuthSettings.load()
    except SettingsError as error:
        return None, [
            fault("settings", line, "docs/settings.md has every variable.") for line in str(error).splitlines()
        ]
    return settings, [fine("settings", f"complete, for {settings.public_url}")]


async def _examined(settings: AuthSettings | None, url: str, asked_by: tuple[str, ...], to: str) -> list[Found]:
    found = await database.look(url)
    if settings is None:
        return [*found, skipped("mail server", "the settings come first"), skipped("proxy", "the settings come first")]
    if settings.smtp_url.get_secret_value().endswith(f":{NO_PORT}") and not to:
        found.append(skipped("mail server", "./ostiary up catches all mail itself"))
    else:
        found += await mail.look(settings, to)
    async with probing.session() as http:
        for one in asked_by:
            origin = probing.origin_of(one)
            prober = probing.Prober(http, origin, probe_key(settings))
            found += await (
                through.look(prober, settings) if origin == settings.public_url else site.look(prober, one, settings)
            )
    if not asked_by:
        found.append(skipped("proxy", f"add --through {settings.public_url} to look at it"))
    return found


def _print(found: list[Found]) -> None:
    console = Console(highlight=False)
    for one in found:
        console.print(f"{MARKS[one.state]} [bold]{one.check}[/]: {escape(printable(one.saw))}", soft_wrap=True)
        if one.remedy:
            console.print(f"  {escape(printable(one.remedy))}", soft_wrap=True)
    faults = sum(one.state is State.FAULT for one in found)
    warnings = sum(one.state is State.WARNING for one in found)
    console.print(_summary(faults, warnings))


def _summary(faults: int, warnings: int) -> str:
    if not faults and not warnings:
        return "All is well."
    parts = [
        f"{number} {name}{'' if number == 1 else 's'}"
        for number, name in ((faults, "fault"), (warnings, "warning"))
        if number
    ]
    return f"{' and '.join(parts)}."
