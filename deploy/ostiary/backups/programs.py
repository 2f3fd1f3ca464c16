"""pg_dump and pg_restore: from PATH when they are of the server's version, else those of the embedded PostgreSQL."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from ostiary import postgres_files
from ostiary.faults import Refusal


def find(name: str, server: int) -> Path:
    """The program for a server of this major version."""
    if on_path := shutil.which(name):
        said = subprocess.run([on_path, "--version"], check=False, capture_output=True, text=True).stdout
        version = re.search(r"(\d+)(?:\.\d+)?", said)
        if version and int(version[1]) == server:
            return Path(on_path)
    if server <= int(postgres_files.MAJOR):
        return postgres_files.program(name)
    raise Refusal(
        f"the server is PostgreSQL {server}, and there is no {name} {server} on PATH; install its client programs "
        f"(Debian: postgresql-client-{server})."
    )


def embedded(program: Path) -> bool:
    """Whether it is one of the embedded PostgreSQL, which was built without TLS."""
    return program.resolve().is_relative_to(postgres_files.program(program.name).parent.resolve())  # images link to it


def without_password(url: str) -> tuple[str, dict[str, str]]:
    """The URL as everybody may read it in the list of processes, and an environment with its password."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    query = dict(parse_qsl(parts.query))
    password = unquote(password) or query.pop("password", "")
    shown = parts._replace(netloc=name + at + hosts, query=urlencode(query, safe="/")).geturl()
    if not parts.netloc:  # geturl drops the slashes of an empty one
        shown = shown.replace(":/", ":///", 1) if ":///" not in shown else shown
    return shown, {**os.environ, "LC_ALL": "C", **({"PGPASSWORD": password} if password else {})}


def last_words(errors: bytes) -> str:
    """The last line that a program has complained in, without its own name."""
    lines = errors.decode(errors="replace").strip().splitlines()
    return re.sub(r"^pg_\w+: (error: )?", "", lines[-1]) if lines else "it said nothing"
