"""What the operator is told when something cannot be done: one sentence with the remedy, and an exit status."""

import click

FINDING = 1
WRONG_USAGE = 2


class Refusal(click.ClickException):
    """The set-up is wrong: printed as one sentence, exit status 2."""

    exit_code = WRONG_USAGE

    def show(self, file: object = None) -> None:  # noqa: ARG002
        """Without click's `Error:` prefix; all our sentences begin alike, wherever they come from."""
        first, rest = self.message[:1], self.message[1:]
        name = rest[:1].isupper()  # OSTIARY_… keeps its capitals
        click.echo(f"ostiary: {first if name else first.lower()}{rest}", err=True)


class Finding(Refusal):
    """The question was understood and the answer is bad news: exit status 1."""

    exit_code = FINDING
