"""`bench`: what this machine does a second, measured in one run beside nginx. How to read it: docs/performance.md."""

import json
import signal
import sys
from dataclasses import replace

import click
from rich.console import Console

from ostiary.benchmarks import catalogue
from ostiary.benchmarks.terms import Terms

USUAL = Terms()
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
def bench(context: click.Context, /, only: tuple[str, ...], *, peers: bool, as_json: bool, **asked: float) -> None:
    """Measure the gate, sign-ins and revocation on this machine.

    Everything runs here, in a temporary folder, and is gone afterwards. Anything else at work on the machine shows in
    the figures.
    """
    if context.invoked_subcommand:
        return
    # What was started ends with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))
    terms = replace(USUAL, only=frozenset(only), peers=peers, **asked)  # type: ignore[arg-type]
    with Console(stderr=True).status("starting") as status:
        report = catalogue.run(terms, lambda said: status.update(said.removeprefix("! ")))
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        report.show()
