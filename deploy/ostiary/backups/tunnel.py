"""TLS for the embedded PostgreSQL's pg_dump, which was built without: it speaks to a socket of ours, we to the server.

The certificate is checked as asyncpg does it for the services, from the same URL.
"""

import asyncio
import ssl
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from asyncpg import connect_utils

PORT = 5432
ASK_FOR_TLS = struct.pack("!ii", 8, 80877103)
AUTHENTICATION, SASL = b"R", 10
# Would tie the password to a TLS connection that pg_dump has not got.
BOUND = b"SCRAM-SHA-256-PLUS\0"
PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Way:
    """Where the server is, how to speak to it, and how pg_dump finds our socket."""

    addresses: list[tuple[str, int]]
    tls: ssl.SSLContext
    shown: str
    password: str


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Way]:
    """A socket in a private folder that leads to the server of the URL, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="ostiary-tunnel-") as folder:
        way = _way(url, folder)
        async with await asyncio.start_unix_server(
            lambda reader, writer: _serve(way, reader, writer), Path(folder, f".s.PGSQL.{PORT}")
        ):
            yield way


def _way(url: str, folder: str) -> Way:
    nothing = dict.fromkeys((
        "host", "port", "user", "password", "passfile", "database", "ssl", "service", "servicefile", "direct_tls",
        "server_settings", "target_session_attrs", "krbsrvname", "gsslib",
    ))  # fmt: skip
    addresses, found = connect_utils._parse_connect_dsn_and_args(dsn=url, **nothing)  # noqa: SLF001 - as the services
    password = found.password[addresses[0]] if isinstance(found.password, dict) else found.password
    shown = f"host={folder} port={PORT} user={_quoted(found.user)} dbname={_quoted(found.database)} sslmode=disable"
    return Way([address for address in addresses if isinstance(address, tuple)], found.ssl, shown, password or "")


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


async def _serve(way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection of pg_dump's. When it cannot be made, pg_dump says that the server closed it."""
    with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
        there_reader, there = await _reached(way)
        try:
            (size,) = struct.unpack("!i", opening := await reader.readexactly(4))
            there.write(opening + await reader.readexactly(size - 4))
            ways = [asyncio.create_task(_pass_on(reader, there)), asyncio.create_task(_back(there_reader, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for direction in ways:
                    direction.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            there.close()
    writer.close()


async def _back(server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
    await _sign_in(server, client)
    await _pass_on(server, client)


async def _reached(way: Way) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    fault: OSError = ConnectionError("no address")
    for host, port in way.addresses:
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            fault = error
            continue
        try:
            writer.write(ASK_FOR_TLS)
            # Were there more than the one byte, somebody between us would have said it, and it would count as the
            # server's word (libpq's CVE-2021-23222).
            if await reader.read(PIECE) != b"S":
                raise ConnectionError(f"{host} does not speak TLS")
            await writer.start_tls(way.tls, server_hostname=host)
        except OSError as error:
            fault = error
            writer.close()
        else:
            return reader, writer
    raise fault


async def _sign_in(server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
    """Pass on what the server says until it is content, leaving out the way to sign in that needs TLS at both ends."""
    while True:
        head = await server.readexactly(5)
        (size,) = struct.unpack("!i", head[1:])
        body = await server.readexactly(size - 4)
        if head[:1] == AUTHENTICATION and body[:4] == struct.pack("!i", SASL):
            body = body.replace(BOUND, b"")
        client.write(head[:1] + struct.pack("!i", len(body) + 4) + body)
        if head[:1] != AUTHENTICATION or body[:4] == bytes(4):
            return


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE):
        writer.write(piece)
        await writer.drain()
