"""A way to PostgreSQL that can be closed and opened again: a socket that passes everything on."""

import asyncio
import contextlib
import re
import shutil
import tempfile
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from ostiary_auth.settings import AuthSettings

SOCKET = ".s.PGSQL.5432"


class Detour:
    """Settings whose database is reached through a socket of our own."""

    def __init__(self, settings: AuthSettings) -> None:
        url = settings.database_url.get_secret_value()
        found = re.search(r"host=([^&]+)", url)
        assert found
        self._real = Path(found[1]) / SOCKET
        self._folder = Path(tempfile.mkdtemp(prefix="way"))
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.settings = settings.model_copy(
            update={"database_url": SecretStr(url.replace(found[1], str(self._folder)))}
        )

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def open(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_unix_server(self._through, self._folder / SOCKET)

    async def close(self) -> None:
        """End all connections and take no more."""
        if self._server:
            self._server.close()
            (self._folder / SOCKET).unlink(missing_ok=True)
        self._server = None
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._real)
        self._writers |= {writer, back}
        ways = {asyncio.create_task(_pass(reader, back)), asyncio.create_task(_pass(there, writer))}
        self._tasks |= ways
        await asyncio.wait(ways)
        self._writers -= {writer, back}
        self._tasks -= ways


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while some := await reader.read(65536):
            writer.write(some)
            await writer.drain()
    writer.close()
