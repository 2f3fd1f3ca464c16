"""`keys database`: another password for a service's role in the database, while the service goes on."""

import asyncio
from pathlib import Path

import click
from sqlalchemy.engine import make_url

from ostiary import passfile, rewriting
from ostiary.faults import Refusal
from ostiary.options import Asked, asked
from ostiary.passfile import Login
from ostiary.telling import told
from ostiary_shared import tokens
from ostiary_shared.database import connect

PASSWORD_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@asked
@click.option(
    "--password-file", type=PASSWORD_FILE, help="Another file that holds the password alone, such as migrate's."
)
def database(where: Asked, password_file: Path | None) -> None:
    """Replace the password with which a service connects to the database.

    Run it with the service's own OSTIARY_DATABASE_URL, whose passfile holds the password: it changes the role's
    password and that file, one right after the other. Services read the file at each new connection and try again for
    a second, so they are not restarted and nobody notices. The server is told a digest; it never sees the password.
    """
    with told():
        login = _login(where.database_url)
        asyncio.run(_change(login, password_file))
    changed = [str(path) for path in (login.passfile, password_file) if path]
    words = f"{login.user} has another password; it is in {' and '.join(changed)}."
    where.answer({"role": login.user, "files": changed}, lambda: click.echo(words))


def _login(url: str | None) -> Login:
    if url is None:
        raise Refusal("the database of ./ostiary up has no passwords; set OSTIARY_DATABASE_URL to a service's own.")
    parts = make_url(url)
    if parts.password:
        raise Refusal(
            "the password stands in OSTIARY_DATABASE_URL itself, where a running service cannot see it change; "
            "name a file with ?passfile=/path (docs/operating/rotate.md)."
        )
    named = parts.query.get("passfile")
    if not isinstance(named, str) or not parts.username:
        raise Refusal("OSTIARY_DATABASE_URL names no passfile, so there is no password to replace.")
    return Login(url, parts.username, parts.host or str(parts.query.get("host", "")), Path(named))


async def _change(login: Login, password_file: Path | None) -> None:
    new = tokens.random_bytes(32).hex()
    before = rewriting.read(login.passfile)
    back, forth = passfile.statement(passfile.password_in(before, login)), passfile.statement(new)
    files = {login.passfile: passfile.with_password(before, login, new)}
    if password_file:
        files[password_file] = new + "\n"
    kept = {path: rewriting.read(path) for path in files}
    drafts = {path: rewriting.draft(path, text) for path, text in files.items()}
    try:
        connection = await connect(login.url)
    except BaseException:
        for beside in drafts.values():
            rewriting.drop(beside)
        raise
    try:
        await connection.execute(forth)
        done: list[Path] = []
        try:
            for path, beside in drafts.items():
                rewriting.put(beside, path)
                done.append(path)
        except Refusal:  # services read the files as they are: let that count, in the server and in all of them
            await connection.execute(back)
            for path in done:
                rewriting.replace(path, kept[path])
            raise
    finally:
        await connection.close()
    await (await connect(login.url)).close()
