"""The way back: one transaction takes away what is here, plays the dump, upgrades it and ends what anybody carries.

So services may run meanwhile: they wait, and see either what was here or what was restored with everything ended.
docs/decisions/0021-restore-in-one-transaction.md weighs it against the other ways.
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ostiary.backups import archive, clearing, epoch, place, programs, sealing, stand_in
from ostiary.backups.archive import Archive
from ostiary.backups.manifest import Manifest
from ostiary.backups.script import Playing, play
from ostiary.backups.terms import Restored, Restoring
from ostiary.faults import Finding, Refusal
from ostiary.telling import told
from ostiary_shared import migrations
from ostiary_shared.database import DIALECT, connect, make_engine, make_sessions
from ostiary_shared.revocation import Receipt, settle

SETTINGS = {"application_name": "ostiary-operator", "timezone": "UTC"}
# What the dump has set for its own purposes.
AS_BEFORE = "RESET search_path; RESET check_function_bodies; RESET row_security; RESET client_min_messages"


def restore(url: str, file: Path, options: Restoring = Restoring()) -> Restored:  # noqa: B008 - it is frozen
    """Replace what is ours in the database at `url` by the backup, migrated to this release, in one transaction.

    In the same transaction everything ends that anybody carries. Asks nobody.
    """
    opened = examined(file, options)
    with told():
        return asyncio.run(_restore(url, opened, options))


@dataclass(frozen=True, slots=True)
class Examined:
    """A backup that is whole, ours and not too new; and the keys that open it, if it needs any."""

    archive: Archive
    keys: list[Any]

    @property
    def manifest(self) -> Manifest:
        """What it says."""
        return self.archive.manifest


def examined(file: Path, options: Restoring) -> Examined:
    """Look at all of a backup without unpacking it; raises for what cannot be restored."""
    with told():
        opened = archive.read(file)
    if not migrations.knows(opened.manifest.revision):
        raise Finding(
            f"{file} was taken by release {opened.manifest.release} at revision {opened.manifest.revision}, which this "
            "release does not know; restore it with that release or a later one; nothing was changed."
        )
    size = max(opened.manifest.size, 1)
    archive.check(opened, lambda done: options.progress("checking the file", done / size))
    keys: list[Any] = []
    if (options.identities or options.passphrase) and not opened.manifest.encrypted:
        raise Refusal(
            f"{file} is not encrypted, though you have named what opens it: somebody may have put it in the place of "
            "yours. If it is right, leave --identity and --passphrase-file out."
        )
    if opened.manifest.encrypted:
        keys = sealing.keys(opened.manifest.encrypted, opened.locked_key, options.identities, options.passphrase)
        with file.open("rb") as sealed:
            sealing.probe(opened.dump(sealed, archive.unheard), keys)
    return Examined(opened, keys)


async def _restore(url: str, opened: Examined, options: Restoring) -> Restored:
    async with stand_in.as_owner(url) as owners:
        return await _restored(owners, opened, options)


async def _restored(url: str, opened: Examined, options: Restoring) -> Restored:
    standing = await place.look(url)
    program = str(programs.find("pg_restore", standing.server))
    engine = create_async_engine(
        DIALECT, poolclass=NullPool, async_creator=partial(connect, url, timeout=10, server_settings=SETTINGS)
    )
    try:
        async with engine.connect() as connection:
            before = await clearing.closed(connection)
            since = time.monotonic()
            raw = (await connection.get_raw_connection()).driver_connection
            await _replace(raw, program, opened, options)
            if options.as_it_was:
                done, revision = epoch.NOTHING, opened.manifest.revision
            else:
                options.progress("upgrading and ending what anybody carries", 1.0)
                revision = await connection.run_sync(migrations.upgrade_inside)
                done = await epoch.end(connection, before, opened.manifest, keep_api_tokens=options.keep_api_tokens)
            await connection.commit()
            seconds = time.monotonic() - since
    finally:
        await engine.dispose()
    receipt = None if options.as_it_was else await _settled(url, done)
    return Restored(opened.manifest, revision, done.ended, done.dropped_mails, seconds, receipt)


async def _replace(raw: Any, program: str, opened: Examined, options: Restoring) -> None:
    """Take away what is here and play the dump; a Finding when there is not what the manifest says."""
    total = max(opened.manifest.rows, 1)
    try:
        await clearing.clear(raw)
        with opened.archive.path.open("rb") as file, Playing(program, partial(_feed, opened, file)) as playing:
            await play(raw, playing.script, lambda what, rows: options.progress(f"restoring: {what}", rows / total))
            playing.finished()
    except (asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError, asyncpg.DuplicateFunctionError) as error:
        raise Refusal(
            f"the database holds something of the same name that is not Ostiary's ({error}); nothing was changed."
        ) from None
    await raw.execute(AS_BEFORE)
    found = await place.counts(raw)
    if found != opened.manifest.counts:
        wrong = sorted(name for name, _ in found.items() ^ opened.manifest.counts.items())
        raise Finding(f"other rows came out than went in ({', '.join(dict.fromkeys(wrong))}); nothing was changed.")


def _feed(opened: Examined, file: BinaryIO, program: IO[bytes]) -> None:
    """Hand the dump to pg_restore, opened on the way: nothing that was encrypted touches the disk."""
    dump = opened.archive.dump(file, archive.unheard)
    if opened.keys:
        sealing.decrypt(dump, program, opened.keys)
    else:
        while piece := dump.read(archive.PIECE):
            program.write(piece)


async def _settled(url: str, done: epoch.Ended) -> Receipt:
    """Wait until no replica answers from what it knew, and leave the planner figures to plan with."""
    engine = make_engine(url, "ostiary-operator", pool_size=1)
    try:
        receipt = await settle(make_sessions(engine), done.session)
    finally:
        await engine.dispose()
    connection = await place.reached(url)
    try:
        await connection.execute("ANALYZE")
    finally:
        await connection.close(timeout=5)
    return receipt
