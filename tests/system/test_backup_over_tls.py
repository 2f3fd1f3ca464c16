"""A backup of a server that is reached over TLS, by a pg_dump that has none."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ostiary import authority, postgres_files
from ostiary.backups import Taking, programs, take, tunnel
from ostiary_shared import tls
from tests.conftest import Databases
from tests.system.front import Front, before


@pytest.fixture
async def front(database: Databases, tmp_path: Path) -> AsyncIterator[Front]:
    """PostgreSQL that shows a certificate for this host."""
    authority.settled(authority.opened(tmp_path), "postgres", ["127.0.0.1"])
    shown = tls.shown(str(tmp_path / "postgres.pem"), str(tmp_path / "postgres.key"))
    async with before(database.auth, shown=shown) as opened:
        yield opened


async def test_it_goes_through_a_tunnel_of_ours(
    front: Front, database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "find", lambda name, _server: postgres_files.program(name))
    name = urlsplit(database.auth).path.strip("/")
    url = front.url("ostiary_owner", name, f"?sslmode=verify-full&sslrootcert={tmp_path / 'ca.pem'}")
    made = await asyncio.to_thread(take, url, tmp_path / "kept.backup", Taking())
    assert made.counts["roles"] > 0
    assert front.encrypted == 2


def _said(kind: bytes, code: int, more: bytes = b"") -> bytes:
    return kind + struct.pack("!ii", 8 + len(more), code) + more


class Client:
    """What a client hears."""

    heard = b""

    def write(self, piece: bytes) -> None:
        self.heard += piece


async def test_a_way_to_sign_in_that_needs_tls_at_both_ends_is_not_offered() -> None:
    """Seen with a real server: libpq without TLS gives up when it hears of it."""
    server, client = asyncio.StreamReader(), Client()
    server.feed_data(_said(b"R", 10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0") + _said(b"R", 0) + b"rest")
    await tunnel._sign_in(server, client)  # type: ignore[arg-type]
    assert client.heard == _said(b"R", 10, b"SCRAM-SHA-256\0\0") + _said(b"R", 0)


async def test_what_somebody_between_adds_in_plain_text_is_not_taken_for_the_servers_word() -> None:
    """libpq's CVE-2021-23222: words that come along with the yes to TLS were read as if they had come by it."""

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S" + _said(b"R", 0))
        await reader.read()
        writer.close()

    async with await asyncio.start_server(between, "127.0.0.1", 0) as server:
        address = server.sockets[0].getsockname()
        with pytest.raises(ConnectionError, match="does not speak TLS"):
            await tunnel._reached(tunnel.Way([address], ssl.create_default_context(), "", ""))
