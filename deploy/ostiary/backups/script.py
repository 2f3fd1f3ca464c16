"""Plays what pg_restore writes, statement after statement and table after table, on a connection of ours.

Not psql: it would commit what it has when its input ends too early, and obey commands that stand in the dump.
"""

import asyncio
import re
import subprocess
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from tempfile import TemporaryFile
from typing import IO, Any, Self

import asyncpg

from ostiary.backups import programs
from ostiary.faults import Finding
from ostiary_shared import tokens

PIECE = 1 << 18
COPY = re.compile(rb"^COPY public\.(\S+) \((.*)\) FROM stdin;\n", re.MULTILINE)
END = b"\\.\n"
# What is meant for psql alone, see above.
FOR_PSQL = re.compile(rb"^\\(un)?restrict .*\n", re.MULTILINE)
ENTRY = re.compile(r"^--\n-- Name: (.*); Type: ([A-Z ]+); .*\n--\n", re.MULTILINE)


@dataclass(slots=True)
class Pieces:
    """The text of the script as it comes, with what was read too far put back."""

    source: IO[bytes]
    rest: bytes = b""
    ended: bool = False
    rows: int = 0

    async def more(self) -> bool:
        """Read on; False at the end."""
        piece = await asyncio.to_thread(self.source.read1, PIECE)  # type: ignore[attr-defined]
        self.rest += piece
        self.ended = not piece
        return not self.ended


async def play(connection: Any, script: Pieces, told: Callable[[str, int], object]) -> None:
    """Run it all, in the transaction that the connection is in. `told` hears of each step, and of rows so far."""
    while True:
        found = COPY.search(script.rest)
        if found is None:
            if await script.more():
                continue
            break
        await _run(connection, script.rest[: found.start()], told, script.rows)
        script.rest = script.rest[found.end() :]
        table, columns = _plain(found[1]), [_plain(name) for name in found[2].split(b", ")]
        told(table, script.rows)
        await connection.copy_to_table(table, source=_rows(script), columns=columns, schema_name="public")
    await _run(connection, script.rest, told, script.rows)


class Playing:
    """pg_restore at work: fed by `feed` in a thread of its own, its text in `script`. It ends with the block."""

    def __init__(self, program: str, feed: Callable[[IO[bytes]], object]) -> None:
        self._errors = TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self._process = subprocess.Popen(
            [program, "--schema=public", "--no-owner", "--file=-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        assert self._process.stdin is not None  # noqa: S101 - so says the call
        assert self._process.stdout is not None  # noqa: S101
        self.script = Pieces(self._process.stdout)
        self._fault: BaseException | None = None
        self._feeder = threading.Thread(target=self._feed, args=(feed, self._process.stdin), daemon=True)
        self._feeder.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._feeder.join()
        self.script.source.close()
        self._errors.close()

    def finished(self) -> None:
        """See that all of it was said: raises what feeding raised, or a Finding with pg_restore's complaint."""
        status = self._process.wait()
        self._feeder.join()
        if self._fault is not None and not isinstance(self._fault, BrokenPipeError):
            raise self._fault
        if status:
            self._errors.seek(0)
            raise Finding(f"the dump cannot be read: {programs.last_words(self._errors.read())}; nothing was changed.")

    def _feed(self, feed: Callable[[IO[bytes]], object], stdin: IO[bytes]) -> None:
        try:
            feed(stdin)
        except BaseException as error:  # noqa: BLE001 - raised again by `finished`
            self._fault = error
        finally:
            with suppress(OSError):
                stdin.close()


async def _rows(script: Pieces) -> AsyncIterator[bytes]:
    """The rows of one table, up to the line that ends them."""
    fresh = True  # whether what is left begins a line
    while True:
        at = 0 if fresh and script.rest.startswith(END) else script.rest.find(b"\n" + END) + 1
        if at > 0 or (fresh and script.rest.startswith(END)):
            script.rows += script.rest.count(b"\n", 0, at)
            rows, script.rest = script.rest[:at], script.rest[at + len(END) :]
            if rows:
                yield rows
            return
        whole = script.rest.rfind(b"\n") + 1
        if whole:
            script.rows += script.rest.count(b"\n", 0, whole)
            rows, script.rest = script.rest[:whole], script.rest[whole:]
            yield rows
        if not await script.more():
            raise Finding("the dump ends in the middle of a table; nothing was changed.")


async def _run(connection: Any, text: bytes, told: Callable[[str, int], object], rows: int) -> None:
    """Statements between tables, step by step, so that it shows what takes long."""
    script = FOR_PSQL.sub(b"", text).decode()
    starts = [(found.start(), found[2].lower()) for found in ENTRY.finditer(script)]
    steps = [(0, ""), *starts, (len(script), "")]
    for (start, kind), (end, _) in pairwise(steps):
        if any(line and not line.startswith("--") for line in script[start:end].splitlines()):
            told(kind, rows)
            await _say(connection, script[start:end])


async def _say(connection: Any, statements: str) -> None:
    """Run them inside a statement of ours, where PostgreSQL lets nothing begin, end or part the transaction.

    A COMMIT that somebody wrote into a dump would leave what was restored with every session in it alive.
    """
    inner, outer = f"$s{tokens.code(8)}$", f"$d{tokens.code(8)}$"  # nobody knows these in advance
    try:
        await connection.execute(f"DO {outer} BEGIN EXECUTE {inner}{statements}{inner}; END {outer}")
    except (asyncpg.FeatureNotSupportedError, asyncpg.InvalidTransactionTerminationError) as error:
        raise Finding(
            f"the dump says what no dump of pg_dump's does ({error}): somebody may have written into it; nothing "
            "was changed."
        ) from None


def _plain(name: bytes) -> str:
    """A name as it is, without the quotes that some need."""
    text = name.decode()
    return text[1:-1].replace('""', '"') if text.startswith('"') else text
