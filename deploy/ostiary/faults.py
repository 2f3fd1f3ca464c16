"""What the operator is told when something cannot be done: one sentence with the remedy, and an exit status."""

import click

FINDING = 1
WRONG_USAGE = 2


class Refusal(click.ClickException):
    """The set-up is wrong: printed as one sentence, exit status 2."""

    exit_code = WRONG_USAGE

    def show(self, file: object = None) -> None:  # noqa: ARG002
        """Without click's `Error:` prefix, so that the sentence stands by itself."""
        click.echo(f"ostiary: {self.message}", err=True)


class Finding(Refusal):
    """The question was understood and the answer is bad news: exit status 1."""

    exit_code = FINDING
