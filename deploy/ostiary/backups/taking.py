"""Taking a backup: manifest and dump show one and the same moment, whatever the services do meanwhile."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO

from ostiary.backups import archive, place, programs, sealing, tunnel
from ostiary.backups.archive import Sink
from ostiary.backups.manifest import Manifest
from ostiary.backups.sealing import Seal
from ostiary.backups.terms import Taking
from ostiary.backups.whole_files import whole
from ostiary.faults import Finding, Refusal
from ostiary.telling import told
from ostiary_shared import clock
from ostiary_shared.release import VERSION

WHAT = ("--format=custom", "--schema=public", "--no-owner", "--no-unlogged-table-data", "--lock-wait-timeout=60000")


def take(url: str, file: Path, options: Taking = Taking()) -> Manifest:  # noqa: B008 - it is frozen
    """Back up the database at `url` (as ostiary_owner or a superuser) into `file`, whole or not at all."""
    seal = sealing.seal(options.recipients, options.passphrase)
    with told(), whole(file, force=options.force) as out:
        return asyncio.run(_take(url, out, seal, options))


async def _take(url: str, out: BinaryIO, seal: Seal | None, options: Taking) -> Manifest:
    connection = await place.reached(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            taken_at = clock.now()
            here = await place.read(connection)
            if here.revision is None:
                raise Refusal("the database has no tables of Ostiary, so there is nothing to back up.")
            kind = seal.kind if seal else ""
            manifest = Manifest(VERSION, here.revision, taken_at, here.database, here.counts, kind)
            size = await _data_size(connection)
            what = [f"--snapshot={snapshot}", *_left_out(await place.others(connection))]
            async with _command(url, connection, here.server) as (command, environment):
                fill = _filler([*command, *what], environment, seal, _progress(options, size))
                return await asyncio.to_thread(archive.write, out, manifest, seal.locked_key if seal else b"", fill)
    finally:
        await connection.close(timeout=5)


@asynccontextmanager
async def _command(url: str, connection: Any, server: int) -> AsyncIterator[tuple[list[str], dict[str, str]]]:
    """pg_dump and its environment, by the way that our own connection has taken."""
    program = programs.find("pg_dump", server)
    command = [str(program), *WHAT, f"--role={place.OWNER}"]
    if programs.embedded(program) and connection._transport.get_extra_info("ssl_object"):  # noqa: SLF001
        async with tunnel.opened(url) as way:
            yield [*command, f"--dbname={way.shown}"], {**os.environ, "PGPASSWORD": way.password}
    else:
        shown, environment = programs.without_password(url)
        yield [*command, f"--dbname={shown}"], environment


def _left_out(others: list[str]) -> list[str]:
    data = [f"--exclude-table-data=public.{name}" for name in place.UNCOUNTED]
    return data + [f'--exclude-table=public."{name}"' for name in others]


def _filler(
    command: list[str], environment: dict[str, str], seal: Seal | None, progress: Callable[[int], object]
) -> Callable[[BinaryIO], Sink]:
    def fill(file: BinaryIO) -> Sink:
        sink = Sink(file, progress)
        with _dumping(command, environment) as dump:
            if seal:
                seal.encrypt(dump, sink)
            else:
                while piece := dump.read(archive.PIECE):
                    sink.write(piece)
        return sink

    return fill


@contextmanager
def _dumping(command: list[str], environment: dict[str, str]) -> Iterator[IO[bytes]]:
    """What pg_dump writes. It ends with the block; when it failed, so does the block."""
    with (
        TemporaryFile() as errors,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment
        ) as dumping,
    ):
        try:
            assert dumping.stdout is not None  # noqa: S101 - so says the line above
            yield dumping.stdout
            if dumping.wait():
                errors.seek(0)
                raise Finding(f"pg_dump failed: {programs.last_words(errors.read())}")
        finally:
            dumping.kill()


async def _data_size(connection: Any) -> int:
    """What the tables take; a dump is smaller, by how much nobody knows before."""
    asked = "SELECT coalesce(sum(pg_table_size(oid)), 0) FROM pg_class WHERE relkind = 'r' AND relowner = $1::regrole"
    return int(await connection.fetchval(asked, place.OWNER))


def _progress(options: Taking, size: int) -> Callable[[int], object]:
    """A dump is about a fifth of its tables; the last bit is reached when it is there."""
    expected = max(size // 5, 1)
    return lambda written: options.progress("writing the dump", min(written / expected, 0.99))
