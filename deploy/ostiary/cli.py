"""The operator's command group. Each command lives in a file of its own and is loaded only when it is asked for."""

import gc
import importlib
import sys
from typing import Any, cast

import click

from ostiary.faults import Refusal

# name: (module, one line of help). The lines stand here so that `--help` need not load the services.
COMMANDS = {
    "up": "Run everything here, to try it out.",
    "serve": "Run one service: auth, admin or courier.",
    "migrate": "Bring the database up to date.",
    "secrets": "Make the secret files of a set-up with containers.",
    "users": "See, create, lock and unlock people; give and take roles.",
    "roles": "See, create and delete roles.",
    "services": "See, make and delete services with credentials of their own.",
    "keys": "See and replace keys: of signatures, services and the database.",
    "sessions": "End the sessions of everybody at once.",
    "backup": "Take a backup, look at one, or rehearse the way back.",
    "restore": "Replace what is in the database by a backup.",
    "upgrade": "Say what an upgrade would do and try it on a copy; do it; take it back.",
    "explain": "Say why somebody may or may not enter.",
    "doctor": "Look at a set-up as it runs, and say what is wrong.",
    "certificates": "Make and renew certificates for TLS between our own processes.",
    "settings": "Print every setting, as docs/settings.md has them.",
    "bench": "Measure what this machine does a second.",
    "test": "Run every check and every test.",
}
INTERRUPTED = 130  # as shells have it: 128 and the number of the signal


class Commands(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order of the table, which is the order of need."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name; its module has the same name and so has its function."""
        if cmd_name not in COMMANDS:
            return None
        gc.disable()  # nothing of what loading makes is ever garbage; looking for some takes a fifth of the time
        module = importlib.import_module(f"ostiary.{cmd_name}")
        gc.freeze()
        gc.enable()
        return cast("click.Command", getattr(module, cmd_name))

    def invoke(self, ctx: click.Context) -> Any:
        """Ctrl-C is how `up` is meant to end; elsewhere it means that something was left undone."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Stopped.")
            sys.exit(0 if ctx.invoked_subcommand == "up" else INTERRUPTED)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The table, without loading anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def group() -> None:
    """Ostiary keeps the door: a login in front of anything you run, and a console for who may come in.

    \b
    ./ostiary up              try it: http://localhost:8000
    ./ostiary COMMAND --help  says more about each command
    """  # noqa: D301 - click's mark for lines that stay as they are


def main() -> None:
    """Run the command; exit status 0 fine, 1 a finding, 2 wrong usage."""
    try:
        group(prog_name="./ostiary")
    except ModuleNotFoundError as error:  # an image of a service has no other service's code, and no embedded database
        Refusal(f"{error.name} is not installed here; the operator's image and ./ostiary have every command.").show()
        sys.exit(2)
    except OSError as error:
        Refusal(f"{error.strerror or error}: {error.filename}" if error.filename else str(error)).show()
        sys.exit(2)
