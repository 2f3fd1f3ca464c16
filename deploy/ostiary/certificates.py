"""`certificates`: TLS between auth, admin, PostgreSQL and the proxy without buying anything."""

import json
import re
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path

import click

from ostiary import authority
from ostiary.authority import Authority, Certificate
from ostiary.faults import Finding, Refusal
from ostiary.options import show
from ostiary_shared import clock

NAMES = ("auth", "admin", "postgres")
HERE = ("localhost", "127.0.0.1")
_NAME = re.compile(r"(?!ca$)[a-z0-9][a-z0-9_-]{0,50}")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--for", "wanted", metavar="NAME=HOST,HOST", multiple=True, help="Other hosts, or one more certificate.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def certificates(folder: Path, wanted: tuple[str, ...], *, as_json: bool) -> None:
    """Make and renew certificates for the links between Ostiary's own processes.

    The first time this makes a CA (ca.pem, ca.key) and certificates for auth, admin and postgres (NAME.pem, NAME.key),
    each for the host of that name and for this machine. Later it renews what ends within 30 days, for the same hosts,
    and leaves all else alone: let it run every week.
    """
    hosts = dict(_read(word) for word in wanted)
    ours = authority.opened(folder)
    names = dict.fromkeys((*NAMES, *authority.names_in(folder), *hosts))
    settled = [authority.settled(ours, name, hosts.get(name, ()) or _hosts(folder, name)) for name in names]
    if as_json:
        click.echo(json.dumps(_plain(ours, settled), indent=2))
    else:
        _tell(ours, settled)
    if ours.certificate.not_valid_after_utc - clock.now() < authority.RENEWED_BEFORE:
        raise Finding("the CA itself ends soon: make one in a new folder, and trust both until all is renewed.")


def _hosts(folder: Path, name: str) -> tuple[str, ...]:
    """What a first certificate is for; one that is there keeps what it is for."""
    return () if (folder / f"{name}.pem").exists() else (name, *HERE)


def _read(word: str) -> tuple[str, tuple[str, ...]]:
    name, _, listed = word.partition("=")
    hosts = tuple(dict.fromkeys(host.strip().lower() for host in listed.split(",") if host.strip()))
    if not _NAME.fullmatch(name) or not hosts or not all(_HOST.fullmatch(host) for host in hosts):
        raise Refusal(f"--for {word} cannot be used: write NAME=HOST,HOST such as --for auth=auth,auth.internal.")
    return name, tuple(map(_as_written, hosts))


def _as_written(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return host


def _plain(ours: Authority, settled: list[Certificate]) -> dict[str, object]:
    ends = ours.certificate.not_valid_after_utc.isoformat()
    leaves = [asdict(leaf) | {"file": str(leaf.file), "ends": leaf.ends.isoformat()} for leaf in settled]
    return {"ca": {"file": str(ours.folder / "ca.pem"), "ends": ends, "done": ours.done}, "certificates": leaves}


def _tell(ours: Authority, settled: list[Certificate]) -> None:
    rows = [("ca", "", f"{ours.certificate.not_valid_after_utc:%Y-%m-%d}", ours.done)]
    rows += [(leaf.name, ", ".join(leaf.hosts), f"{leaf.ends:%Y-%m-%d}", leaf.done) for leaf in settled]
    show(("Certificate", "For", "Ends", ""), rows)
    if ours.done == authority.MADE:
        click.echo(f"Whoever has {ours.folder / 'ca.key'} can pose as any of them: keep it where you keep backups.")
