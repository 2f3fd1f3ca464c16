"""`secrets`: the secret files of a set-up with containers, and a look at its settings before anything starts."""

from pathlib import Path
from urllib.parse import urlsplit

import click

from ostiary import secret_files
from ostiary.faults import Refusal
from ostiary.telling import told

MAILBOX = "mailbox"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--owner", type=click.IntRange(min=1), metavar="UID", help="Whom the files are given to; takes root.")
@click.option("--give", type=click.Path(exists=True, file_okay=False, path_type=Path), multiple=True, metavar="FOLDER",
              help="One more folder to give to that user.")  # fmt: skip
@click.option(
    "--check",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Read the settings, too, as auth will; PORT is the proxy's.",
)
def secrets(folder: Path, owner: int | None, give: tuple[Path, ...], check: int | None) -> None:
    """Make the secret files that are missing, in a folder for each who reads them.

    Below DIR: postgres, migrate, auth, admin, operator and grafana. What is there is never changed, so it may run
    before every start. To replace a secret see docs/operating/rotate.md.
    """
    with told():
        made = secret_files.complete(folder, owner)
        if owner is not None:
            for other in give:
                secret_files.give(other, owner)
        if check:
            _keep(folder / "auth/smtp.url", _checked(check), owner)
    click.echo(f"Made {', '.join(made)}." if made else "Every secret is there already.")
    if check:
        click.echo("The settings can be used.")


def _checked(port: int) -> str:
    """Refuse what would stop auth, and what only the proxy or the courier would stumble over. The address for mail."""
    from ostiary_auth.settings import AuthSettings  # noqa: PLC0415 - making secrets needs no service

    settings = AuthSettings.load()
    address = urlsplit(settings.public_url)
    if not settings.secure:
        raise Refusal("OSTIARY_PUBLIC_URL must begin with https:// here; the proxy has the certificate.")
    if address.port not in {None, port}:
        raise Refusal(
            f"OSTIARY_PUBLIC_URL names port {address.port}, where nobody listens; "
            f"write OSTIARY_HTTPS_PORT={address.port}, too."
        )
    mail = settings.smtp_url.get_secret_value()
    if urlsplit(mail).hostname != MAILBOX and settings.mail_from.endswith("@localhost>"):
        raise Refusal("OSTIARY_MAIL_FROM is not set. It is the sender of all mail, e.g. Ostiary <login@example.org>.")
    return mail


def _keep(path: Path, text: str, owner: int | None) -> None:
    """A setting with a password in it, as a file: no variable of a running service holds it."""
    if not path.exists() or path.read_text(encoding="utf-8").strip() != text:
        secret_files.write(path, text, owner=owner)
