"""`up`: everything on one machine, with an embedded PostgreSQL and a mailbox that catches all mail."""

import asyncio
import gc
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click
import uvloop
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from ostiary import home as folder
from ostiary import postgres, serving
from ostiary.faults import Refusal

if TYPE_CHECKING:
    from ostiary.firsts import News

PORT = click.IntRange(1, 65535)
# Variables of the front door and of the tests; all others are settings, and `up` makes its own.
NO_SETTINGS = ("OSTIARY_VENV", "OSTIARY_REQUIRE", "OSTIARY_TEST_POSTGRES")


@dataclass(frozen=True)
class Plan:
    """What was asked for."""

    port: int
    mail_port: int
    home: Path
    demo: bool

    @property
    def public_url(self) -> str:
        """Where people reach the site."""
        return f"http://localhost:{self.port}"

    @property
    def mailbox_url(self) -> str:
        """Where the mail is read."""
        return f"http://localhost:{self.mail_port}"


@click.command()
@click.option("--port", default=8000, show_default=True, type=PORT, help="Port of the site.")
@click.option("--mail-port", default=8025, show_default=True, type=PORT, help="Port of the mailbox.")
@click.option(
    "--data", "home", type=click.Path(path_type=Path), default=folder.default, help="Data folder [default: .ostiary]."
)
@click.option("--demo", is_flag=True, help="Add sample people, roles and sites, once.")
def up(port: int, mail_port: int, home: Path, *, demo: bool) -> None:
    """Run everything here, to try it out.

    Site, console, mailbox and database, on 127.0.0.1 only. Ctrl-C stops it; the data stays. It makes its own settings:
    OSTIARY_… variables count for ./ostiary serve.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    _warn(sorted(name for name in os.environ if name.startswith("OSTIARY_") and name not in NO_SETTINGS))
    _run(Plan(port, mail_port, folder.opened(home), demo))


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _warn(ignored: list[str]) -> None:
    """Whoever has set something wants it to count: say that it does not, and where it would."""
    if ignored:
        names = f"{', '.join(ignored)} {'is' if len(ignored) == 1 else 'are'} ignored"
        click.echo(f"ostiary: {names}: up makes its own settings; set them for ./ostiary serve.", err=True)


def _run(plan: Plan) -> None:
    sockets = serving.Sockets(
        serving.bind(plan.port, "--port"),
        serving.bind(plan.mail_port, "--mail-port"),
        serving.bind(0, "another address"),
    )
    console = Console(highlight=False)
    with folder.held(plan.home, folder.UP) as alone:
        if not alone:
            message = f"another ./ostiary up runs on {plan.home}; stop it or choose another folder with --data DIR."
            raise Refusal(message)
        folder.remember_public_url(plan.home, plan.public_url)
        with postgres.started(plan.home) as start:
            with console.status("Starting the database and the services …"):
                # The services are loaded while the database starts; none of what that makes is ever garbage.
                gc.disable()
                from ostiary import everything, firsts  # noqa: PLC0415

                gc.freeze()
                gc.enable()
                cluster = postgres.wait(start)
                services = everything.prepare(cluster, sockets)
                news = firsts.first_things(cluster, services.settings, samples=plan.demo)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(everything.run(services, sockets, start, lambda: _greet(console, plan, news)))
    console.print("Stopped.")


def _greet(console: Console, plan: Plan, news: "News") -> None:
    lines = Table.grid(padding=(0, 2))
    for label, address in (
        ("Site", plan.public_url),
        ("Console", f"{plan.public_url}/admin"),
        ("Mailbox", plan.mailbox_url),
    ):
        lines.add_row(f"[bold]{label}[/]", address)
    console.print(Panel(lines, title="Ostiary is up", border_style="green", expand=False))
    if news.claim_link:
        # On a line of its own and never wrapped, so that it can be clicked and copied whole.
        console.print("Become the first administrator (this link works once):", style="bold")
        console.print(news.claim_link, soft_wrap=True)
    if news.demo_password:
        console.print(f"Sample people sign in with the password [bold]{news.demo_password}[/]", soft_wrap=True)
    console.print(f"Ctrl-C stops; data stays in {plan.home}", style="dim", soft_wrap=True)
