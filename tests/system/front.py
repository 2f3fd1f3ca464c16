"""A front before the real PostgreSQL, which listens on a unix socket alone: TLS, its absence, silence and delay."""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SSL_REQUEST = struct.pack("!ll", 8, 80877103)


@dataclass
class Front:
    """What stands between a service and its database. `heard` is the first that each connection said in the clear."""

    behind: str
    port: int = 0
    shown: ssl.SSLContext | None = None
    strips: bool = False
    swallows: bool = False
    encrypted: int = 0
    heard: list[bytes] = field(default_factory=list)
    lines: set[asyncio.StreamWriter] = field(default_factory=set)

    def url(self, role: str, database: str, more: str = "", host: str = "127.0.0.1") -> str:
        return f"postgresql://{role}@{host}:{self.port}/{database}{more}"

    def hang_up(self) -> None:
        """End every connection at once."""
        for line in tuple(self.lines):
            line.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            first = await reader.readexactly(8)
            if first == SSL_REQUEST and (self.shown or self.strips):
                first = await self._encrypt(reader, writer)
            if self.strips:
                self.heard.append(first + await reader.read(200))
            there, back = await asyncio.open_unix_connection(self.behind)
            self.lines.add(back)
            back.write(first)
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        for line in {writer} & self.lines:
            line.transport.abort()
            self.lines.discard(line)

    async def _encrypt(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"N" if self.strips else b"S")
        if self.shown:
            plain = writer.transport
            try:
                await writer.start_tls(self.shown)
            except (OSError, AttributeError) as error:  # where there is no agreement, asyncio has lost the transport
                writer._transport = plain  # type: ignore[attr-defined]
                raise ConnectionError("no TLS") from error
            self.encrypted += 1
        return await reader.readexactly(8)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            while data := await source.read(65536):
                if not self.swallows:
                    target.write(data)
                    await target.drain()
        target.transport.abort()
        self.lines.discard(target)


@contextlib.asynccontextmanager
async def before(database_url: str, **how: object) -> AsyncIterator[Front]:
    """A front before the server of this URL, which names its socket's folder."""
    folder = parse_qs(urlsplit(database_url).query)["host"][0]
    front = Front(str(Path(folder) / ".s.PGSQL.5432"), **how)  # type: ignore[arg-type]
    server = await asyncio.start_server(front.serve, "127.0.0.1", 0)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()
        front.hang_up()
        await asyncio.sleep(0)
