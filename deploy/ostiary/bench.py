"""`bench`: what this machine does a second, measured in one run beside nginx. How to read it: docs/performance.md."""

import asyncio
import json
import signal
import sys
from dataclasses import replace
from typing import Any

import click
from rich.console import Console

from ostiary import database
from ostiary.benchmarks import catalogue, world
from ostiary.benchmarks.terms import Terms
from ostiary.faults import Finding

USUAL = Terms()
SHORT, LONG = 200_000, 10_000_000  # operations
LONGEST = 6 * 3600.0  # seconds
FEW = 40  # people; the check makes its own
ENDED = 143  # as shells have it: 128 and the number of SIGTERM


@click.group(invoke_without_command=True)
@click.option("--rounds", default=USUAL.rounds, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option(
    "--seconds", default=USUAL.seconds, show_default=True, type=click.FloatRange(0.1, 600), help="How long is a turn."
)
@click.option(
    "--people", default=USUAL.people, show_default=True, type=click.IntRange(40, 1_000_000), help="How many sign in."
)
@click.option("--only", multiple=True, type=click.Choice(catalogue.NAMES), help="Measure this alone; may be repeated.")
@click.option("--peers", is_flag=True, help="Install other sign-in libraries and measure them, too.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_context
def bench(context: click.Context, /, only: tuple[str, ...], *, peers: bool, as_json: bool, **asked: Any) -> None:
    """Measure the gate, sign-ins and revocation on this machine.

    Everything runs here, in a temporary folder, and is gone afterwards. Anything else at work on the machine shows in
    the figures.
    """
    # Whatever was started ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))
    if context.invoked_subcommand:
        return
    terms = replace(USUAL, only=frozenset(only), peers=peers, **asked)
    with Console(stderr=True).status("starting") as status:
        report = catalogue.run(terms, lambda said: status.update(said.removeprefix("! ")))
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        report.show()


@bench.command()
@click.option("--operations", default=SHORT, show_default=True, type=click.IntRange(1_000), help="Questions to ask.")
@click.option("--long", is_flag=True, help=f"Ask {LONG:,}: ten minutes or more on two cores.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def revocation(operations: int, *, long: bool, as_json: bool) -> None:
    """See that nobody is let in after a revoke has returned.

    Two replicas and the console are asked and told to revoke, while their connections are cut, their processes paused
    and killed, and a clock goes wrong.
    """
    from ostiary.revocation_check import fleet, run  # noqa: PLC0415 - the measurements need none of it

    wanted = run.Plan(LONG if long else operations, most_seconds=LONGEST)
    with Console(stderr=True).status("starting") as status, world.built(FEW) as built:
        admin = built.cluster.url(database.ADMIN, database.NAME)
        place = fleet.Place(built.auth, admin, built.owner, built.superuser, built.secret)
        report = asyncio.run(run.check(place, wanted, status.update))
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else "\n".join(report.lines()))
    if not report.holds:
        raise Finding("somebody was let in after it was over.")
